// A later due time: who keeps the vehicle, who moves to another, and what is refused.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { book, CLASS, hour, overlaps, plantFleet, spanOf } from '../support/fleet.ts';
import { journeys, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, handOut, outAndNext, roll, waiting } = yard(() => t);
const { twoBranches, drive } = journeys(() => t);

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

/**
 * At a: X, which is out for [0, 10), leads [12, 20) to b and is booked there for [30, 40); and Y, which
 * is in the workshop from hour 25 on.
 */
async function chain() {
  const { a, b, atA } = await twoBranches(2, 0);
  const first = await drive(a, a, 0, 10);
  const x = first.vehicleId;
  const y = atA.find((id) => id !== x);
  await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, vehicle_id, grip)
    values ('maintenance', uuidv7(), ${CLASS}, ${a}, ${a}, tstzrange(${hour(25)}, ${hour(50)}), 0,
      ${y}, 'firm')`.execute(t.owner);
  await handOut(first.rentalId, hour(0));
  const over = await drive(a, b, 12, 20);
  const there = await drive(b, b, 30, 40);
  expect([over.vehicleId, there.vehicleId]).toEqual([x, x]);
  return { first: first.rentalId, over: over.rentalId, there: there.rentalId, x, y };
}

describe('who would be left elsewhere without a vehicle', () => {
  test('is a reason to refuse an extension, which then changes nothing', async () => {
    const { first, over, there, x } = await chain();
    const before = await Promise.all([first, over, there].map((id) => spanOf(t.owner, id)));
    // The drive to b could go with Y; but then nobody brings X there.
    await expect(extend(first, hour(15))).rejects.toMatchObject({ code: 'vehicle-unavailable' });
    expect(await Promise.all([first, over, there].map((id) => spanOf(t.owner, id)))).toEqual(
      before,
    );
    expect((await extend(first, hour(11.5))).vehicleId).toBe(x);
  });

  test('does not stop the clock: late, the vehicle is kept longer and the others make way', async () => {
    const { first, over, there, x, y } = await chain();
    await roll(first, hour(15));
    expect(await spanOf(t.owner, first)).toMatchObject({ vehicleId: x, until: hour(15.5) });
    expect(await spanOf(t.owner, over)).toMatchObject({ grip: 'tentative', vehicleId: y });
    expect(await spanOf(t.owner, there)).toMatchObject({ grip: 'unassigned', reason: 'elsewhere' });
  });

  test('is whoever, firm, quoted or a drive without passengers, but for the workshop', async () => {
    const { a, b } = await twoBranches(1, 0);
    const out = await drive(a, a, 0, 10);
    await handOut(out.rentalId, hour(0));
    const others = [await drive(a, a, 12, 20), await drive(a, a, 22, 24)].map((d) => d.rentalId);
    await sql`update vehicles.span set grip = 'firm' where ref = ${others[1]}`.execute(t.owner);
    const [quote, transfer, works] = [uuidv7(), uuidv7(), uuidv7()];
    const plant = (kind: string, ref: string, from: number, grip: string, to = a) => sql`
      insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip, held_until)
      values (${kind}, ${ref}, ${CLASS}, ${a}, ${to}, tstzrange(${hour(from)}, ${hour(from + 2)}), 0,
        ${out.vehicleId}, ${grip}, case when ${kind} = 'quote' then ${hour(0)}::timestamptz end)`;
    await plant('quote', quote, 26, 'tentative').execute(t.owner);
    await plant('transfer', transfer, 30, 'tentative', b).execute(t.owner);
    await plant('maintenance', works, 40, 'firm').execute(t.owner);
    await roll(out.rentalId, hour(60));
    expect(await spanOf(t.owner, out.rentalId)).toMatchObject({ grip: 'out', until: hour(40) });
    for (const id of others) {
      expect(await spanOf(t.owner, id)).toMatchObject({ grip: 'unassigned', reason: 'overdue' });
    }
    const ended = await Promise.all([quote, transfer].map((id) => spanOf(t.owner, id)));
    expect(ended.map(({ grip }) => grip)).toEqual(['released', 'released']);
    expect(await spanOf(t.owner, works)).toMatchObject({ grip: 'firm', vehicleId: out.vehicleId });
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
