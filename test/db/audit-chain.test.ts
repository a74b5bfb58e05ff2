// The audit chain: entries are sealed in one chain, and whatever is changed afterwards is found.
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { recordAudit } from '../../db/commands/audit.ts';
import { sealAudit, verifyAudit } from '../../db/commands/audit-chain.ts';
import { startAuditSealer } from '../../workers/audit-sealer.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});
beforeEach(() =>
  tamper(`truncate people.audit_entry, people.audit_seal, people.audit_unsealed cascade`),
);

const subject = { subjectType: 'rental', subjectId: 'r-1' } as const;

function act(count: number, action = 'rental.extend'): Promise<void> {
  return transact(t.db, 'rentals_rw', 'staff:somebody', async (tx) => {
    for (let n = 0; n < count; n += 1) {
      await recordAudit(tx, { ...subject, action, reason: `No. ${n}`, after: { b: 1, a: [n] } });
    }
  });
}

/** As one who owns the server and knows how to keep triggers quiet. */
async function tamper(...statements: readonly string[]): Promise<void> {
  await t.owner.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    for (const statement of statements) await sql.raw(statement).execute(tx);
  });
}

const counted = async (table: string) => {
  const { rows } = await sql
    .raw<{ n: number }>(`select count(*)::int as n from ${table}`)
    .execute(t.owner);
  return rows[0]?.n;
};

describe('sealing', () => {
  test('takes every entry once, and the chain is sound', async () => {
    await act(5);
    expect(await sealAudit(t.db, 3)).toMatchObject({ sealed: 3, head: { position: 3 } });
    expect(await sealAudit(t.db, 3)).toMatchObject({ sealed: 2, head: { position: 5 } });
    expect(await sealAudit(t.db, 3)).toMatchObject({ sealed: 0, head: { position: 5 } });
    expect(await counted('people.audit_unsealed')).toBe(0);
    expect(await verifyAudit(t.db)).toEqual([]);
  });

  test('by several at once makes one chain without gaps', async () => {
    for (let n = 0; n < 40; n += 1) await act(5);
    const rounds = Array.from({ length: 60 }, () => sealAudit(t.db, 7).then((done) => done.sealed));
    const sealed = (await Promise.all(rounds)).reduce((sum, each) => sum + each, 0);
    expect(sealed).toBe(await counted('people.audit_seal'));
    while ((await sealAudit(t.db, 50)).sealed > 0);
    expect(await counted('people.audit_seal')).toBe(200);
    expect(await verifyAudit(t.db)).toEqual([]);
  });

  test('catches up with an entry that was written early and committed late', async () => {
    const late = await t.owner.startTransaction().execute();
    await sql`select set_config('app.principal', 'staff:slow', true),
      people.record_audit('rental.cancel', 'rental', 'r-1', null, null, null, null)`.execute(late);
    await act(2);
    await sealAudit(t.db, 10);
    await late.commit().execute();
    expect(await sealAudit(t.db, 10)).toMatchObject({ sealed: 1, head: { position: 3 } });
    expect(await verifyAudit(t.db)).toEqual([]);
  });

  test('goes on by itself, less than 5 s behind', async () => {
    const heads: unknown[] = [];
    const stop = startAuditSealer({
      db: t.db,
      onHead: (head) => heads.push(head),
      onTrouble: (error) => heads.push(error),
    });
    await act(3);
    await expect.poll(() => counted('people.audit_seal'), { timeout: 5_000 }).toBe(3);
    await act(1);
    await expect.poll(() => counted('people.audit_seal'), { timeout: 5_000 }).toBe(4);
    await stop();
    expect(heads.at(-1)).toMatchObject({ position: 4 });
  });

  test('does not depend on the settings of a session', async () => {
    await act(2);
    await sealAudit(t.db, 10);
    await t.owner.transaction().execute(async (tx) => {
      await sql`set local timezone = 'Australia/Lord_Howe'`.execute(tx);
      await sql`set local datestyle = 'German'`.execute(tx);
      await sql`set local extra_float_digits = 0`.execute(tx);
      expect((await sql`select * from people.verify_audit()`.execute(tx)).rows).toEqual([]);
    });
  });
});

