// The OpenAPI document as integrators use it: linted, made into a client, and that client driven.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { type System, testSystem } from '../support/system.ts';

const PACKAGE = fileURLToPath(new URL('../api-client', import.meta.url));
const DOCUMENT = path.join(PACKAGE, 'generated/openapi.json');
const run = promisify(execFile);

let system: System;
let company: Company;
let base: string;

beforeAll(async () => {
  system = await testSystem('api-client');
  company = await plantCompany(system.db, { turnaroundMinutes: 0 });
  const api = await system.start('api/server.ts');
  await system.start('workers/main.ts');
  base = system.base(api);
  await mkdir(path.dirname(DOCUMENT), { recursive: true });
  await writeFile(DOCUMENT, await (await fetch(`${base}/openapi.json`)).text());
});

function tool(name: string, ...args: readonly string[]) {
  const file = path.join(PACKAGE, 'node_modules/.bin', name);
  return run(process.execPath, [file, ...args], { cwd: PACKAGE, maxBuffer: 64 * 1024 * 1024 });
}

test("redocly's and spectral's recommended rules find no error", { timeout: 90_000 }, async () => {
  const [redocly, spectral] = await Promise.all([
    tool('redocly', 'lint', DOCUMENT, '--config', 'redocly.yaml', '--format', 'json'),
    tool('spectral', 'lint', DOCUMENT, '--format', 'json', '--quiet'),
  ]);
  expect(JSON.parse(redocly.stdout)).toMatchObject({ totals: { errors: 0 } });
  const found: readonly { readonly severity: number }[] = JSON.parse(spectral.stdout);
  expect(found.filter(({ severity }) => severity === 0)).toEqual([]);
});

test('a generated client compiles strictly and plays a rental', { timeout: 90_000 }, async () => {
  await tool('openapi-typescript', DOCUMENT, '-o', 'generated/api.d.ts');
  await tool('tsc', '-p', '.');
  await plantVehicles(system.db, 'CDMR', 1);
  const { stdout } = await run(process.execPath, [path.join(PACKAGE, 'drive.ts')], {
    env: {
      ...process.env,
      FORECOURT_URL: base,
      FORECOURT_TOKEN: await system.token(),
      PLACE: JSON.stringify({ ...company, classId: 'CDMR' }),
    },
  });
  expect(stdout).toMatch(/^closed with INV-\d{4}-\d{6}$/m);
});
