// Spans that move: rolled past a missed return, handed out, given back, promoted.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { handOutSpan, returnSpan } from '../../db/commands/calendar.ts';
import type { DomainError } from '../../domain/errors.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  book,
  calendar,
  hour,
  hoursFromNow,
  overlaps,
  plantFleet,
  spanOf,
} from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, giveBack, handOut, outAndNext, release, roll, waiting } = yard(() => t);

describe('a vehicle that did not come back', () => {
  test('keeps its calendar ahead of now; who is in the way gets another vehicle', async () => {
    const { a, b } = await outAndNext(2);
    const { moved } = await roll(a.rentalId, hour(13));
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ grip: 'out', until: hour(13.5) });
    const next = await spanOf(t.owner, b.rentalId);
    expect(next).toMatchObject({ grip: 'tentative', reason: null });
    expect(next.vehicleId).not.toBe(a.vehicleId);
    expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: next.vehicleId }]);
  });

  test('without another vehicle, the next rental waits beyond the limit, marked', async () => {
    const { a, b } = await outAndNext(1);
    const { moved } = await roll(a.rentalId, hour(13));
    const next = await spanOf(t.owner, b.rentalId);
    expect(next).toMatchObject({ grip: 'unassigned', vehicleId: null, reason: 'overdue' });
    expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: null }]);
    const { rows } = await sql`select reason from people.audit_entry
      where action = 'rental.displace' and subject_id = ${b.rentalId}`.execute(t.owner);
    expect(rows).toMatchObject([{ reason: 'overdue' }]);
  });

  test('moves a firm booking too, and stops where work begins that nobody can move', async () => {
    const { a, b } = await outAndNext(2);
    await sql`update vehicles.span set grip = 'firm' where ref = ${b.rentalId}`.execute(t.owner);
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      select 'maintenance', uuidv7(), class_id, branch_out, branch_out,
        tstzrange(${hour(21)}, ${hour(25)}), 0, vehicle_id, 'firm'
      from vehicles.span where ref = ${a.rentalId}`.execute(t.owner);
    await roll(a.rentalId, hour(30));
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ until: hour(21) });
    const moved = await spanOf(t.owner, b.rentalId);
    expect(moved).toMatchObject({ grip: 'tentative' });
    expect(moved.vehicleId).not.toBe(a.vehicleId);
  });

  test('never ends earlier for being rolled', async () => {
    const { a } = await outAndNext(1);
    await roll(a.rentalId, hour(5));
    expect((await spanOf(t.owner, a.rentalId)).until).toBe(hour(10.5));
  });

  test('who lost the vehicle cannot be handed one that is not there', async () => {
    const { b } = await waiting();
    await expect(handOut(b.rentalId, hour(12))).rejects.toMatchObject({ code: 'no-vehicle' });
  });

  test('tells the moved rental each time, by events of its span in gapless sequence', async () => {
    const { a, b } = await waiting();
    await extend(a.rentalId, hour(13));
    await giveBack(a.rentalId, hour(11));
    const { rows } = await sql<{ seq: number; vehicleId: string | null }>`select seq,
      event::jsonb#>>'{data,vehicleId}' as "vehicleId" from events.outbox
      where type = 'forecourt.vehicle.span-reassigned.v1'
        and event::jsonb#>>'{data,rentalId}' = ${b.rentalId} order by id`.execute(t.owner);
    expect(rows).toEqual([
      { seq: 1, vehicleId: null },
      { seq: 2, vehicleId: a.vehicleId },
    ]);
  });
});

describe('waiting demands are served in the transaction that frees a vehicle', () => {
  test('by the return', async () => {
    const { a, b } = await waiting();
    const { moved } = await giveBack(a.rentalId, hour(11));
    expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: a.vehicleId }]);
    const next = await spanOf(t.owner, b.rentalId);
    expect(next).toMatchObject({ grip: 'tentative', vehicleId: a.vehicleId, reason: null });
  });

  test('by a release', async () => {
    const { branchId, a } = await outAndNext(2);
    const c = await book(t.db, { branchId, from: hour(11), to: hour(20) });
    const { moved } = await roll(a.rentalId, hour(13));
    expect(moved).toMatchObject([{ vehicleId: null }]);
    const [waiter] = moved;
    const served = await release(c.rentalId);
    expect(served.moved).toMatchObject([{ rentalId: waiter?.rentalId, vehicleId: c.vehicleId }]);
  });

  test('the earliest pick-up first, whoever booked first', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const a = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const z = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    expect([a.vehicleId, z.vehicleId].sort()).toEqual([...vehicleIds].sort());
    await handOut(a.rentalId, hour(0));
    await handOut(z.rentalId, hour(0));
    const later = await book(t.db, { branchId, from: hour(12), to: hour(20) });
    const sooner = await book(t.db, { branchId, from: hour(11), to: hour(20) });
    await roll(a.rentalId, hour(13));
    await roll(z.rentalId, hour(13));
    const { moved } = await giveBack(a.rentalId, hour(10.5));
    expect(moved).toMatchObject([{ rentalId: sooner.rentalId }]);
    expect(await spanOf(t.owner, later.rentalId)).toMatchObject({ vehicleId: null });
  });
});

