// A plan of moves: all of it as it was made, or nothing.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { applyMoves, type Move, poolSpans } from '../../db/commands/calendar-repack.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { book, CLASS, calendar, hour, overlaps, plantFleet, spanOf } from '../support/fleet.ts';
import { journeys, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, handOut } = yard(() => t);
const { twoBranches, drive } = journeys(() => t);

const read = (branchId: string, from: number, to: number) =>
  calendar(t.db, (tx) =>
    poolSpans(tx, { branchId, classId: CLASS, from: hour(from), to: hour(to) }),
  );
const apply = (moves: readonly Move[]) => calendar(t.db, (tx) => applyMoves(tx, moves, null));
const stale = { code: 'version-conflict' };

/** Two vehicles, each with a booking, so that neither is free for [0, 20). */
async function fragmented() {
  const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
  const early = await book(t.db, { branchId, from: hour(0), to: hour(8) });
  const whole = await book(t.db, { branchId, from: hour(0), to: hour(20) });
  const late = await book(t.db, { branchId, from: hour(10), to: hour(20) });
  return { branchId, vehicleIds, early, whole, late };
}

test('what a solver needs: vehicles with what is fixed, spans with where they may move', async () => {
  const { branchId, vehicleIds, early, whole, late } = await fragmented();
  await handOut(early.rentalId, hour(0));
  const pool = await read(branchId, 5, 12);
  expect(pool.vehicles.map((one) => one.vehicleId)).toEqual(vehicleIds);
  const owner = pool.vehicles.find((one) => one.vehicleId === early.vehicleId);
  expect(owner).toMatchObject({
    startBranch: branchId,
    nextBranch: null,
    heldForWindow: false,
    heldFor: [],
    blocked: [{ branchOut: branchId, branchIn: branchId }],
  });
  expect(pool.spans.map((one) => one.vehicleId).sort()).toEqual(
    [whole.vehicleId, late.vehicleId].sort(),
  );
  expect([Date.parse(pool.hull.from), Date.parse(pool.hull.to)]).toEqual([
    Date.parse(hour(0)),
    Date.parse(hour(20.5)),
  ]);
});

describe('a plan', () => {
  const swap = (pool: Awaited<ReturnType<typeof read>>, vehicles: readonly string[]) =>
    pool.spans.map(({ spanId, version, vehicleId }) => ({
      spanId,
      version,
      vehicleId: vehicles.find((id) => id !== vehicleId) ?? '',
    }));

  test('swaps without room to spare, and tells each once', async () => {
    const { branchId, vehicleIds, early, whole, late } = await fragmented();
    const { moved } = await apply(swap(await read(branchId, 0, 20), vehicleIds));
    expect(moved.map((one) => one.rentalId).sort()).toEqual(
      [early.rentalId, whole.rentalId, late.rentalId].sort(),
    );
    expect(await spanOf(t.owner, whole.rentalId)).toMatchObject({ vehicleId: early.vehicleId });
    expect(await spanOf(t.owner, early.rentalId)).toMatchObject({ vehicleId: whole.vehicleId });
  });

  test('is refused as a whole when a span moved meanwhile, or a place is taken', async () => {
    const { branchId, vehicleIds, whole } = await fragmented();
    const plan = swap(await read(branchId, 0, 20), vehicleIds);
    await apply(plan);
    const before = await spanOf(t.owner, whole.rentalId);
    await expect(apply(plan)).rejects.toMatchObject(stale);
    const half = swap(await read(branchId, 0, 20), vehicleIds).slice(0, 1);
    await expect(apply(half)).rejects.toMatchObject(stale);
    expect(await spanOf(t.owner, whole.rentalId)).toEqual(before);
  });

  test('moves nothing that has its keys out', async () => {
    const { branchId, vehicleIds, early } = await fragmented();
    const plan = swap(await read(branchId, 0, 20), vehicleIds);
    await handOut(early.rentalId, hour(0));
    await expect(apply(plan)).rejects.toMatchObject(stale);
  });

  test('makes room for a new rental in the same transaction', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const [one = '', two = ''] = vehicleIds;
    const a = await book(t.db, { branchId, from: hour(0), to: hour(4) });
    const b = await book(t.db, { branchId, from: hour(2), to: hour(8) });
    const c = await book(t.db, { branchId, from: hour(10), to: hour(14) });
    expect(c.vehicleId).toBe(b.vehicleId);
    await extend(a.rentalId, hour(9));
    const pool = await read(branchId, 10, 20);
    const [span] = pool.spans;
    const target = c.vehicleId === one ? two : one;
    const id = uuidv7();
    const ids = { id, branchId, classId: CLASS, customerId: id };
    const request = { ...ids, pickUpAt: hour(9), dueAt: hour(20) };
    const moves = [{ spanId: span?.spanId ?? '', version: 0, vehicleId: target }];
    const taken = await calendar(t.db, (tx) =>
      applyMoves(tx, moves, { request, vehicleId: c.vehicleId }),
    );
    expect(taken).toMatchObject({ vehicleId: c.vehicleId, existing: false, entityId: 'FC-AT' });
    expect(await spanOf(t.owner, id)).toMatchObject({ vehicleId: c.vehicleId });
    // A repeat of the request finds what it has.
    const again = await calendar(t.db, (tx) =>
      applyMoves(tx, moves, { request, vehicleId: c.vehicleId }),
    );
    expect(again).toMatchObject({ vehicleId: c.vehicleId, existing: true });
  });

  test('that sends a journey to the wrong place is refused', async () => {
    const { a, b, atB } = await twoBranches(1, 1);
    await drive(a, b, 0, 10);
    const [span] = (await read(a, 0, 10)).spans;
    const wrong = { spanId: span?.spanId ?? '', version: 0, vehicleId: atB[0] ?? '' };
    await expect(apply([wrong])).rejects.toMatchObject(stale);
  });
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});
