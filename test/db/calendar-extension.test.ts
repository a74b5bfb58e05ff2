// A later due time: who keeps the vehicle, who moves to another, and what is refused.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { book, hour, overlaps, plantFleet, spanOf } from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, outAndNext, waiting } = yard(() => t);

describe('extension', () => {
  test('of a vehicle that is out moves the next rental to another vehicle', async () => {
    const { a, b } = await outAndNext(2);
    const { vehicleId, moved } = await extend(a.rentalId, hour(15));
    expect(vehicleId).toBe(a.vehicleId);
    expect(await spanOf(t.owner, a.rentalId)).toMatchObject({ until: hour(15.5), vehicleId });
    const next = await spanOf(t.owner, b.rentalId);
    expect(next).toMatchObject({ grip: 'tentative' });
    expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: next.vehicleId }]);
    expect(next.vehicleId).not.toBe(a.vehicleId);
  });

  test('of a vehicle that is out is refused when the next rental has nowhere to go', async () => {
    const { a, b } = await outAndNext(1);
    await expect(extend(a.rentalId, hour(15))).rejects.toMatchObject({
      code: 'vehicle-unavailable',
    });
    expect((await spanOf(t.owner, a.rentalId)).until).toBe(hour(10.5));
    const kept = await spanOf(t.owner, b.rentalId);
    expect(kept).toMatchObject({ grip: 'tentative', vehicleId: a.vehicleId });
  });

  test('of a reservation moves itself and leaves the others where they are', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const a = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const b = await book(t.db, { branchId, from: hour(12), to: hour(20) });
    expect(b.vehicleId).toBe(a.vehicleId);
    const { vehicleId } = await extend(a.rentalId, hour(15));
    expect(vehicleId).not.toBe(a.vehicleId);
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({ vehicleId: b.vehicleId });
  });

  test('of a reservation is refused without another vehicle, and nothing changes', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const a = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    await book(t.db, { branchId, from: hour(12), to: hour(20) });
    const before = await spanOf(t.owner, a.rentalId);
    await expect(extend(a.rentalId, hour(15))).rejects.toMatchObject({
      code: 'vehicle-unavailable',
    });
    expect(await spanOf(t.owner, a.rentalId)).toEqual(before);
  });

  test('up to the next rental, to the minute, moves nobody', async () => {
    const { a, b } = await outAndNext(2);
    expect((await extend(a.rentalId, hour(11.5))).moved).toEqual([]);
    expect(await spanOf(t.owner, b.rentalId)).toMatchObject({ vehicleId: a.vehicleId });
  });

  test('does not move what is firm', async () => {
    const { a, b } = await outAndNext(2);
    await sql`update vehicles.span set grip = 'firm' where ref = ${b.rentalId}`.execute(t.owner);
    await expect(extend(a.rentalId, hour(15))).rejects.toMatchObject({
      code: 'vehicle-unavailable',
    });
    const kept = await spanOf(t.owner, b.rentalId);
    expect(kept).toMatchObject({ grip: 'firm', vehicleId: a.vehicleId });
  });
});

test('an extension that ends before the time kept for an overdue vehicle serves who waits', async () => {
  const { a, b } = await waiting();
  const { vehicleId, moved } = await extend(a.rentalId, hour(11));
  expect(vehicleId).toBe(a.vehicleId);
  expect(moved).toMatchObject([{ rentalId: b.rentalId, vehicleId: a.vehicleId }]);
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});
