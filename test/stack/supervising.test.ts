// Starting, watching and stopping: taken ports are named, the dead come back, nobody is left
// behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Ports, type Processes, type Supervise, stackModule, type Table } from './stack.ts';

const { startPorts, freePorts, requireFree } = await stackModule<Ports>('ports.mjs');
const processes = await stackModule<Processes>('processes.mjs');
const { supervisor } = await stackModule<Supervise>('supervise.mjs');
const { table } = await stackModule<Table>('table.mjs');
const sleeper = ['-e', 'setInterval(() => {}, 1000)'];
let dir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'forecourt-stack-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(dir, { recursive: true });
});

test('a taken port is one line: the part, the port, who holds it, what to do', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  const holder = `process ${process.pid} \\(.*\\)`;
  await expect(requireFree('API', port)).rejects.toThrow(
    new RegExp(`^API needs port ${port}, which ${holder} holds: stop that\\.$`),
  );
  server.close();
});

test('ports move by the environment, and nonsense there is refused', () => {
  expect(startPorts({})).toMatchObject({ api: 8080, ui: 8233, temporal: 7233 });
  const moved = startPorts({ FORECOURT_API_PORT: '9080', FORECOURT_TEMPORAL_PORT: '8333' });
  expect(moved).toMatchObject({ api: 9080, temporal: 8333, temporalHistory: 8334 });
  expect(() => startPorts({ FORECOURT_API_PORT: 'http' })).toThrow('FORECOURT_API_PORT is http');
});

test('no two parts of a stack get the same port, and none one that Temporal cannot store', async () => {
  const ports = Object.values(await freePorts());
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.max(...ports)).toBeLessThan(2 ** 15);
});

test('an orphan is found by pid and start time, and stopped', async () => {
  const pid = begin();
  processes.recordProcess(dir, 'relay', pid);
  expect(processes.orphansIn(dir).map((orphan) => orphan.pid)).toEqual([pid]);
  expect(await processes.stopOrphans(dir)).toEqual(['relay']);
  expect(processes.startTimeOf(pid)).toBeUndefined();
  expect(readdirSync(dir)).toEqual([]);
});

test('a pid that by now belongs to someone else is left alone', async () => {
  const pid = begin();
  const record = { id: 'relay', pid, startTime: 'of another process' };
  writeFileSync(join(dir, 'relay.json'), JSON.stringify(record));
  expect(await processes.stopOrphans(dir)).toEqual([]);
  expect(processes.startTimeOf(pid)).toBeDefined();
});

test('a part that dies comes back, and stopping leaves none', async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const watch = supervisor(makePlaces());
  await watch.start(sleepingPart('relay'));
  const first = pidOf('relay');
  process.kill(first, 'SIGKILL');
  await vi.waitUntil(() => pidOf('relay') !== first && pidOf('relay') > 0, 5000);
  const second = pidOf('relay');
  await watch.stop();
  expect(processes.startTimeOf(second)).toBeUndefined();
  expect(readdirSync(join(dir, 'run'))).toEqual([]);
  vi.restoreAllMocks();
});

test('who ignores the polite signal is ended by force', async () => {
  const watch = supervisor(makePlaces());
  const deaf = "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)";
  const isDeaf = () => readFileSync(join(dir, 'logs/codec.log'), 'utf8').includes('deaf');
  await watch.start({ ...sleepingPart('codec'), args: ['-e', deaf], ready: async () => isDeaf() });
  const pid = pidOf('codec');
  await watch.stop();
  expect(processes.startTimeOf(pid)).toBeUndefined();
});

test('the table has a line for each part, in columns', () => {
  const text = table([
    { name: 'API', address: 'http://localhost:8080', state: 'ready', how: 'cache', seconds: 1.25 },
    { name: 'PostgreSQL', address: 'x', state: 'ready', how: 'PATH', seconds: 12 },
  ]);
  expect(text).toBe(`  part        address                state  found  seconds
  ----------  ---------------------  -----  -----  -------
  API         http://localhost:8080  ready  cache      1.3
  PostgreSQL  x                      ready  PATH      12.0`);
});

function begin(): number {
  child = spawn(process.execPath, sleeper, { detached: true, stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('It did not start.');
  return child.pid;
}

function makePlaces() {
  const places = { data: dir, run: join(dir, 'run'), logs: join(dir, 'logs') };
  mkdirSync(places.run);
  mkdirSync(places.logs);
  return places;
}

function sleepingPart(id: string) {
  return { id, name: id, file: process.execPath, args: sleeper, cwd: dir, ready: async () => true };
}

function pidOf(id: string): number {
  try {
    return JSON.parse(readFileSync(join(dir, 'run', `${id}.json`), 'utf8')).pid;
  } catch {
    return 0;
  }
}
