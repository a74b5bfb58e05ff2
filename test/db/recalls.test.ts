// Recalls in the database: every vehicle that a notice means is held, by law and until its repair.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRecallActivities } from '../../activities/recalls.ts';
import { transact } from '../../db/client.ts';
import { liftHold } from '../../db/commands/hold-decisions.ts';
import { amendRecall } from '../../db/commands/recall-changes.ts';
import { groundRecall, holdForRecalls } from '../../db/commands/recalls.ts';
import { registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { holdOfRecalled, recallById, recalledVehicles } from '../../db/queries/recalls.ts';
import type { RecallChange } from '../../domain/recall.ts';
import { refusal } from '../support/accounting.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, CLASS, hoursFromNow } from '../support/fleet.ts';
import { blocked, MANAGER } from '../support/holds.ts';
import { fleet, notice, open } from '../support/recalls.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const VEHICLE = {
  plate: 'LATER-1',
  classId: CLASS,
  make: 'Other',
  model: 'Octavia',
  modelYear: 2026,
  odometerKm: 10,
};

async function told(recallId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${recallId} order by seq`.execute(t.owner);
  return rows.map(({ type }) => type.replace('forecourt.recall.', ''));
}

describe('a notice', () => {
  test('holds each vehicle once; it blocks from 24 hours after the notice on', async () => {
    const { make, vehicleIds } = await fleet(t, 3);
    const recallId = uuidv7();
    const given = notice(make);
    const state = await open(t, given, recallId);
    const deadlineAt = new Date(Date.parse(given.noticeReceivedAt) + 86_400_000).toISOString();
    expect(state).toEqual({
      recallId,
      status: 'noticed',
      vehicles: 3,
      deadlineAt,
      hardAt: deadlineAt,
    });
    expect(await open(t, given, recallId)).toEqual(state);
    expect(await told(recallId)).toEqual(['opened.v1']);
    const [vehicleId = ''] = vehicleIds;
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(22))).toBeNull();
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(24))).not.toBeNull();
    expect(await saleBarred(vehicleId)).toBe(true);
  });

  test('with an interim remedy it warns, and bars the sale', async () => {
    const { make, vehicleIds } = await fleet(t, 1);
    const state = await open(t, notice(make, { hasInterimRemedy: true }));
    expect(state.hardAt).toBeNull();
    const [vehicleId = ''] = vehicleIds;
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(999))).toBeNull();
    expect(await saleBarred(vehicleId)).toBe(true);
  });

  test('may block before the deadline, and not after it', async () => {
    const { make, vehicleIds } = await fleet(t, 1);
    const late = notice(make, { hardFrom: hoursFromNow(30) });
    expect(await refusal(open(t, late))).toBe('value-refused');
    await open(t, notice(make, { hardFrom: hoursFromNow(0) }));
    const [vehicleId = ''] = vehicleIds;
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(1))).not.toBeNull();
  });

  test('is entered once for each number of an authority', async () => {
    const { make } = await fleet(t, 1);
    const given = notice(make);
    await open(t, given);
    expect(await refusal(open(t, given))).toBe('duplicate');
  });

  test('means vehicles that are registered later, and holds those by the same deadline', async () => {
    const { make, branchId } = await fleet(t, 1);
    const recallId = uuidv7();
    const state = await open(t, notice(make), recallId);
    const vehicleId = uuidv7();
    await registerVehicle(t.db, AGENT, { ...VEHICLE, id: vehicleId, branchId, make });
    const other = uuidv7();
    await registerVehicle(t.db, AGENT, { ...VEHICLE, id: other, plate: 'LATER-2', branchId });
    expect(await recallById(t.db, AGENT, recallId)).toMatchObject({ vehicles: 2 });
    await updateVehicle(t.db, AGENT, other, 1, { make });
    expect(await recallById(t.db, AGENT, recallId)).toMatchObject({ vehicles: 3 });
    const { rows } = await sql<{ hard_from: string }>`select hard_from from vehicles.hold
      where vehicle_id = ${vehicleId}`.execute(t.owner);
    expect(rows).toEqual([{ hard_from: state.hardAt }]);
  });

  test('does not mean what the company has no more', async () => {
    const { make, branchId } = await fleet(t, 2);
    await sql`alter table vehicles.vehicle disable trigger user`.execute(t.owner);
    await sql`update vehicles.vehicle set status = 'sold' where id in (select id
      from vehicles.vehicle where branch_id = ${branchId} limit 1)`.execute(t.owner);
    await sql`alter table vehicles.vehicle enable trigger user`.execute(t.owner);
    expect((await open(t, notice(make))).vehicles).toBe(1);
  });
});

async function saleBarred(vehicleId: string): Promise<boolean> {
  return transact(t.db, 'api_read', AGENT, async (tx) => {
    const { rows } = await sql<{ id: string | null }>`select
      vehicles.sale_barring_hold(${vehicleId}) as id`.execute(tx);
    return typeof rows[0]?.id === 'string';
  });
}

describe('what becomes known later', () => {
  const amend = async (recallId: string, change: RecallChange, version = 1) =>
    attempt(amendRecall(t.db, AGENT, recallId, version, change));

  test('an earlier block moves the holds, not that of a repaired vehicle; a remedy is told', async () => {
    const { make, vehicleIds } = await fleet(t, 2);
    const [first = '', repaired = ''] = vehicleIds;
    const recallId = uuidv7();
    await open(t, notice(make), recallId);
    const holdId = await holdOfRecalled(t.db, AGENT, recallId, repaired);
    await liftHold(t.db, AGENT, holdId ?? '', { repairCode: 'RC-1', reason: 'done' }, MANAGER);
    const hardFrom = hoursFromNow(5);
    expect(await amend(recallId, { hardFrom })).toMatchObject({ hardAt: hardFrom, vehicles: 2 });
    expect(await blocked(t, first, hoursFromNow(0), hoursFromNow(6))).not.toBeNull();
    expect(await blocked(t, repaired, hoursFromNow(0), hoursFromNow(6))).toBeNull();
    expect(await amend(recallId, { remedy: 'A new inflator' })).toBe('version-conflict');
    await amend(recallId, { remedy: 'A new inflator' }, 2);
    const row = await recallById(t.db, AGENT, recallId);
    expect(row).toMatchObject({ remedy: 'A new inflator', hard_at: hardFrom, version: 3 });
    expect(await told(recallId)).toEqual(['opened.v1', 'amended.v1', 'amended.v1']);
  });

  test('the law of the US moves nothing; elsewhere the block follows its deadline', async () => {
    const recallId = uuidv7();
    await open(t, notice((await fleet(t, 1)).make), recallId);
    expect(await amend(recallId, { deadlineHours: 72 })).toBe('value-refused');
    expect(await amend(recallId, { hardFrom: hoursFromNow(24) })).toBe('value-refused');
    const elsewhere = uuidv7();
    const given = notice((await fleet(t, 1)).make, { jurisdiction: 'AT', deadlineHours: 48 });
    await open(t, given, elsewhere);
    const deadlineAt = new Date(Date.parse(given.noticeReceivedAt) + 72 * 3_600_000).toISOString();
    const later = { deadlineAt, hardAt: deadlineAt };
    expect(await amend(elsewhere, { deadlineHours: 72 })).toMatchObject(later);
    // Whoever wakes at the old deadline finds that it is not the time.
    expect(await groundRecall(t.db, AGENT, elsewhere)).toMatchObject({
      status: 'noticed',
      ...later,
    });
  });

  test('what has come is not moved, whatever a statement tries; its remedy may be told', async () => {
    const recallId = uuidv7();
    await open(t, notice((await fleet(t, 1)).make, { hardFrom: hoursFromNow(-0.5) }), recallId);
    await groundRecall(t.db, AGENT, recallId);
    expect(await amend(recallId, { hardFrom: hoursFromNow(2) }, 2)).toBe('invalid-state');
    const late = sql`update vehicles.recall set hard_at = deadline_at where id = ${recallId}`;
    await expect(late.execute(t.owner)).rejects.toMatchObject({
      constraint: 'recall_times_until_its_deadline',
    });
    expect(await amend(recallId, { remedy: 'A recipe' }, 2)).toMatchObject({ status: 'grounded' });
  });
});

test('a repaired vehicle is free, and is not held for the same recall again', async () => {
  const { make, vehicleIds } = await fleet(t, 1);
  const recallId = uuidv7();
  await open(t, notice(make, { hardFrom: hoursFromNow(0) }), recallId);
  const [vehicleId = ''] = vehicleIds;
  const holdId = (await holdOfRecalled(t.db, AGENT, recallId, vehicleId)) ?? '';
  const lift = { reason: 'fitted' };
  expect(await refusal(liftHold(t.db, AGENT, holdId, lift, MANAGER))).toBe('repair-code-required');
  await liftHold(t.db, AGENT, holdId, { ...lift, repairCode: 'RC-7' }, MANAGER);
  expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(99))).toBeNull();
  await transact(t.db, 'vehicles_rw', AGENT, async (tx) => {
    const all = tx.selectFrom('vehicles.vehicle').selectAll().where('id', '=', vehicleId);
    await holdForRecalls(tx, await all.execute());
  });
  const progress = await recallById(t.db, AGENT, recallId);
  expect(progress).toMatchObject({ vehicles: 1, repaired: 1, on_rent: 0 });
  const { rows } = await recalledVehicles(t.db, AGENT, recallId, { limit: 9, repaired: true });
  expect(rows).toMatchObject([{ vehicle_id: vehicleId, repair_code: 'RC-7', rental_id: null }]);
});

test('the deadline is told once', async () => {
  const { make } = await fleet(t, 1);
  const recallId = uuidv7();
  await open(t, notice(make, { hardFrom: hoursFromNow(-0.5) }), recallId);
  for (let n = 0; n < 2; n += 1) {
    expect(await groundRecall(t.db, AGENT, recallId)).toMatchObject({ status: 'grounded' });
  }
  expect(await told(recallId)).toEqual(['opened.v1', 'grounded.v1']);
});

test('bookings go to a vehicle that is not recalled', async () => {
  const { make, branchId, vehicleIds } = await fleet(t, 2);
  const [first = ''] = vehicleIds;
  const booked = await book(t.db, { branchId, from: hoursFromNow(48), to: hoursFromNow(72) });
  await sql`update vehicles.vehicle set make = 'Spared' where branch_id = ${branchId}
    and id <> ${booked.vehicleId}`.execute(t.owner);
  const recallId = uuidv7();
  await open(t, notice(make), recallId);
  const { clearRecalled } = createRecallActivities({ db: t.db });
  expect(await clearRecalled({ recallId })).toMatchObject([{ rentalId: booked.rentalId }]);
  const { rows } = await sql<{ vehicle_id: string }>`select vehicle_id from vehicles.span
    where ref = ${booked.rentalId}`.execute(t.owner);
  const spared = vehicleIds.find((id) => id !== booked.vehicleId) ?? first;
  expect(rows).toEqual([{ vehicle_id: spared }]);
});
