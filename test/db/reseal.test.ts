// Changing the data key: every sealed value moves over while others write, and then the old key can go.
import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { licenceOf, setLicence } from '../../db/commands/licences.ts';
import { resealAll, SEALED_PLACES } from '../../db/commands/reseal.ts';
import { openEnvelope } from '../../db/envelope.ts';
import type { DB } from '../../db/schema.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, second] = [key('d1'), key('d2')];
const old = openEnvelope(first);
const both = openEnvelope(`${second},${first}`);
const fresh = openEnvelope(second);
const WHO = 'staff:somebody';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const ids = Array.from(
  { length: 250 },
  (_, n) => `01980a5d-ac96-774b-bcce-${String(n).padStart(12, '0')}`,
);
const licence = (n: number) => ({ number: `L-${n}`, birthDate: '1990-05-03' });

const PATIENTLY = { timeout: 120_000 };

test('every licence moves, under load, and opens without the old key', PATIENTLY, async () => {
  const plant = async (id: string, n: number) => {
    await createCustomer(t.db, WHO, { id, name: `Customer ${n}` });
    await setLicence(t.db, old, WHO, id, 1, licence(n));
  };
  for (let n = 0; n < ids.length; n += 50) {
    await Promise.all(ids.slice(n, n + 50).map((id, at) => plant(id, n + at)));
  }
  const changing = (async () => {
    for (let n = 0; n < 60; n += 1) {
      // Half of the processes know the new key already, the others not yet.
      await setLicence(t.db, n % 2 ? both : old, WHO, ids[n] ?? '', 2, licence(n + 1_000));
    }
  })();
  const reading = (async () => {
    for (const [n, id] of ids.entries()) {
      const kept = await licenceOf(t.db, both, WHO, id);
      expect([`L-${n}`, `L-${n + 1_000}`]).toContain(kept?.licence?.number);
    }
  })();
  await Promise.all([changing, reading, resealAll(t.db, both), resealAll(t.db, both)]);
  await resealAll(t.db, both);
  expect(await resealAll(t.db, both)).toBe(0);
  for (const [n, id] of ids.entries()) {
    const kept = await licenceOf(t.db, fresh, WHO, id);
    expect(kept?.licence).toEqual(licence(n < 60 ? n + 1_000 : n));
  }
});

test('what somebody is changing is left alone, and moves the next time', async () => {
  const [changing, free] = [ids[3] ?? '', ids[4] ?? ''];
  const sealOld = (db: Kysely<DB>, id: string, number: string) => {
    const at = (column: string) => ({ table: 'rentals.customer', column, id });
    return sql`update rentals.customer set sealed_key_id = 'd1',
      licence_number = ${old.seal(number, at('licence_number')).bytes},
      birth_date = ${old.seal('1990-05-03', at('birth_date')).bytes} where id = ${id}`.execute(db);
  };
  await sealOld(t.owner, changing, 'L-OLD');
  const held = await t.owner.startTransaction().execute();
  await sealOld(held, changing, 'L-CHANGED');
  await sealOld(t.owner, free, 'L-FREE');
  expect(await resealAll(t.db, both)).toBe(1);
  await held.commit().execute();
  expect(await resealAll(t.db, both)).toBe(1);
  for (const [id, number] of [
    [changing, 'L-CHANGED'],
    [free, 'L-FREE'],
  ] as const) {
    expect((await licenceOf(t.db, fresh, WHO, id))?.licence?.number).toBe(number);
  }
});

test('no column that names a key is forgotten', async () => {
  const { rows } = await sql<{ place: string }>`
    select table_schema || '.' || table_name || ' ' || column_name as place
    from information_schema.columns
    where column_name like '%key_id' and table_schema not in ('pg_catalog', 'information_schema')
      and table_name <> 'api_key_usage' order by place`.execute(t.owner);
  const known = SEALED_PLACES.map(({ table, keyId }) => `${table} ${keyId}`).toSorted();
  expect(rows.map(({ place }) => place)).toEqual(known);
});

test('a licence copied to another customer does not open', async () => {
  await sql`update rentals.customer to_row set licence_number = from_row.licence_number
    from rentals.customer from_row where from_row.id = ${ids[1]} and to_row.id = ${ids[0]}`.execute(
    t.owner,
  );
  await expect(licenceOf(t.db, fresh, WHO, ids[0] ?? '')).rejects.toThrow(/changed or moved/);
});

test('half a licence cannot be stored', async () => {
  const half = sql`update rentals.customer set birth_date = null where id = ${ids[2]}`;
  await expect(half.execute(t.owner)).rejects.toMatchObject({ code: '23514' });
});