describe('who has the whole server is found out when', () => {
  beforeEach(async () => {
    await act(6);
    await sealAudit(t.db, 10);
  });
  const third = `(select entry_id from people.audit_seal where position = 3)`;
  const faults = async () =>
    (await verifyAudit(t.db)).map(({ position, fault }) => [position, fault]);

  test.each([
    `actor = 'staff:somebody-else'`,
    `action = 'rental.cancel'`,
    `subject_id = 'r-2'`,
    `reason = null`,
    `at = at - interval '1 microsecond'`,
    `before = '{}'`,
    `after = '{"a": [2], "b": 2}'`,
    `origin = '192.0.2.1'`,
    `command_id = 'c-1'`,
  ])('an entry was changed: %s', async (change) => {
    await tamper(`update people.audit_entry set ${change} where id = ${third}`);
    expect(await faults()).toEqual([[3, 'the entry or its seal was changed']]);
  });

  test('an entry was removed', async () => {
    await tamper(`delete from people.audit_entry where id = ${third}`);
    expect(await faults()).toEqual([[3, 'the entry is missing']]);
  });

  test('an entry was removed with its seal', async () => {
    await tamper(
      `delete from people.audit_entry where id = ${third}`,
      'delete from people.audit_seal where position = 3',
    );
    expect(await faults()).toEqual([[4, 'a seal before it is missing']]);
  });

  test('an entry was changed and sealed again', async () => {
    await tamper(
      `update people.audit_entry set actor = 'staff:else' where id = ${third}`,
      `update people.audit_seal s set hash = people.audit_hash(
        (select hash from people.audit_seal where position = 2), 3, e)
        from people.audit_entry e where s.position = 3 and e.id = s.entry_id`,
    );
    expect(await faults()).toEqual([[4, 'the entry or its seal was changed']]);
  });

  test('two entries changed places', async () => {
    await tamper(
      'alter table people.audit_seal drop constraint audit_seal_position_check',
      'update people.audit_seal set position = -3 where position = 3',
      'update people.audit_seal set position = 3 where position = 4',
      'update people.audit_seal set position = 4 where position = -3',
      'alter table people.audit_seal add constraint audit_seal_position_check check (position > 0)',
    );
    expect((await faults()).map(([position]) => position)).toEqual([3, 4, 5]);
  });

  test('an entry was kept from the sealer', async () => {
    await act(1);
    await tamper(
      'delete from people.audit_unsealed',
      `update people.audit_entry set at = at - interval '2 minutes'
        where id not in (select entry_id from people.audit_seal)`,
    );
    expect(await faults()).toEqual([[null, 'the entry was not sealed']]);
  });

  test('the end was cut off, or all was made anew, for whoever kept a head', async () => {
    const { head } = await sealAudit(t.db, 10);
    if (head === null) throw new Error('There is no head.');
    expect(await verifyAudit(t.db, head)).toEqual([]);
    await tamper(
      'delete from people.audit_entry where id in (select entry_id from people.audit_seal where position > 4)',
      'delete from people.audit_seal where position > 4',
    );
    expect(await verifyAudit(t.db)).toEqual([]);
    expect(await verifyAudit(t.db, head)).toMatchObject([
      { position: 6, fault: 'the chain does not hold the head that was kept' },
    ]);
  });
});

describe('the seals cannot be changed', () => {
  const changes = [
    'update people.audit_seal set position = 9',
    'delete from people.audit_seal',
    'truncate people.audit_seal',
  ];
  beforeEach(async () => {
    await act(1);
    await sealAudit(t.db, 10);
  });

  const asRole = [
    ...changes,
    'delete from people.audit_unsealed',
    'insert into people.audit_unsealed values (uuidv7())',
    `insert into people.audit_seal values (2, uuidv7(), sha256('x'))`,
  ];
  test.each(asRole)('by the domain: %s', async (change) => {
    const attempt = transact(t.db, 'people_rw', 'staff:x', (tx) => sql.raw(change).execute(tx));
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });

  test.each(changes)('by the superuser, unless he goes out of his way: %s', async (change) => {
    await expect(sql.raw(change).execute(t.owner)).rejects.toMatchObject({ code: '23001' });
  });
});
