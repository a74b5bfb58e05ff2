// The audit log: who, what, on which subject; written with the effect and never changed again.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { recordAudit } from '../../db/commands/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, plantFleet, plantTrade } from '../support/fleet.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  await plantFleet(t.db, { vehicles: 1 });
});

const entry = { action: 'rental.reserve', subjectType: 'rental', subjectId: 'r-1' } as const;

describe('the log cannot be changed', () => {
  const changes = [
    `update people.audit_entry set actor = 'staff:somebody-else'`,
    'delete from people.audit_entry',
    'truncate people.audit_entry',
  ];

  test.each(changes)('by the domain that writes it: %s', async (change) => {
    const attempt = transact(t.db, 'people_rw', AGENT, (tx) => sql.raw(change).execute(tx));
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });

  test.each(changes)('by the owner of the table: %s', async (change) => {
    const attempt = t.owner.transaction().execute(async (tx) => {
      await sql`set local role forecourt_owner`.execute(tx);
      await sql.raw(change).execute(tx);
    });
    await expect(attempt).rejects.toMatchObject({ code: '23001' });
  });

  test.each(changes)('by the superuser: %s', async (change) => {
    await expect(sql.raw(change).execute(t.owner)).rejects.toMatchObject({ code: '23001' });
  });
});

describe('an entry', () => {
  test('names the principal of its transaction', async () => {
    await transact(t.db, 'rentals_rw', 'staff:night-shift', (tx) =>
      recordAudit(tx, { ...entry, subjectId: 'r-night', reason: 'late', after: { a: 1 } }),
    );
    expect(await entriesOf('r-night')).toEqual([
      { actor: 'staff:night-shift', reason: 'late', after: { a: 1 } },
    ]);
  });

  test('without a principal is refused, and with it the effect', async () => {
    const anonymous = transact(t.db, 'rentals_rw', '', (tx) => recordAudit(tx, entry));
    await expect(anonymous).rejects.toMatchObject({ code: '23514' });
  });

  test('goes with its transaction when that is rolled back', async () => {
    const undone = transact(t.db, 'rentals_rw', AGENT, async (tx) => {
      await recordAudit(tx, { ...entry, subjectId: 'r-undone' });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await entriesOf('r-undone')).toEqual([]);
  });

  test('is not written by a domain but through the published function', async () => {
    const direct = transact(t.db, 'rentals_rw', AGENT, (tx) =>
      sql`insert into people.audit_entry (actor, action, subject_type, subject_id)
        values ('staff:forged', 'x', 'rental', 'r-forged')`.execute(tx),
    );
    await expect(direct).rejects.toMatchObject({ code: '42501' });
  });

  test('about a customer tells which fields, never what is in them', async () => {
    const { customerId } = await plantTrade(t.db);
    const [created] = await entriesOf(customerId);
    expect(created).toEqual({ actor: AGENT, reason: null, after: null });
  });
});

async function entriesOf(subjectId: string) {
  const { rows } = await sql`select actor, reason, after from people.audit_entry
    where subject_id = ${subjectId} order by at`.execute(t.owner);
  return rows;
}
