// `npm run check`: every static check in turn, the quickest to understand first; ends at the
// first that fails.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { plainEnv } from './fetch.mjs';
import { installPackage } from './install.mjs';
import { root } from './places.mjs';
import { say } from './progress.mjs';

const fixture = 'test/lint-fixture';
const oxlint = ['oxlint', '--type-aware', '--deny-warnings'];
/** A package of its own: what integrators use, and a TypeScript with an interface for tools. */
const client = 'test/api-client';
const document = 'generated/openapi.json';
/** Name, command; for a check that must find something, the word it must say; and its package. */
const steps = [
  ['types', ['tsc', '--noEmit', '-p', '.']],
  ['format and lint', ['biome', 'ci', '--colors=off', '.']],
  ['the promise rule sees', [...oxlint, '--no-ignore', fixture], 'no-floating-promises'],
  ['promises', oxlint],
  ['layers', ['depcruise', '--config', '.dependency-cruiser.cjs', '.']],
  ['unused', ['knip']],
  ['API document', ['node', 'test/support/openapi-document.ts', `${client}/${document}`]],
  ['its lint (redocly)', ['redocly', 'lint', document, '--config', 'redocly.yaml'], null, client],
  ['its lint (spectral)', ['spectral', 'lint', document, '--quiet'], null, client],
  ['API client', ['openapi-typescript', document, '-o', 'generated/api.d.ts'], null, client],
  ["the client's types", ['tsc', '-p', '.'], null, client],
];

/** Resolves with the exit code. */
export async function check() {
  await installPackage(join(root, client), "the API client's tools");
  const started = Date.now();
  for (const [name, command, mustSay, dir = '.'] of steps) {
    const since = Date.now();
    const { ok, output } = runTool(join(root, dir), command, mustSay);
    const seconds = ((Date.now() - since) / 1000).toFixed(1);
    say(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(22)} ${seconds.padStart(5)} s`);
    if (!ok) {
      say(`\n${command.join(' ')}\n${output}`);
      if (mustSay) say(`It should have reported ${mustSay} in ${fixture}, but did not.`);
      return 1;
    }
  }
  say(`All checks passed in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return 0;
}

function runTool(dir, [tool, ...args], mustSay) {
  const bin = join(dir, 'node_modules/.bin');
  const program = tool === 'node' ? process.execPath : join(bin, tool);
  if (!existsSync(program)) return { ok: false, output: `${tool} is not installed.` };
  // Their output is kept until it is known whether it is wanted, so colours cannot be decided
  // by a terminal.
  const env = { ...plainEnv(), TZ: 'UTC', NO_COLOR: '1' };
  delete env.FORCE_COLOR;
  env.PATH = [dirname(process.execPath), bin, env.PATH].join(delimiter);
  const big = 64 * 1024 * 1024;
  const result = spawnSync(program, args, {
    cwd: dir,
    env,
    encoding: 'utf8',
    maxBuffer: big,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`;
  if (mustSay) return { ok: result.status !== 0 && output.includes(mustSay), output };
  return { ok: result.status === 0, output };
}
