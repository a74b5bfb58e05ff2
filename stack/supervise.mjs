// Runs the parts of a stack: starts each, waits until it is ready, restarts what dies, stops
// all in order.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOf, plainEnv } from './fetch.mjs';
import { requireFree } from './ports.mjs';
import { forgetProcess, recordProcess, signal, signalGroup } from './processes.mjs';
import { StackError, say } from './progress.mjs';

const readySeconds = 60;
/** A PostgreSQL whose postmaster was killed refuses to start until its old children are gone. */
const triesAtStart = 4;
const shortestPause = 500;
const longestPause = 10_000;
const steadySeconds = 30;
/** Whoever needs another part stops before it. Parts of one step stop together. */
const stopOrder = [
  ['api'],
  ['consumers', 'relay'],
  ['worker'],
  ['codec'],
  ['temporal-ui', 'temporal'],
  ['kafka', 'redis'],
  ['postgres'],
];
/** Before force is used; the seven steps together stay below 30 s even when every one needs it. */
const stopSeconds = { api: 8, relay: 3, worker: 5, codec: 1, temporal: 4, kafka: 4, postgres: 3 };

/** A supervisor of one stack. `places.run` and `places.logs` exist. */
export function supervisor(places) {
  const state = { places, running: new Map(), stopping: undefined };
  return {
    start: (part) => startPart(state, part),
    stop: () => (state.stopping ??= stopAll(state)),
    parts: () => [...state.running.values()].map(({ part }) => part),
  };
}

/**
 * Starts a part and resolves with how many seconds it took to be ready; another's part is only
 * noted.
 */
async function startPart(state, part) {
  if (part.external) return 0;
  const since = Date.now();
  for (const port of part.ports ?? []) await requireFree(part.name, port);
  await part.prepare?.();
  if (state.stopping) throw new StackError('Stopped.');
  const entry = { part, ended: Promise.resolve(), pause: shortestPause, settled: false };
  state.running.set(part.id, entry);
  for (let attempt = 1; ; attempt += 1) {
    launch(state, entry);
    if (await becomesReady(state, entry)) break;
    if (state.stopping) throw new StackError('Stopped.');
    if (attempt < triesAtStart) {
      await sleep(1000);
      continue;
    }
    throw new StackError(
      `${part.name} did not start. The end of its log:\n${logTail(state, part)}`,
    );
  }
  entry.settled = true;
  entry.steadySince = Date.now();
  return (Date.now() - since) / 1000;
}

function launch(state, entry) {
  const { part } = entry;
  const log = logPath(state, part);
  if (!entry.pid && existsSync(log)) renameSync(log, `${log}.old`);
  const out = openSync(log, 'a', 0o600);
  const child = spawn(part.file, part.args, {
    cwd: part.cwd,
    env: { ...plainEnv(), ...part.env },
    stdio: ['ignore', out, out],
    // A process group of its own: the terminal's Ctrl-C reaches only us, so the order of
    // stopping is ours.
    detached: true,
    ...(part.uid === undefined ? {} : { uid: part.uid, gid: part.gid }),
  });
  closeSync(out);
  entry.alive = true;
  entry.pid = child.pid;
  if (child.pid) recordProcess(state.places.run, part.id, child.pid, part.stopSignal);
  entry.ended = new Promise((resolve) => {
    const end = (how) => {
      if (!entry.alive) return;
      entry.alive = false;
      forgetProcess(state.places.run, part.id);
      resolve();
      if (entry.settled && !state.stopping) void restart(state, entry, how);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signalName) => end(signalName ?? `code ${code}`));
  });
}

async function becomesReady(state, entry) {
  const until = Date.now() + readySeconds * 1000;
  while (entry.alive && !state.stopping && Date.now() < until) {
    if (await entry.part.ready()) return entry.alive;
    await sleep(50);
  }
  if (entry.alive && !state.stopping) await stopOne(entry, 5);
  return false;
}

/** Brings a part back that ended by itself, with growing pauses; its data is as it left them. */
async function restart(state, entry, how) {
  const { part } = entry;
  let why = how;
  if (Date.now() - entry.steadySince > steadySeconds * 1000) entry.pause = shortestPause;
  entry.settled = false;
  while (!state.stopping) {
    say(`${part.name} ended (${why}): starting it again in ${entry.pause / 1000} s.`);
    await sleep(entry.pause);
    entry.pause = Math.min(entry.pause * 2, longestPause);
    if (state.stopping) return;
    const since = Date.now();
    launch(state, entry);
    if (await becomesReady(state, entry)) {
      entry.settled = true;
      entry.steadySince = Date.now();
      say(`${part.name} is ready again after ${((Date.now() - since) / 1000).toFixed(1)} s.`);
      return;
    }
    why = 'before it was ready';
  }
}

async function stopAll(state) {
  for (const step of stopOrder) {
    const entries = step.map((id) => state.running.get(id)).filter((entry) => entry?.alive);
    await Promise.all(entries.map((entry) => stopOne(entry, stopSeconds[entry.part.id] ?? 3)));
  }
}

async function stopOne(entry, seconds) {
  signal(entry.pid, entry.part.stopSignal ?? 'SIGTERM');
  const late = Symbol('late');
  const outcome = await Promise.race([entry.ended, sleep(seconds * 1000, late, { ref: false })]);
  if (outcome !== late) return;
  signalGroup(entry.pid, 'SIGKILL');
  await entry.ended;
}

function logPath(state, part) {
  return join(state.places.logs, `${part.id}.log`);
}

/** The last lines that a part wrote. */
function logTail(state, part) {
  try {
    return endOf(readFileSync(logPath(state, part), 'utf8'));
  } catch {
    return '    (empty)';
  }
}
