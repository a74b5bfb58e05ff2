// How the product's processes are started by Node: one place for `npm start` and the benches.
// deploy/Dockerfile and docker-compose.yml repeat it.

// The Kafka client sets timers into the past, which Node 24 remarks upon each time.
const quiet = '--disable-warning=TimeoutNegativeWarning';

/**
 * V8 lets a heap grow to a multiple of what lives in it before it collects, and on a machine with
 * much memory it is generous: most of a busy process was garbage. A smaller share costs a few per
 * cent of CPU. Unlike --max-old-space-size it is no limit that could end the process. The flags
 * hold for every heap of the process, that of the worker's workflow thread included.
 *
 * The modules of tracing run anew for each workflow, so V8 never learns that they are hot and would
 * interpret them for ever; they are always compiled plainly. The API is compiled so too: the first
 * requests after a start are the slowest.
 */
const memory = {
  api: ['--always-sparkplug', '--max-semi-space-size=16', '--heap-growing-percent=100'],
  worker: ['--always-sparkplug', '--max-semi-space-size=16', '--heap-growing-percent=70'],
};

/** Node's arguments before the file, by the id of the part. */
export function nodeArgs(id) {
  return [quiet, ...(memory[id] ?? [])];
}

/**
 * Many threads allocate natively (the Temporal SDK's core, gRPC): glibc would give each an arena
 * of its own that it hardly ever gives back.
 */
export const nodeEnv = { MALLOC_ARENA_MAX: '2' };
