// Who ends a hold, and what no statement can do to one.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Acting, transact } from '../../db/client.ts';
import { changeHold, liftHold } from '../../db/commands/hold-decisions.ts';
import { liftHoldOfSource, setHold } from '../../db/commands/holds.ts';
import { listHolds } from '../../db/queries/holds.ts';
import { refusal } from '../support/accounting.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import {
  approval,
  aVehicle,
  blocked,
  held,
  LOOKED_AT,
  MANAGER,
  type Over,
  told,
} from '../support/holds.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

describe('who ends a hold', () => {
  test('a soft one is ended by one person, once, and told', async () => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, { severity: 'soft' });
    const lifted = await liftHold(t.db, AGENT, row.id, LOOKED_AT, MANAGER);
    expect(lifted).toMatchObject({ lifted_by: AGENT, lifted_via: 'person', version: 2 });
    expect(await liftHold(t.db, AGENT, row.id, LOOKED_AT, MANAGER)).toEqual(lifted);
    const other = liftHold(t.db, 'staff:other', row.id, LOOKED_AT, MANAGER);
    expect(await refusal(other)).toBe('invalid-state');
    expect(await told(t, row.id)).toEqual([
      'forecourt.hold.applied.v1',
      'forecourt.hold.lifted.v1',
    ]);
  });

  test.each([
    ['none', async () => uuidv7()],
    ['one for another hold', async () => approval(t, uuidv7())],
    ['an undecided one', async (id: string) => approval(t, id, { status: 'open' })],
    ['one of another branch', async (id: string) => approval(t, id, { branchId: 'FAR' })],
  ])('a hard one is not ended with %s', async (_, approvalFor) => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId);
    const lift = { ...LOOKED_AT, approvalId: await approvalFor(row.id) };
    expect(await refusal(liftHold(t.db, AGENT, row.id, lift, MANAGER))).toBe('four-eyes');
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(1))).toBe(row.id);
  });

  test('an approval is used up with its hold', async () => {
    const { branchId, vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId);
    const approvalId = await approval(t, row.id, { branchId });
    await liftHold(t.db, AGENT, row.id, { ...LOOKED_AT, approvalId }, MANAGER);
    const again = await transact(t.db, 'vehicles_rw', AGENT, async (tx) => {
      const { rows } = await sql<{ used: boolean }>`select
        people.use_approval(${approvalId}, 'hold-release', ${row.id}) as used`.execute(tx);
      return rows[0]?.used;
    });
    expect(again).toBe(false);
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(1))).toBeNull();
  });

  test('a recall is ended by the code of its repair alone', async () => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, { type: 'recall' });
    const lift = { ...LOOKED_AT, approvalId: await approval(t, row.id) };
    expect(await refusal(liftHold(t.db, AGENT, row.id, lift, MANAGER))).toBe(
      'repair-code-required',
    );
    const repaired = { ...lift, repairCode: 'RC-1' };
    const lifted = await liftHold(t.db, AGENT, row.id, repaired, MANAGER);
    expect(lifted).toMatchObject({ repair_code: 'RC-1', lifted_via: 'repair', approval_id: null });
  });
});

describe('what sets a hold also changes and lifts it', () => {
  const document = { source: 'document', sourceRef: uuidv7() } as const;
  const expiry = { type: 'registration', severity: 'hard', reason: 'expires' } as const;

  function set(vehicleId: string, from: string) {
    const given = { ...document, vehicleId, hold: { ...expiry, from } };
    return transact(t.db, 'maintenance_rw', 'system:test', (tx) => setHold(tx, given));
  }

  test('once for each reference; lifted, it makes room for the next', async () => {
    const { vehicleId } = await aVehicle(t);
    const [soon, later] = [hoursFromNow(24), hoursFromNow(48)];
    const first = await set(vehicleId, soon);
    expect(first).toMatchObject({ version: 1, changed: true });
    expect(await set(vehicleId, soon)).toMatchObject({ holdId: first.holdId, changed: false });
    expect(await set(vehicleId, later)).toMatchObject({ holdId: first.holdId, version: 2 });
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(47))).toBeNull();
    const lifted = await transact(t.db, 'vehicles_rw', 'system:test', (tx) =>
      liftHoldOfSource(tx, { ...document, reason: 'replaced' }),
    );
    expect(lifted).toMatchObject({ holdId: first.holdId, version: 3 });
    expect(await told(t, first.holdId)).toEqual([
      'forecourt.hold.applied.v1',
      'forecourt.hold.changed.v1',
      'forecourt.hold.lifted.v1',
    ]);
    const next = await set(vehicleId, soon);
    expect(next.holdId).not.toBe(first.holdId);
    const { rows } = await listHolds(t.db, AGENT, { vehicleId, open: true, limit: 10 });
    expect(rows.map(({ id }) => id)).toEqual([next.holdId]);
  });

  test('an unknown vehicle is refused, and an unknown reference is nothing', async () => {
    expect(await refusal(set(uuidv7(), hoursFromNow(1)))).toBe('not-found');
    const nothing = await transact(t.db, 'vehicles_rw', 'system:test', (tx) =>
      liftHoldOfSource(tx, { source: 'document', sourceRef: uuidv7(), reason: 'gone' }),
    );
    expect(nothing).toBeNull();
  });
});

