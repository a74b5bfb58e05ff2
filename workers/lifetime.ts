// What every long-running process does about its end and its health.
import type { Health } from './internal-server.ts';

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

/** `up` when `probe` succeeds within `ms`. */
export async function within(ms: number, probe: Promise<unknown>): Promise<Health> {
  const late = new Promise<Health>((resolve) => {
    setTimeout(() => resolve('down'), ms).unref();
  });
  const answer = probe.then(
    (): Health => 'up',
    (): Health => 'down',
  );
  return Promise.race([answer, late]);
}
