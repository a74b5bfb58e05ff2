// Demands without a vehicle: as many as the limit says, served first, and proved by SQL alone.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { promotePool } from '../../db/commands/calendar.ts';
import { setHold } from '../../db/commands/holds.ts';
import { changeOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import type { DB } from '../../db/schema.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  book,
  CLASS,
  hour,
  overlaps,
  plantFleet,
  plantVehicles,
  spanOf,
} from '../support/fleet.ts';
import { attemptRaw, someoneWaits } from '../support/waiting.ts';
import { pools, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { giveBack, handOut, release } = yard(() => t);

const { ask, fullPool, limit } = pools(() => t);
const full = 'vehicle-unavailable';

describe('how many may wait', () => {
  test.each([
    [10, { percent: 10 }, 1],
    [9, { percent: 10 }, 0],
    [3, { absolute: 2 }, 2],
    [3, { absolute: 0 }, 0],
  ])('of a pool with %i vehicles and a limit of %o: %i', async (vehicles, measure, most) => {
    const { branchId } = await fullPool(vehicles, measure);
    for (let n = 0; n < most; n += 1) {
      expect(await ask(branchId, 0, 10)).toMatchObject({ vehicleId: null });
    }
    expect(await attempt(ask(branchId, 0, 10))).toBe(full);
  });

  test('none without a limit', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    expect(await attempt(ask(branchId, 0, 10))).toBe(full);
  });

  test('counted at each instant: two that never meet are one', async () => {
    const { branchId } = await fullPool(1, { absolute: 1 });
    await book(t.db, { branchId, from: hour(11), to: hour(20) });
    await ask(branchId, 0, 9);
    await ask(branchId, 12, 19);
    expect(await attempt(ask(branchId, 8, 13))).toBe(full);
  });

  test('the least of the local dates that the booking touches', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rows } = await sql<{ day: string }>`select
      (${hour(0)}::timestamptz at time zone 'Europe/Vienna')::date as day`.execute(t.owner);
    const day = rows[0]?.day ?? '';
    await book(t.db, { branchId, from: hour(-1), to: hour(100) });
    await limit(branchId, { absolute: 1 }, { fromDate: day, toDate: day });
    expect(await attempt(ask(branchId, 0, 26))).toBe(full);
    const { rows: rest } = await sql<{ hours: number }>`select (extract(epoch from
      ((${day}::date + 1)::timestamp at time zone 'Europe/Vienna')
        - ${hour(0)}::timestamptz) / 3600)::float8 as hours`.execute(t.owner);
    // Up to local midnight, turnaround included, and a second further.
    const midnight = rest[0]?.hours ?? 0;
    expect(await attempt(ask(branchId, 0, midnight - 0.5 + 1 / 3600))).toBe(full);
    await ask(branchId, 0, midnight - 0.5);
  });

  test('held, blocked and withdrawn vehicles do not count', async () => {
    const { branchId, vehicleIds } = await fullPool(10, { percent: 10 });
    await transact(t.db, 'vehicles_rw', AGENT, (tx) =>
      setHold(tx, {
        source: 'manual',
        sourceRef: uuidv7(),
        vehicleId: vehicleIds[0] ?? '',
        hold: { type: 'damage', severity: 'hard', reason: 'dent' },
      }),
    );
    expect(await attempt(ask(branchId, 0, 10))).toBe(full);
  });

  test('a manager lets one more wait, and not two', async () => {
    const { branchId } = await fullPool(1, { absolute: 0 });
    const extra = await ask(branchId, 0, 10, 1);
    expect(await spanOf(t.owner, extra.rentalId)).toMatchObject({ reason: 'override' });
    expect(await attempt(ask(branchId, 0, 10, 1))).toBe(full);
  });
});