describe('hand-out', () => {
  test('of a vehicle that is still out is refused; the one that the refusal names goes', async () => {
    const { a, b } = await outAndNext(2);
    const refused = await handOut(b.rentalId, hour(12)).catch((error: DomainError) => error);
    expect(refused).toMatchObject({ code: 'no-vehicle' });
    const { replacementId } = (refused as DomainError).details;
    expect(replacementId).not.toBe(a.vehicleId);
    await handOut(b.rentalId, hour(12), String(replacementId));
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({
      grip: 'out',
      vehicleId: replacementId,
    });
  });

  test('of a vehicle of another class or branch is refused', async () => {
    const { b } = await outAndNext(1);
    const elsewhere = (await plantFleet(t.db, { vehicles: 1 })).vehicleIds[0];
    await expect(handOut(b.rentalId, hour(12), elsewhere)).rejects.toMatchObject({
      code: 'no-vehicle',
    });
  });

  test('may cut the turnaround of the vehicle that just came back', async () => {
    const { a, b } = await outAndNext(1);
    await giveBack(a.rentalId, hour(11.75));
    await handOut(b.rentalId, hour(12));
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ until: hour(12) });
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({ grip: 'out', from: hour(12) });
  });

  test('refuses when every vehicle of the class is still out', async () => {
    const { a, b } = await outAndNext(1);
    await expect(handOut(b.rentalId, hour(12))).rejects.toMatchObject({ code: 'no-vehicle' });
    const kept = await spanOf(t.owner, b.rentalId);
    expect(kept).toMatchObject({ grip: 'tentative', vehicleId: a.vehicleId });
  });

  test('before the booked time begins the span earlier', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId } = await book(t.db, { branchId, from: hour(5), to: hour(10) });
    await handOut(rentalId, hour(4));
    expect(await spanOf(t.owner, rentalId)).toMatchObject({ grip: 'out', from: hour(4) });
  });

  test('before the booked time takes nobody else’s vehicle: the counter names another', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const a = await book(t.db, { branchId, from: hour(0), to: hour(4.5) });
    const b = await book(t.db, { branchId, from: hour(5), to: hour(10) });
    expect(b.vehicleId).toBe(a.vehicleId);
    await expect(handOut(b.rentalId, hour(3))).rejects.toMatchObject({ code: 'no-vehicle' });
    const other = vehicleIds.find((id) => id !== a.vehicleId);
    expect(await handOut(b.rentalId, hour(3), other)).toMatchObject({ vehicleId: other });
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ vehicleId: a.vehicleId });
  });

  test('refuses an odometer that reads less than before and changes nothing', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId } = await book(t.db, { branchId, from: hour(5), to: hour(10) });
    const less = { odometerKm: 999, fuelEighths: 8 };
    await expect(
      calendar(t.db, (tx) => handOutSpan(tx, rentalId, hour(5), less)),
    ).rejects.toMatchObject({ code: 'odometer-rollback', details: { lastKm: 1_000 } });
    expect(await spanOf(t.owner, rentalId)).toMatchObject({ grip: 'tentative' });
  });
});

describe('return', () => {
  test('early cuts the span to the return and a turnaround', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    const a = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    await handOut(a.rentalId, hour(0));
    await giveBack(a.rentalId, hour(4));
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ grip: 'firm', until: hour(4.5) });
    await book(t.db, { branchId, from: hour(4.5), to: hour(10) });
  });

  test('late leaves the next rental its time, with less turnaround', async () => {
    const { a, b } = await outAndNext(1);
    await giveBack(a.rentalId, hour(11.75));
    expect((await spanOf(t.owner, a.rentalId)).until).toBe(hour(12));
    await handOut(b.rentalId, hour(12));
  });

  test('brings the reading to the vehicle', async () => {
    const { a } = await outAndNext(1);
    await calendar(t.db, (tx) =>
      returnSpan(tx, a.rentalId, hour(9), { odometerKm: 2_345, fuelEighths: 3 }),
    );
    const { rows } = await sql`select odometer_km, fuel_eighths from vehicles.vehicle
      where id = ${a.vehicleId}`.execute(t.owner);
    expect(rows).toEqual([{ odometer_km: 2_345, fuel_eighths: 3 }]);
  });
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});

describe('a demand that waits past its own pick-up time', () => {
  test('gets the vehicle that comes back, after its turnaround', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    const a = await book(t.db, { branchId, from: hoursFromNow(-5), to: hoursFromNow(-2) });
    const b = await book(t.db, { branchId, from: hoursFromNow(-1), to: hoursFromNow(20) });
    await handOut(a.rentalId, hoursFromNow(-5));
    await roll(a.rentalId, hoursFromNow(1));
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({ vehicleId: null });
    const { moved } = await giveBack(a.rentalId, hoursFromNow(0));
    expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: a.vehicleId }]);
    await handOut(b.rentalId, hoursFromNow(0.01));
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({ grip: 'out' });
  });
});
