// Statements that come again and again are prepared once a connection, and outlive a migration.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { openDb, transact } from '../../db/client.ts';
import { openStatements } from '../../db/prepared.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { whenDone } from '../support/endings.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});

/** One connection, so that all that is prepared is prepared there. */
function oneConnection() {
  const db = openDb(database.url, { max: 1 });
  whenDone(() => db.destroy());
  const read = (role: 'rentals_rw' | 'api_read') =>
    transact(db, role, 'system:test', (tx) =>
      tx.selectFrom('rentals.rate_plan').selectAll().where('id', '=', 'P').execute(),
    );
  const prepared = async () => {
    const { rows } = await transact(db, 'rentals_rw', 'system:test', (tx) =>
      sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(tx),
    );
    return rows.map(({ statement }) => statement).filter((text) => text.includes('rate_plan'));
  };
  return { read, prepared };
}

test('a statement that a command runs often is prepared, once', async () => {
  const { read, prepared } = oneConnection();
  for (let turn = 0; turn < 4; turn += 1) await read('rentals_rw');
  expect(await prepared()).toHaveLength(0);
  for (let turn = 0; turn < 4; turn += 1) await read('rentals_rw');
  expect(await prepared()).toHaveLength(1);
});

test('what is only read is planned for its own values each time', async () => {
  const { read, prepared } = oneConnection();
  for (let turn = 0; turn < 9; turn += 1) await read('api_read');
  expect(await prepared()).toHaveLength(0);
});

test('a migration that adds a column meanwhile is noticed by nobody', async () => {
  const { read } = oneConnection();
  for (let turn = 0; turn < 9; turn += 1) await read('rentals_rw');
  await sql`alter table rentals.rate_plan add column remark text`.execute(database.owner);
  expect(await read('rentals_rw')).toEqual([]);
});

test('texts made of data fill neither the server nor this process', () => {
  const { nameOf } = openStatements();
  const texts = Array.from({ length: 300 }, (_, index) => `select ${index} + $1`);
  for (let turn = 0; turn < 6; turn += 1) for (const text of texts) nameOf(text);
  const names = new Set(texts.map((text) => nameOf(text)));
  names.delete(undefined);
  expect(names.size).toBe(250);
});
