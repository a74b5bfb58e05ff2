// Rentals that end elsewhere: a vehicle is booked where it will be, and starts where it was left.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { releaseSpan, returnSpan } from '../../db/commands/calendar.ts';
import { availability } from '../../db/queries/vehicles.ts';
import type { DB } from '../../db/schema.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  attempt,
  CLASS,
  calendar,
  hour,
  overlaps,
  plantVehicles,
  READING,
  spanOf,
} from '../support/fleet.ts';
import { attemptRaw, someoneWaits } from '../support/waiting.ts';
import { journeys, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, giveBack, handOut, release, roll } = yard(() => t);
const { twoBranches, drive, free, branchOf } = journeys(() => t);
const full = 'vehicle-unavailable';

describe('a booking to another branch', () => {
  test('takes its vehicle away from there on, and lets it be booked where it arrives', async () => {
    const { a, b } = await twoBranches(1, 0);
    await drive(a, b, 0, 10);
    expect([await free(a, -9, -5), await free(a, 20, 30)]).toEqual([1, 0]);
    // The turnaround is that of the branch where it comes back.
    expect([await free(b, 10.9, 20), await free(b, 11, 20)]).toEqual([0, 1]);
    const back = await drive(b, a, 11, 20);
    expect(await free(a, 20.5, 30)).toBe(1);
    expect(await attempt(drive(a, a, 12, 14))).toBe(full);
    await drive(a, a, 20.5, 30);
    expect(await branchOf(back.vehicleId)).toBe(a);
  });

  test('never takes a vehicle that is promised where it stands', async () => {
    const { a, b } = await twoBranches(1, 0);
    await drive(a, a, 20, 30);
    expect(await attempt(drive(a, b, 0, 10))).toBe(full);
    await drive(a, b, 30.5, 40);
    // And there and back is all right before it, or between.
    expect(await attempt(drive(a, a, 0, 10))).not.toBe(full);
  });

  test('is offered as it would be booked: where the vehicle comes back, with its turnaround', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const offered = async (returnBranchId: string, to: number) => {
      const window = { branchId: a, returnBranchId, classId: CLASS, from: hour(0), to: hour(to) };
      return (await availability(t.db, window))?.[0]?.free;
    };
    // In the workshop from hour 20 on: half an hour of turnaround at a, an hour at b.
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('maintenance', ${uuidv7()}, ${CLASS}, ${a}, ${a},
        tstzrange(${hour(20)}, ${hour(22)}), 0, ${atA[0]}, 'firm')`.execute(t.owner);
    expect([await offered(a, 19.5), await offered(b, 19.5), await offered(b, 19)]).toEqual([
      1, 0, 1,
    ]);
    await drive(a, a, 22, 30);
    expect([await offered(a, 19), await offered(b, 19)]).toEqual([1, 0]);
    expect(
      await availability(t.db, { branchId: a, returnBranchId: 'NONE', from: hour(0), to: hour(1) }),
    ).toBeNull();
  });

  test('goes to another vehicle where the next booking is elsewhere', async () => {
    const { a, b } = await twoBranches(2, 0);
    const first = await drive(a, b, 0, 10);
    const second = await drive(a, a, 12, 20);
    expect(second.vehicleId).not.toBe(first.vehicleId);
    expect(await drive(b, a, 12, 20)).toMatchObject({ vehicleId: first.vehicleId });
  });

  test('and back at once fits between two others by place and by time', async () => {
    const { a, b } = await twoBranches(1, 0);
    await drive(a, b, 0, 10);
    await drive(b, a, 40, 50);
    expect(await attempt(drive(b, a, 15, 20))).toBe(full);
    expect(await attempt(drive(a, b, 15, 20))).toBe(full);
    await drive(b, b, 15, 20);
  });
});

describe('when plans change', () => {
  test('a first leg that is cancelled sends the second to another vehicle there', async () => {
    const { a, b, atB } = await twoBranches(1, 1);
    const there = await drive(a, b, 0, 10);
    const busy = await drive(b, b, 0, 12);
    const back = await drive(b, a, 12, 20);
    expect(back.vehicleId).toBe(there.vehicleId);
    await release(busy.rentalId);
    const { moved } = await release(there.rentalId);
    expect(moved).toMatchObject([{ rentalId: back.rentalId, vehicleId: atB[0] }]);
  });

  test('without one there it waits beyond the limit, marked, and a cancelling goes through', async () => {
    const { a, b } = await twoBranches(1, 0);
    const there = await drive(a, b, 0, 10);
    const back = await drive(b, a, 12, 20);
    const { moved } = await release(there.rentalId);
    expect(moved).toMatchObject([{ rentalId: back.rentalId, vehicleId: null }]);
    expect(await spanOf(t.owner, back.rentalId)).toMatchObject({ reason: 'elsewhere' });
  });

  test('an overdue vehicle that moves its follower moves the follower’s follower too', async () => {
    const { a, b, atA } = await twoBranches(2, 0);
    const late = await drive(a, a, 0, 10);
    await handOut(late.rentalId, hour(0));
    const there = await drive(a, b, 12, 20);
    const back = await drive(b, a, 22, 30);
    expect(new Set([late.vehicleId, there.vehicleId, back.vehicleId]).size).toBe(1);
    await roll(late.rentalId, hour(13));
    const other = atA.find((id) => id !== late.vehicleId);
    expect(await spanOf(t.owner, there.rentalId)).toMatchObject({ vehicleId: other });
    expect(await spanOf(t.owner, back.rentalId)).toMatchObject({ vehicleId: other });
  });

  test('an extension that would leave the next rental without a vehicle is refused', async () => {
    const { a, b } = await twoBranches(2, 0);
    const there = await drive(a, b, 0, 10);
    const back = await drive(b, a, 12, 20);
    await expect(extend(there.rentalId, hour(15))).rejects.toMatchObject({
      code: 'vehicle-unavailable',
    });
    expect(await spanOf(t.owner, back.rentalId)).toMatchObject({ vehicleId: there.vehicleId });
  });

  test('an extension that moves itself takes its journey along; the next finds another', async () => {
    const { a, b, atA } = await twoBranches(2, 0);
    const there = await drive(a, b, 0, 10);
    const back = await drive(b, a, 12, 20);
    const [third] = await plantVehicles(t.db, b, 1);
    await extend(there.rentalId, hour(15));
    const other = atA.find((id) => id !== back.vehicleId);
    expect(await spanOf(t.owner, there.rentalId)).toMatchObject({ vehicleId: other });
    expect(await spanOf(t.owner, back.rentalId)).toMatchObject({ vehicleId: third });
  });
});

describe('a return', () => {
  test('as booked brings the vehicle to the other branch', async () => {
    const { a, b } = await twoBranches(1, 0);
    const { rentalId, vehicleId } = await drive(a, b, 0, 10);
    await handOut(rentalId, hour(0));
    await giveBack(rentalId, hour(9));
    expect(await branchOf(vehicleId)).toBe(b);
    expect([await free(b, 10, 20), await free(a, 10, 20)]).toEqual([1, 0]);
  });

  test('elsewhere serves who waits there, and what was booked at the old place moves', async () => {
    const { a, b, atA } = await twoBranches(2, 0);
    const out = await drive(a, a, 0, 10);
    const next = await drive(a, a, 12, 20);
    expect(next.vehicleId).toBe(out.vehicleId);
    await handOut(out.rentalId, hour(0));
    const { moved } = await calendar(t.db, (tx) =>
      returnSpan(tx, out.rentalId, hour(9), { ...READING, branchId: b }),
    );
    const other = atA.find((id) => id !== out.vehicleId);
    expect(moved).toMatchObject([{ rentalId: next.rentalId, vehicleId: other }]);
    expect(await branchOf(out.vehicleId)).toBe(b);
    expect(await spanOf(t.owner, out.rentalId)).toMatchObject({ grip: 'firm', until: hour(10) });
    await drive(b, b, 10, 20);
  });

  test('elsewhere leaves nobody with a vehicle that is not there', async () => {
    const { a, b } = await twoBranches(1, 0);
    const out = await drive(a, a, 0, 10);
    const next = await drive(a, a, 12, 20);
    await handOut(out.rentalId, hour(0));
    const back = { ...READING, branchId: b };
    await calendar(t.db, (tx) => returnSpan(tx, out.rentalId, hour(9), back));
    expect(await spanOf(t.owner, next.rentalId)).toMatchObject({
      grip: 'unassigned',
      reason: 'elsewhere',
    });
    const nowhere = returnSpan;
    await expect(
      calendar(t.db, (tx) => nowhere(tx, next.rentalId, hour(9), { ...READING, branchId: 'XX' })),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('SQL alone', () => {
  function raw(
    vehicle: string,
    from: string,
    to: string,
    [start, end]: readonly [number, number],
    db: Kysely<DB> = t.owner,
  ) {
    return sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('rental', ${uuidv7()}, ${CLASS}, ${from}, ${to},
        tstzrange(${hour(start)}, ${hour(end)}), 30, ${vehicle}, 'tentative')`.execute(db);
  }
  const broken = { code: '23514', constraint: 'span_location_continuity' };

  test('refuses a start where the vehicle will not be', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const [vehicle = ''] = atA;
    await expect(raw(vehicle, b, b, [0, 10])).rejects.toMatchObject(broken);
    await raw(vehicle, a, b, [0, 10]);
    await expect(raw(vehicle, a, a, [20, 30])).rejects.toMatchObject(broken);
    await raw(vehicle, b, a, [20, 30]);
  });

  test('refuses to end where the next one does not start, and to take a leg away', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const [vehicle = ''] = atA;
    await raw(vehicle, a, a, [20, 30]);
    await expect(raw(vehicle, a, b, [0, 10])).rejects.toMatchObject(broken);
    const leg = await drive(a, b, 40, 50);
    await drive(b, b, 60, 70);
    const away = sql`update vehicles.span set grip = 'released' where ref = ${leg.rentalId}`;
    await expect(away.execute(t.owner)).rejects.toMatchObject(broken);
    await calendar(t.db, (tx) => releaseSpan(tx, leg.rentalId));
  });

  test('also of two that do not see each other', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const [vehicle = ''] = atA;
    const open = await t.owner.transaction().execute(async (tx) => {
      await raw(vehicle, a, b, [0, 10], tx);
      await sql`set constraints all immediate`.execute(tx); // it has been looked at, and goes on
      const other = attemptRaw(raw(vehicle, a, a, [20, 30]));
      await Promise.race([other, someoneWaits(t.owner)]);
      return { other };
    });
    expect(await open.other).toBe('span_location_continuity');
  });
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});
