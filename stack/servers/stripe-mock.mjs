// Stripe's own mock of its API for the tests of the gateway: built once from pinned sources.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetched, requireTool, run } from '../fetch.mjs';
import { during } from '../progress.mjs';

const version = '0.203.0';
const module = 'github.com/stripe/stripe-mock';
const here = dirname(fileURLToPath(import.meta.url));

/** @returns {Promise<string>} the program's path; beside it lie its answers, `fixtures3.json` */
export async function stripeMock(environment) {
  if (environment.STRIPE_MOCK) return environment.STRIPE_MOCK;
  const { dir } = await fetched(`stripe-mock-${version}`, (building) =>
    during(`building stripe-mock ${version} (once)`, () => build(building)),
  );
  return join(dir, 'stripe-mock');
}

async function build(dir) {
  const hint = 'Install Go 1.26 (https://go.dev/dl) or set STRIPE_MOCK to its path.';
  requireTool('go', "Stripe's mock is built from its sources", hint);
  const source = join(dir, 'source');
  mkdirSync(source);
  for (const name of ['go.mod', 'go.sum']) {
    copyFileSync(join(here, 'stripe-mock', name), join(source, name));
  }
  const args = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o'];
  const why = 'Building stripe-mock';
  await run('go', [...args, join(dir, 'stripe-mock'), module], { cwd: source, why });
  const place = await run('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd: source, why });
  const fixtures = join(place.trim(), 'embedded/openapi/fixtures3.json');
  copyFileSync(fixtures, join(dir, 'fixtures3.json'));
}
