// Many counters at once: as many rentals as vehicles, no overlap, and no error but "none is free".
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, openDb } from '../../db/client.ts';
import { extendSpan, handOutSpan, releaseSpan, rollSpan } from '../../db/commands/calendar.ts';
import { queueSpan, takeSpan } from '../../db/commands/calendar-booking.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  book,
  CLASS,
  calendar,
  hour,
  overlaps,
  plantFleet,
  plantTrade,
  READING,
  spanOf,
  spansOf,
  strays,
} from '../support/fleet.ts';
import { generator } from '../support/random.ts';
import { someoneWaits } from '../support/waiting.ts';

const CLIENTS = 32;

let t: TestDatabase;
let busy: Db;
let customerId: string;
beforeAll(async () => {
  t = await testDatabase();
  busy = openDb(t.url, { max: 16 });
  ({ customerId } = await plantTrade(t.db));
});
afterAll(() => busy.destroy());

/** Runs the tasks with 32 at work at any time; answers how often each thing happened. */
async function tally(tasks: readonly (() => Promise<unknown>)[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const queue = tasks.values();
  const client = async () => {
    for (const task of queue) {
      const result = await task().then(
        () => 'done',
        (error: { code?: string }) => error.code ?? String(error),
      );
      counts[result] = (counts[result] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return counts;
}

describe('64 reservations at once for the same time', () => {
  test.each([
    [1, { done: 1, 'vehicle-unavailable': 63 }],
    [40, { done: 40, 'vehicle-unavailable': 24 }],
    [64, { done: 64 }],
  ])('of a class with %i vehicles', async (vehicles, expected) => {
    const { branchId } = await plantFleet(t.db, { vehicles });
    const reserve = () =>
      reserveRental(busy, AGENT, {
        id: uuidv7(),
        branchId,
        classId: CLASS,
        customerId,
        pickUpAt: hour(0),
        dueAt: hour(24),
      });
    expect(await tally(Array.from({ length: 64 }, () => reserve))).toEqual(expected);
    const { rows } = await sql`select (select count(*) from rentals.rental
        where branch_id = ${branchId}) as rentals,
      (select count(distinct vehicle_id) from vehicles.span
        where branch_out = ${branchId}) as vehicles`.execute(t.owner);
    expect(rows).toEqual([{ rentals: expected.done, vehicles: expected.done }]);
  });
});

test('6,400 random bookings on 20 vehicles at two branches, some of them one-way', {
  timeout: 400_000,
}, async () => {
  const pools = [
    await plantFleet(t.db, { vehicles: 10 }),
    await plantFleet(t.db, { vehicles: 10 }),
  ] as const;
  for (const { branchId } of pools) {
    const open = { fromDate: null, toDate: null, percent: null };
    const limit = { id: uuidv7(), branchId, classId: CLASS, absolute: 1 };
    await setOverbookingLimit(t.db, AGENT, { ...open, ...limit });
  }
  const random = generator(7);
  const booked: { readonly rentalId: string; readonly to: number }[] = [];
  const tasks = Array.from({ length: 6_400 }, (_, n) => async () => {
    const [here, there] = n % 2 === 0 ? pools : pools.toReversed();
    const from = random(600);
    const to = from + 1 + random(30);
    const rentalId = uuidv7();
    const ids = { id: rentalId, classId: CLASS, customerId: rentalId };
    const returnBranchId = random(5) === 0 ? there?.branchId : here?.branchId;
    const places = { branchId: here?.branchId ?? '', returnBranchId };
    const request = { ...ids, ...places, pickUpAt: hour(from), dueAt: hour(to) };
    const step = n % 8 === 0 ? queueSpan : takeSpan;
    await calendar(busy, (tx) => step(tx, request));
    booked.push({ rentalId, to });
    if (n % 5 === 0) {
      const other = booked[random(booked.length)] ?? { rentalId, to };
      await calendar(busy, (tx) => extendSpan(tx, other.rentalId, hour(other.to + 6)));
    }
    if (n % 7 === 0) await calendar(busy, (tx) => releaseSpan(tx, rentalId));
  });
  const counts = await tally(tasks);
  expect(Object.keys(counts).sort()).toEqual(['done', 'vehicle-unavailable']);
  expect(counts['done']).toBeGreaterThan(300);
  expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
});

test('movers of one pool that move each other’s spans never deadlock', async () => {
  const { branchId } = await plantFleet(t.db, { vehicles: 6 });
  const out = await Promise.all(
    Array.from({ length: 4 }, () => book(t.db, { branchId, from: hour(0), to: hour(10) })),
  );
  for (const { rentalId } of out) {
    await calendar(t.db, (tx) => handOutSpan(tx, rentalId, hour(0), READING));
  }
  const next = await Promise.all(
    Array.from({ length: 4 }, () => book(t.db, { branchId, from: hour(11), to: hour(20) })),
  );
  const before = await deadlocks();
  const tasks = [...out, ...next].flatMap(({ rentalId }, n) => [
    () => calendar(busy, (tx) => rollSpan(tx, rentalId, hour(12 + n))),
    () => calendar(busy, (tx) => extendSpan(tx, rentalId, hour(21 + n))),
  ]);
  const counts = await tally(tasks);
  expect(Object.keys(counts).filter((key) => !/^(done|vehicle-unavailable)$/.test(key))).toEqual(
    [],
  );
  expect(await overlaps(t.owner)).toBe(0);
  expect(await deadlocks()).toBe(before);
});

test('an extension against a reservation of the same time: one of them wins', async () => {
  for (let round = 0; round < 30; round += 1) {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const counts = await tally([
      () => calendar(busy, (tx) => extendSpan(tx, rentalId, hour(15))),
      () => book(busy, { branchId, from: hour(12), to: hour(20) }),
    ]);
    expect(counts).toEqual({ done: 1, 'vehicle-unavailable': 1 });
    expect((await spanOf(t.owner, rentalId)).grip).toBe('tentative');
  }
  expect(await overlaps(t.owner)).toBe(0);
});

describe('two transactions', () => {
  test('who meets another transaction at the best vehicle takes the next one, unqueued', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const ids = [uuidv7(), uuidv7()] as const;
    await calendar(t.db, async (tx) => {
      const first = await takeSpan(tx, request(ids[0], branchId));
      // The first transaction is still open here, so waiting for it would never end.
      const second = await book(t.db, { branchId, from: hour(0), to: hour(10), rentalId: ids[1] });
      expect(second.vehicleId).not.toBe(first.vehicleId);
    });
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('who waits for the only vehicle gets it when the other gives up', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const first = calendar(t.db, async (tx) => {
      await takeSpan(tx, request(uuidv7(), branchId));
      taken.resolve();
      await held.promise;
      throw new Error('gave up');
    });
    await taken.promise;
    const second = book(t.db, { branchId, from: hour(0), to: hour(10) });
    await someoneWaits(t.owner);
    held.resolve();
    await expect(first).rejects.toThrow('gave up');
    expect((await second).vehicleId).toBe(vehicleIds[0]);
  });

  test('a repeat for the same rental answers the same vehicle, later and at once', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 8 });
    const once = { branchId, from: hour(0), to: hour(10), rentalId: uuidv7() };
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<string>();
    const first = calendar(t.db, async (tx) => {
      taken.resolve((await takeSpan(tx, request(once.rentalId, branchId))).vehicleId);
      await held.promise;
    });
    const vehicleId = await taken.promise;
    const second = book(t.db, once);
    await someoneWaits(t.owner);
    held.resolve();
    await first;
    expect([await second, await book(t.db, once)]).toMatchObject([{ vehicleId }, { vehicleId }]);
    expect(await spansOf(t.owner, branchId)).toHaveLength(1);
  });
});

test('the checker has teeth: without the constraint, it finds the double booking', async () => {
  const bare = await testDatabase();
  await sql`alter table vehicles.span drop constraint span_no_double_booking`.execute(bare.owner);
  const { branchId } = await plantFleet(bare.db, { vehicles: 1 });
  const same = { branchId, from: hour(0), to: hour(10) };
  const ids = [uuidv7(), uuidv7()] as const;
  await calendar(bare.db, async (tx) => {
    await takeSpan(tx, request(ids[0], branchId));
    await book(bare.db, { ...same, rentalId: ids[1] }); // sees nothing of the open transaction
  });
  expect(await overlaps(bare.owner)).toBe(1);
});

function request(id: string, branchId: string) {
  return { id, branchId, classId: CLASS, customerId: id, pickUpAt: hour(0), dueAt: hour(10) };
}

/** Deadlocks that the server had to break in this database. */
async function deadlocks(): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(t.owner);
  const { rows } = await sql<{ deadlocks: number }>`select deadlocks from pg_stat_database
    where datname = current_database()`.execute(t.owner);
  return rows[0]?.deadlocks ?? Number.NaN;
}