describe('whatever a statement tries', () => {
  async function attempt(vehicleHold: Over, change: string): Promise<string | undefined> {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, vehicleHold);
    const raw = sql`update vehicles.hold set ${sql.raw(change)} where id = ${row.id}`;
    const work = transact(t.db, 'vehicles_rw', AGENT, (tx) => raw.execute(tx));
    return work.then(
      () => undefined,
      (error: { readonly constraint?: string }) => error.constraint,
    );
  }
  const LIFT = `lifted_at = now(), lifted_by = 'x', lift_reason = 'x'`;

  test.each<[string, Over, string]>([
    [
      'hold_recall_needs_repair',
      { type: 'recall' },
      `${LIFT}, lifted_via = 'approval',
      approval_id = uuidv7()`,
    ],
    ['hold_hard_needs_two', {}, `${LIFT}, lifted_via = 'person'`],
    ['hold_release_is_approved', {}, `${LIFT}, lifted_via = 'approval'`],
    ['hold_lifted_by_its_kind', {}, `${LIFT}, lifted_via = 'source'`],
    ['hold_repair_is_no_release', {}, `${LIFT}, lifted_via = 'repair', repair_code = 'R'`],
    ['hold_lifted_whole', {}, 'lifted_at = now()'],
    ['hold_not_weakened', {}, `severity = 'soft', hard_from = null`],
    ['hold_not_weakened', {}, `until_at = now() + interval '1 hour'`],
    ['hold_not_weakened', {}, `hard_from = now() + interval '1 hour'`],
    ['hold_not_weakened', {}, 'from_km = 100000'],
    ['hold_keeps_its_source', {}, `type = 'maintenance'`],
    ['hold_recall_has_no_end', { type: 'recall', severity: 'soft' }, 'from_km = 1'],
  ])('%s', async (constraint, over, change) => {
    expect(await attempt(over, change)).toBe(constraint);
  });

  test('a lifted hold stays as it is', async () => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, { severity: 'soft' });
    await liftHold(t.db, AGENT, row.id, LOOKED_AT, MANAGER);
    const raw = sql`update vehicles.hold set reason = 'other' where id = ${row.id}`;
    await expect(
      transact(t.db, 'vehicles_rw', AGENT, (tx) => raw.execute(tx)),
    ).rejects.toMatchObject({ constraint: 'hold_lifted_is_final' });
  });

  test('a changed one needs the newest version', async () => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, { severity: 'soft' });
    const change = { reason: 'better known' };
    expect(await changeHold(t.db, AGENT, row.id, 1, change)).toMatchObject({ version: 2 });
    expect(await refusal(changeHold(t.db, AGENT, row.id, 1, change))).toBe('version-conflict');
  });
});

test('a hold is seen by who sees its vehicle', async () => {
  const [here, there] = [await aVehicle(t), await aVehicle(t)];
  const { row } = await held(t, here.vehicleId);
  const at = (branchId: string): Acting => ({ principal: AGENT, scope: `branches:${branchId}` });
  const seen = async (branchId: string) => {
    const { rows } = await listHolds(t.db, at(branchId), { limit: 50 });
    return rows.map(({ id }) => id);
  };
  expect(await seen(here.branchId)).toEqual([row.id]);
  expect(await seen(there.branchId)).toEqual([]);
  const lift = liftHold(t.db, at(there.branchId), row.id, LOOKED_AT, MANAGER);
  expect(await refusal(lift)).toBe('not-found');
});
