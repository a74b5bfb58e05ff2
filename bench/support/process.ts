// Child processes of a bench: started as in production, ready, weighed and stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type BenchProcess = {
  readonly name: string;
  /** Resident memory in MB (10^6 bytes), as Linux counts it. */
  readonly residentMb: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

type Start = {
  readonly name: string;
  /** Relative to the folder of the benches. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the process can work. */
  readonly readyUrl: string;
};

const READY_MS = 60_000;
const STOP_MS = 20_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

type NodeArgs = {
  readonly nodeArgs: (part: 'api' | 'worker') => readonly string[];
  readonly nodeEnv: Readonly<Record<string, string>>;
};

/** How `npm start` has Node run the product; stack/ is plain JavaScript, so its type stands here. */
function asUnderStart(): Promise<NodeArgs> {
  return import(new URL('../../stack/node-args.mjs', import.meta.url).href);
}

/** Resolves when it is ready; rejects with the end of its log when it is not in time. */
export async function startProcess({ name, file, env, readyUrl }: Start): Promise<BenchProcess> {
  const log = join(tmpdir(), `forecourt-bench-${process.pid}-${name}.log`);
  // A file, as under `npm start`: a pipe would have the bench itself read every line.
  const descriptor = openSync(log, 'w');
  const { nodeArgs, nodeEnv } = await asUnderStart();
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  // A floor is run as what it is the floor of.
  const part = name.endsWith('worker') ? 'worker' : 'api';
  const child = spawn(process.execPath, [...nodeArgs(part), path], {
    env: { ...process.env, ...nodeEnv, ...env, TZ: 'UTC' },
    stdio: ['ignore', descriptor, descriptor],
  });
  closeSync(descriptor);
  running.add(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
    running.delete(child);
    await rm(log, { force: true });
  };
  try {
    await untilReady(child, readyUrl);
  } catch (cause) {
    const tail = (await readFile(log, 'utf8')).slice(-2_000);
    await stop();
    throw new Error(`${name} did not get ready:\n${tail}`, { cause });
  }
  return { name, residentMb: () => residentMb(child), stop };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`It ended with code ${child.exitCode}.`);
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await delay(100);
  }
  throw new Error(`${url} was not ready within ${READY_MS / 1_000} s.`);
}

const BYTES_PER_KIB = 1_024;

async function residentMb(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error('No VmRSS: memory is measured on Linux only.');
  return (Number(kib) * BYTES_PER_KIB) / 1e6;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No TCP address.');
  return address.port;
}
