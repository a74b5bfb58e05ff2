// Knows operating-system processes: who they are (pid and start time), who is left over, and
// how to stop them.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, writeSecretFile } from './places.mjs';

/**
 * When a process began, as an opaque text: a pid alone may by now belong to someone else.
 * Undefined when
 * there is no such process, or only its unreaped remains.
 */
export function startTimeOf(pid) {
  if (process.platform !== 'linux') return startTimeByPs(pid);
  try {
    // The second field is the name in parentheses and may hold blanks: count from after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startTimeByPs(pid) {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** @param {{pid: number, startTime: string} | undefined} record */
export function isAlive(record) {
  return record !== undefined && startTimeOf(record.pid) === record.startTime;
}

/** Writes down a child, so that a later start finds it even when we could not stop it. */
export function recordProcess(runDir, id, pid, stopSignal) {
  const startTime = startTimeOf(pid);
  if (startTime === undefined) return;
  writeSecretFile(join(runDir, `${id}.json`), JSON.stringify({ id, pid, startTime, stopSignal }));
}

export function forgetProcess(runDir, id) {
  rmSync(join(runDir, `${id}.json`), { force: true });
}

/** The recorded processes of a stack that still run; records of others are removed. */
export function orphansIn(runDir) {
  let files = [];
  try {
    files = readdirSync(runDir).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const record = readJson(join(runDir, file));
    if (record && isAlive(record)) return [record];
    rmSync(join(runDir, file), { force: true });
    return [];
  });
}

/** Stops orphans: politely all at once, by force after `seconds`; resolves when none is left. */
export async function stopOrphans(runDir, seconds = 8) {
  const orphans = orphansIn(runDir);
  for (const orphan of orphans) signal(orphan.pid, orphan.stopSignal ?? 'SIGTERM');
  for (const orphan of orphans) {
    if (!(await gone(orphan, seconds))) {
      signalGroup(orphan.pid, 'SIGKILL');
      await gone(orphan, 5);
    }
    forgetProcess(runDir, orphan.id);
  }
  return orphans.map((orphan) => orphan.id);
}

/** Waits until a recorded process has ended; false when it outlives `seconds`. */
export async function gone(record, seconds) {
  const until = Date.now() + seconds * 1000;
  while (isAlive(record)) {
    if (Date.now() > until) return false;
    await sleep(50);
  }
  return true;
}

export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It ended before the signal: what was wanted.
  }
}

/**
 * Calls back once when whoever started us is gone. npm puts a shell between itself and us, which
 * outlives a
 * killed npm: so the one before the parent counts too, but only under npm.
 */
export function whenAbandoned(callback) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const before = parentOf(parent);
  const watching = setInterval(() => {
    if (process.ppid === parent && parentOf(parent) === before) return;
    clearInterval(watching);
    callback();
  }, 500).unref();
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return undefined;
  }
}

/** Our children lead process groups of their own, so their children go with them. */
export function signalGroup(pid, name) {
  signal(-pid, name);
}
