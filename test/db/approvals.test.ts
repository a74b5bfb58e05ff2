// Approvals and limits in the database: what is asked stays as asked, and no race slips past a limit.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { decideApproval, requestApproval, takeFromLimit } from '../../db/commands/approvals.ts';
import { DEMO_LIMITS, type LimitKind } from '../../domain/people.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { hire } from '../support/staff.ts';

const ASKER = 'staff:01980a5d-ac96-774b-bcce-b302099a8057';
const NOW = '2026-11-21T12:00:00.000Z';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

async function asked(over: { readonly amount?: number; readonly payee?: string } = {}) {
  const request = {
    id: uuidv7(),
    kind: 'refund',
    subjectType: 'rental',
    subjectId: uuidv7(),
    branchId: 'VIE',
    amount: 30_000,
    reason: 'broken heater',
    payee: null,
    ...over,
  } as const;
  return requestApproval(t.db, ASKER, request, NOW);
}

function approver(n = 1) {
  const principal = `staff:01980a5d-ac96-774b-bcce-${String(n).padStart(12, '0')}`;
  const limits = DEMO_LIMITS['branch-manager'];
  return { principal, branches: 'all', limits, roles: ['branch-manager'] } as const;
}

describe('an approval', () => {
  test('is decided once, whoever decides at the same time', async () => {
    const { id } = await asked();
    const decisions = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => {
        const to = n % 2 === 0 ? 'approved' : 'refused';
        return decideApproval(t.db, approver(n), id, to, NOW);
      }),
    );
    const [won, ...more] = decisions.filter((each) => each.status === 'fulfilled');
    expect(more).toEqual([]);
    for (const each of decisions.filter((one) => one.status === 'rejected')) {
      expect(each.reason).toMatchObject({ code: 'invalid-state' });
    }
    const { rows } = await sql<{ type: string }>`select type from events.outbox
      where aggregate_id = ${id} order by seq`.execute(t.owner);
    expect(rows.map((row) => row.type)).toEqual([
      'forecourt.approval.requested.v1',
      'forecourt.approval.decided.v1',
    ]);
    expect(won?.value).toMatchObject({ version: 2, decided_at: NOW });
  });

  test('is open for 24 hours', async () => {
    const row = await asked();
    expect(row.expires_at).toBe('2026-11-22T12:00:00.000Z');
    const late = decideApproval(t.db, approver(), row.id, 'approved', row.expires_at);
    await expect(late).rejects.toMatchObject({ code: 'approval-expired' });
  });

  test('asked for twice with the same id is one', async () => {
    const row = await asked();
    const again = { ...row, subjectType: 'rental', subjectId: 'x', branchId: null, kind: 'refund' };
    const { id, amount, reason, payee } = again;
    const request = { id, amount, reason, payee, kind: 'refund', branchId: null } as const;
    const repeated = { ...request, subjectType: 'rental', subjectId: 'x' };
    expect(await requestApproval(t.db, ASKER, repeated, NOW)).toEqual(row);
  });

  test.each(['amount = 1', `kind = 'write-off'`, `subject_id = 'x'`, `payee = 'staff:x'`])(
    'stays as it was asked for: %s',
    async (change) => {
      const { id } = await asked();
      const attempt = transact(t.db, 'people_rw', ASKER, (tx) =>
        sql`update people.approval set ${sql.raw(change)} where id = ${id}`.execute(tx),
      );
      await expect(attempt).rejects.toMatchObject({ code: '42501' });
    },
  );

  test.each([
    [`decided_by = requested_by`, 'approval_four_eyes'],
    [`decided_by = payee`, 'approval_not_for_the_payee'],
    [`decided_by = 'staff:x', decided_at = expires_at`, 'approval_within_its_time'],
  ])('is held to its rules by the database too: %s', async (change, constraint) => {
    const { id } = await asked({ payee: 'customer:x' });
    const attempt = sql`update people.approval set decided_at = requested_at, status = 'approved',
      ${sql.raw(change)} where id = ${id}`;
    const first = change.includes('decided_at')
      ? sql`update people.approval
      set status = 'approved', ${sql.raw(change)} where id = ${id}`
      : attempt;
    await expect(first.execute(t.owner)).rejects.toMatchObject({ code: '23514', constraint });
  });
});

describe('a limit', () => {
  function take(staffId: string, amount: number, over: { kind?: LimitKind; on?: string } = {}) {
    const principal = `staff:${staffId}`;
    return transact(t.db, 'people_rw', principal, (tx) =>
      takeFromLimit(tx, {
        staffId,
        kind: over.kind ?? 'refund',
        subjectId: over.on ?? uuidv7(),
        day: '2026-11-21',
        amount,
        limits: DEMO_LIMITS['counter-agent'],
      }),
    );
  }

  test('is not passed by splitting an amount over rentals or over the days of one', async () => {
    const { id } = await hire(t.db);
    const rental = uuidv7();
    await take(id, 3_000, { on: rental });
    await expect(take(id, 2_001)).rejects.toMatchObject({
      code: 'limit-exceeded',
      details: { kind: 'refund', limit: 5_000, used: 3_000 },
    });
    await take(id, 2_000);
    await sql`update people.limit_use set day = '2026-11-20'`.execute(t.owner);
    await expect(take(id, 2_001, { on: rental })).rejects.toMatchObject({ code: 'limit-exceeded' });
    await take(id, 5_000);
  });

  test('is each person’s own, and each kind’s', async () => {
    const [one, other] = [await hire(t.db), await hire(t.db)];
    await take(one.id, 5_000);
    await take(other.id, 5_000);
    await take(one.id, 2_500, { kind: 'fee-waiver' });
    await take(one.id, 500, { kind: 'discount-bp' });
    await take(one.id, 500, { kind: 'discount-bp' });
  });

  test('is not passed by asking many times at once', async () => {
    const { id } = await hire(t.db);
    const takes = await Promise.allSettled(Array.from({ length: 20 }, () => take(id, 1_000)));
    expect(takes.filter((each) => each.status === 'fulfilled').length).toBe(5);
  });
});
