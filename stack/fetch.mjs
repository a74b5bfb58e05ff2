// Brings a server's files into the shared cache exactly once, however many clones ask at the
// same time.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDir, readJson } from './places.mjs';
import { isAlive, startTimeOf } from './processes.mjs';
import { StackError } from './progress.mjs';

/**
 * The cached directory of `name`, built by `build(directory)` when it is not there yet. The build
 * happens in a
 * directory beside it and is renamed when complete, so a killed build leaves nothing that looks
 * finished.
 * `installed` may name a fitting installation of the machine, which then spares the fetching.
 * @returns {Promise<{dir: string, how: 'cache' | 'PATH' | 'fetched'}>}
 */
export async function fetched(name, build, { base = cacheDir, installed } = {}) {
  const dir = join(base, name);
  if (existsSync(dir)) return { dir, how: 'cache' };
  const found = await installed?.();
  if (found) return { dir: found, how: 'PATH' };
  mkdirSync(base, { recursive: true });
  const unlock = await lock(`${dir}.lock`);
  try {
    if (existsSync(dir)) return { dir, how: 'cache' };
    const building = `${dir}.building`;
    rmSync(building, { recursive: true, force: true });
    mkdirSync(building, { recursive: true });
    await build(building);
    renameSync(building, dir);
    return { dir, how: 'fetched' };
  } finally {
    unlock();
  }
}

/** Takes a lock file, waiting for a living holder and taking over from a dead one. */
async function lock(path) {
  const mine = JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) });
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    // A lock without content is one that is just being written: look again before taking over.
    const holder = readJson(path);
    if (holder ? !isAlive(holder) : await staysEmpty(path)) rmSync(path, { force: true });
    else await sleep(500);
  }
}

async function staysEmpty(path) {
  await sleep(1000);
  return existsSync(path) && readJson(path) === undefined;
}

const tools = new Set();
let ending = false;

/**
 * Ends the tools that run now and lets none begin: a start that is stopped leaves no compiler
 * behind.
 */
export function endTools() {
  ending = true;
  for (const child of tools) child.kill('SIGTERM');
}

export function isEnding() {
  return ending;
}

/** Runs a tool to its end; its output goes into the error when it fails. */
export function run(file, args, { cwd, env = {}, why, input, uid, gid } = {}) {
  return new Promise((resolve, reject) => {
    if (ending) return reject(new StackError(`${why}: stopped.`));
    const child = spawn(file, args, { cwd, env: { ...plainEnv(), ...env }, uid, gid });
    tools.add(child);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    child.once('error', (error) => reject(new StackError(`${why}: ${file}: ${error.message}`)));
    child.once('close', (code) => {
      tools.delete(child);
      if (code === 0) return resolve(output);
      reject(new StackError(`${why} failed (${file} ended with ${code}):\n${endOf(output)}`));
    });
  });
}

/** The last lines that say something: frames of a stack are left out. */
export function endOf(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return lines
    .slice(-15)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n');
}

/**
 * Our environment without what npm adds for the script that it runs: a nested npm would act on
 * it.
 */
export function plainEnv() {
  const extra = /^npm_(package|lifecycle)_|^npm_config_(local_prefix|prefix)$|^INIT_CWD$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !extra.test(name)));
}

/** The full path of a program on PATH, or undefined. */
export function onPath(program) {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return join(dir, program);
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

/** Throws one clear line when a tool that a fetch needs is missing. */
export function requireTool(program, why, what) {
  if (!onPath(program)) throw new StackError(`${program} is missing: ${why}. ${what}`);
}

/**
 * Holds files against a committed list `<sha256>  <name>` a line; a file more or less is an error
 * too.
 */
export function checkSums(dir, names, listFile) {
  const lines = readFileSync(listFile, 'utf8').trim().split('\n');
  const expected = new Map(lines.map((line) => line.split(/\s+/).reverse()));
  for (const name of new Set([...names, ...expected.keys()])) {
    const path = join(dir, name);
    const found = existsSync(path)
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : 'missing';
    if (found !== expected.get(name)) {
      throw new StackError(`${name} is not the file that was pinned (sha256 ${found}): not used.`);
    }
  }
}
