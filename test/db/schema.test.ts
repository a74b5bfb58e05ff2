// The generated types of db/schema.ts are those of the migrated database.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const codegen = 'node_modules/kysely-codegen/dist/cli/bin.js';

/** Whether `--verify` finds db/schema.ts equal to what the database would generate. */
async function current(url: string): Promise<boolean> {
  const run = promisify(execFile)(process.execPath, [codegen, '--verify', '--url', url], {
    cwd: root,
  });
  return run.then(
    () => true,
    () => false,
  );
}

test('db/schema.ts is what the migrations make', { timeout: 60_000 }, async () => {
  const { owner, ownerUrl } = await testDatabase();
  expect(await current(ownerUrl)).toBe(true);
  await sql`alter table vehicles.vehicle add column colour text`.execute(owner);
  expect(await current(ownerUrl)).toBe(false);
});