describe('who waits is served in the transaction that frees a vehicle', () => {
  const waitingAt = async (vehicles = 1) => {
    const pool = await fullPool(vehicles, { absolute: 1 });
    return { ...pool, waiter: await ask(pool.branchId, 0, 10) };
  };
  const served = async (rentalId: string) => (await spanOf(t.owner, rentalId)).grip;

  test('by a cancellation', async () => {
    const { booked, waiter } = await waitingAt(10);
    const { moved } = await release(booked[4]?.rentalId ?? '');
    expect(moved).toMatchObject([{ rentalId: waiter.rentalId, vehicleId: booked[4]?.vehicleId }]);
    expect(await served(waiter.rentalId)).toBe('tentative');
  });

  test('by an early return', async () => {
    const { branchId, booked } = await fullPool(1, { absolute: 1 });
    const later = await ask(branchId, 5, 9);
    await handOut(booked[0]?.rentalId ?? '', hour(0));
    await giveBack(booked[0]?.rentalId ?? '', hour(4));
    expect(await served(later.rentalId)).toBe('tentative');
  });

  test('by a vehicle that is new there', async () => {
    const { branchId, waiter } = await waitingAt();
    await plantVehicles(t.db, branchId, 1);
    const moved = await transact(t.db, 'vehicles_rw', AGENT, (tx) =>
      promotePool(tx, branchId, CLASS),
    );
    expect([...moved.map((m) => m.rentalId), await served(waiter.rentalId)]).toContain('tentative');
  });

  test('and until then has no keys to be handed', async () => {
    const { booked, waiter } = await waitingAt();
    await expect(handOut(waiter.rentalId, hour(0))).rejects.toMatchObject({ code: 'no-vehicle' });
    const named = booked[0]?.vehicleId;
    await expect(handOut(waiter.rentalId, hour(0), named)).rejects.toMatchObject({
      code: 'no-vehicle',
    });
  });

  test('gives its place in the queue free again', async () => {
    const { branchId, waiter } = await waitingAt();
    await release(waiter.rentalId);
    expect(await ask(branchId, 0, 10)).toMatchObject({ vehicleId: null });
  });
});

describe('a limit that was lowered', () => {
  test('cancels nothing, lists what is beyond it, and lets all else go on', async () => {
    const { branchId, booked } = await fullPool(2, { absolute: 0 });
    const { rows } = await sql<{ id: string }>`select id from vehicles.overbooking_limit
      where branch_id = ${branchId}`.execute(t.owner);
    const id = rows[0]?.id ?? '';
    await changeOverbookingLimit(t.db, AGENT, id, 1, { percent: null, absolute: 2 });
    const waiting = [await ask(branchId, 0, 10), await ask(branchId, 5, 10)];
    const { excess } = await changeOverbookingLimit(t.db, AGENT, id, 2, {
      percent: null,
      absolute: 1,
    });
    expect(excess.map((one) => one.rentalId)).toEqual(waiting.map((one) => one.rentalId));
    expect(excess[0]).toMatchObject({ waiting: 2, most: 1 });
    expect(await attempt(ask(branchId, 0, 4))).toBe(full);
    await release(booked[0]?.rentalId ?? '');
    expect(await spanOf(t.owner, waiting[0]?.rentalId ?? '')).toMatchObject({ grip: 'tentative' });
  });

  test('is one for each date', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 0 });
    await limit(branchId, { absolute: 1 }, { toDate: '2027-05-31' });
    await limit(branchId, { percent: 5 }, { fromDate: '2027-06-01' });
    const twice = limit(branchId, { absolute: 2 }, { fromDate: '2027-05-31' });
    await expect(twice).rejects.toMatchObject({ code: 'duplicate' });
  });
});

describe('SQL alone', () => {
  function waiter(db: Kysely<DB>, branchId: string) {
    return sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, grip)
      values ('rental', ${uuidv7()}, ${CLASS}, ${branchId}, ${branchId},
        tstzrange(${hour(0)}, ${hour(10)}), 30, 'unassigned')`.execute(db);
  }

  test('refuses a demand beyond the limit when its transaction ends', async () => {
    const { branchId } = await fullPool(1, { absolute: 1 });
    await waiter(t.owner, branchId);
    const open = t.owner.transaction().execute(async (tx) => {
      await waiter(tx, branchId); // not before the end
      return 'inserted';
    });
    await expect(open).rejects.toMatchObject({
      code: '23514',
      constraint: 'span_overbooking_limit',
    });
  });

  test('also of two that do not see each other', async () => {
    const { branchId } = await fullPool(1, { absolute: 1 });
    const open = await t.owner.transaction().execute(async (tx) => {
      await waiter(tx, branchId);
      await sql`set constraints all immediate`.execute(tx); // it has been looked at, and goes on
      const other = attemptRaw(waiter(t.owner, branchId));
      await Promise.race([other, someoneWaits(t.owner)]);
      return { other };
    });
    expect(await open.other).toBe('span_overbooking_limit');
  });

  test('also of one that comes to wait for longer', async () => {
    const { branchId } = await fullPool(1, { absolute: 1 });
    await book(t.db, { branchId, from: hour(10.5), to: hour(20) });
    await ask(branchId, 12, 20);
    const short = await ask(branchId, 0, 9);
    const longer = sql`update vehicles.span set during = tstzrange(lower(during), ${hour(14)})
      where ref = ${short.rentalId}`;
    await expect(longer.execute(t.owner)).rejects.toMatchObject({
      constraint: 'span_overbooking_limit',
    });
  });
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});
