// The one entry of all npm scripts: installs what is missing, changes to Node 24, runs the command.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';
import { whenAbandoned } from './processes.mjs';
import { StackError, say } from './progress.mjs';

const commands = {
  start: async (args) => (await import('./commands/start.mjs')).start(args),
  test: async (args) => (await import('./commands/test.mjs')).test(args),
  check: async () => (await import('./check.mjs')).check(),
  demo: async (args) => (await import('./commands/running.mjs')).demo(args),
  bench: async (args) => (await import('./commands/bench.mjs')).bench(args),
  token: async (args) => (await import('./commands/running.mjs')).token(args),
  'dead-letters': async (args) => (await import('./commands/running.mjs')).deadLetters(args),
  stop: async () => (await import('./commands/running.mjs')).stop(),
  clean: async (args) => (await import('./commands/clean.mjs')).clean(args),
};
/** These work without anything installed. */
const bare = ['stop', 'clean'];

const [name, ...args] = process.argv.slice(2);
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof StackError)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const command = commands[name];
  if (!command) {
    throw new StackError(`Which command? One of ${Object.keys(commands).join(', ')}.`);
  }
  if (!bare.includes(name)) {
    const node = await install();
    if (node !== process.execPath) return again(node);
  }
  return (await command(args)) ?? 0;
}

/** Runs the same command under another Node and passes on what we are told. */
function again(node) {
  const here = fileURLToPath(import.meta.url);
  const child = spawn(node, [here, name, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // The terminal signals the child too; it stops once, however often it is told.
    process.on(signal, () => child.kill(signal));
  }
  // Killed npm: nobody would read the output or press Ctrl-C any more.
  if (!process.env.FORECOURT_DETACHED) whenAbandoned(() => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
