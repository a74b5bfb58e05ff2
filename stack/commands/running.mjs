// What talks to a system that runs: the demo, the dead letters, and its stop from another terminal.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePlaces, placesOf, readJson, root } from '../places.mjs';
import { gone, isAlive, signal } from '../processes.mjs';
import { during, StackError, say } from '../progress.mjs';
import { responds } from '../servers/temporal.mjs';
import { foreground } from './test.mjs';

/** `npm run demo`: plays one rental over HTTP; starts the system first when it does not run. */
export async function demo(args) {
  const running = (await readySystem()) ?? (await startInBackground());
  return foreground(join(root, 'workers/demo.ts'), args, running.env);
}

/** `npm run token -- <demo user>`: prints an access token of the system that runs. */
export async function token(args) {
  const running = await readySystem();
  if (!running) throw new StackError('The system does not run: start it with `npm start` first.');
  return foreground(join(root, 'workers/token.ts'), args, running.env);
}

/** `npm run dead-letters -- list|replay`. */
export async function deadLetters(args) {
  const running = readJson(placesOf('start').stackFile);
  if (!running || !supervisorOf('start')) {
    throw new StackError('The system does not run: start it with `npm start` first.');
  }
  return foreground(join(root, 'workers/dead-letters.ts'), args, running.env);
}

/** `npm run stop`: ends the system of this clone, as Ctrl-C in its terminal would. */
export async function stop() {
  const holder = supervisorOf('start');
  if (!holder) say('Nothing runs.');
  else await during('stopping', () => endSupervisor(holder));
}

/** The living process that runs a stack of this clone. */
export function supervisorOf(kind) {
  const holder = readJson(join(placesOf(kind).base, 'supervisor.json'));
  return holder && isAlive(holder) ? holder : undefined;
}

/** Ends a supervisor in order; by force after the time that an orderly stop may take. */
export async function endSupervisor(holder) {
  signal(holder.pid, 'SIGTERM');
  if (!(await gone(holder, 35))) signal(holder.pid, 'SIGKILL');
}

async function readySystem() {
  const running = readJson(placesOf('start').stackFile);
  if (!running || !supervisorOf('start')) return undefined;
  return (await responds(`${running.apiUrl}/health/ready`)) ? running : undefined;
}

async function startInBackground() {
  if (!supervisorOf('start')) launch();
  say('The system does not run yet: it is started in the background.');
  const running = await during('starting the system', untilReady);
  say('It keeps running: `npm run stop` ends it.\n');
  return running;
}

function launch() {
  const places = placesOf('start');
  makePlaces(places);
  const log = openSync(join(places.logs, 'start.log'), 'w', 0o600);
  spawn(process.execPath, [join(root, 'stack/main.mjs'), 'start'], {
    cwd: root,
    env: { ...process.env, FORECOURT_DETACHED: '1' },
    stdio: ['ignore', log, log],
    detached: true,
  }).unref();
  closeSync(log);
}

/**
 * The first start of a machine builds servers, so only the end of the start itself is a failure.
 */
async function untilReady() {
  const log = join(placesOf('start').logs, 'start.log');
  let missing = 0;
  for (;;) {
    const running = await readySystem();
    if (running) return running;
    missing = supervisorOf('start') ? 0 : missing + 1;
    if (missing > 10) throw new StackError(`The system did not start: ${log} says why.`);
    await sleep(500);
  }
}
