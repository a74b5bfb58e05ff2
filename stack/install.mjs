// Installs the dependencies when they are missing or not those of the lock file, and finds Node
// 24 among them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireTool, run } from './fetch.mjs';
import { readJson, root } from './places.mjs';
import { during, StackError } from './progress.mjs';

const wanted = 24;

/** Resolves with the path of a Node 24 that the product runs on. */
export async function install() {
  const modules = join(root, 'node_modules');
  await installPackage(root, 'dependencies');
  if (Number(process.versions.node.split('.')[0]) === wanted) return process.execPath;
  const packaged = join(modules, `node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(packaged)) return packaged;
  throw new StackError(
    `Node ${wanted} is not packaged for ${process.platform}/${process.arch}: put it on PATH.`,
  );
}

/** Installs the package in `dir` when its lock file names other versions than are there. */
export async function installPackage(dir, what) {
  if (isCurrent(dir)) return;
  requireTool('npm', `${what} are installed with it`, 'It comes with Node.');
  // Not `npm ci`: it refuses a lock file without the packages of platforms that are not ours. What
  // the lock file names is installed in that version and held against its checksum either way.
  const args = ['install', '--no-save', '--no-audit', '--no-fund'];
  await during(`installing ${what}`, () =>
    run('npm', args, { cwd: dir, why: `Installing ${what}` }),
  );
}

/** Whether what npm wrote down as installed holds all that the lock file names, in its versions. */
function isCurrent(dir) {
  const lock = readJson(join(dir, 'package-lock.json'))?.packages;
  const installed = readJson(join(dir, 'node_modules/.package-lock.json'))?.packages;
  if (!lock || !installed) return false;
  return Object.entries(lock).every(([path, entry]) => {
    if (path === '') return true;
    const there = installed[path];
    // Optional packages are often for another machine.
    return there ? there.version === entry.version : entry.optional === true;
  });
}
