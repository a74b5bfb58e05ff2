// Proofs of identity are forgotten when they are over, and not before.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { forgetOldProofs } from '../../db/commands/people-upkeep.ts';
import { testDatabase } from '../support/database.ts';

const TABLES = [
  'sign_in_failure',
  'single_use_token',
  'mail',
  'remembered_device',
  'session',
  'outside_logout',
];

test('what is over goes, what still counts stays', async () => {
  const t = await testDatabase();
  const plant = (age: string) =>
    sql`
    with failed as (insert into people.sign_in_failure (account_hash, address, at)
        values ('x', '::1', now() - ${age}::interval)),
      linked as (insert into people.single_use_token (hash, purpose, subject, expires_at)
        values (sha256(${age}::bytea), 'p', 's', now() - ${age}::interval)),
      mailed as (insert into people.mail (id, to_address, subject_line, body, created_at)
        values (uuidv7(), 'a', 's', 'b', now() - ${age}::interval)),
      known as (insert into people.remembered_device (id, subject, hash, description, expires_at)
        values (uuidv7(), 's', sha256(${age}::bytea), 'd', now() - ${age}::interval)),
      signed_out as (insert into people.outside_logout (issuer, jti, subject, logged_out_at,
          received_at)
        values ('i', ${age}, 's', now(), now() - ${age}::interval))
    insert into people.session (id, subject, device, expires_at)
      values (uuidv7(), 's', 'd', now() - ${age}::interval)`.execute(t.owner);
  await plant('100 days');
  await plant('-1 hour');
  expect(await forgetOldProofs(t.db)).toBe(6);
  for (const table of TABLES) {
    const { rows } = await sql<{ left: number }>`select count(*) as left
      from ${sql.id('people', table)}`.execute(t.owner);
    expect([table, rows[0]?.left]).toEqual([table, 1]);
  }
  expect(await forgetOldProofs(t.db)).toBe(0);
});
