// A branch's yard, for tests of spans that move: what happens to its vehicles, hour by hour.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import {
  extendSpan,
  handOutSpan,
  releaseSpan,
  returnSpan,
  rollSpan,
} from '../../db/commands/calendar.ts';
import { queueSpan } from '../../db/commands/calendar-booking.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { availability } from '../../db/queries/vehicles.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, book, CLASS, calendar, hour, plantFleet, READING, spanOf } from './fleet.ts';

/** `t` is asked for at each call, because it is there from `beforeAll` on only. */
export function yard(t: () => TestDatabase) {
  const handOut = (id: string, at: string, vehicleId?: string) =>
    calendar(t().db, (tx) => handOutSpan(tx, id, at, { ...READING, vehicleId }));
  const giveBack = (id: string, at: string) =>
    calendar(t().db, (tx) => returnSpan(tx, id, at, READING));
  const extend = (id: string, due: string) => calendar(t().db, (tx) => extendSpan(tx, id, due));
  const roll = (id: string, until: string) => calendar(t().db, (tx) => rollSpan(tx, id, until));
  const release = (id: string) => calendar(t().db, (tx) => releaseSpan(tx, id));

  /** A branch whose rental A is out for [0, 10) on the same vehicle that B has for [12, 20). */
  const outAndNext = async (vehicles: number) => {
    const { branchId } = await plantFleet(t().db, { vehicles, turnaroundMinutes: 30 });
    const a = await book(t().db, { branchId, from: hour(0), to: hour(10) });
    await handOut(a.rentalId, hour(0));
    const b = await book(t().db, { branchId, from: hour(12), to: hour(20) });
    expect(b.vehicleId).toBe(a.vehicleId);
    return { branchId, a, b };
  };

  /** As above with one vehicle, and A so late that B waits without one. */
  const waiting = async () => {
    const pool = await outAndNext(1);
    await roll(pool.a.rentalId, hour(13));
    expect(await spanOf(t().owner, pool.b.rentalId)).toMatchObject({ grip: 'unassigned' });
    return pool;
  };
  return { handOut, giveBack, extend, roll, release, outAndNext, waiting };
}

/** Vehicles that go from one branch to another. */
export function journeys(t: () => TestDatabase) {
  /** Two branches, `a` with so many vehicles and `b` with so many. */
  async function twoBranches(atA: number, atB: number) {
    const a = await plantFleet(t().db, { vehicles: atA, turnaroundMinutes: 30 });
    const b = await plantFleet(t().db, { vehicles: atB, turnaroundMinutes: 60 });
    return { a: a.branchId, b: b.branchId, atA: a.vehicleIds, atB: b.vehicleIds };
  }

  /** Books from one branch to another for [from, to). */
  function drive(branchId: string, returnBranchId: string, from: number, to: number) {
    return book(t().db, { branchId, returnBranchId, from: hour(from), to: hour(to) });
  }

  async function free(branchId: string, from: number, to: number): Promise<number | undefined> {
    const window = { branchId, classId: CLASS, from: hour(from), to: hour(to) };
    return (await availability(t().db, window))?.[0]?.free;
  }

  async function branchOf(vehicleId: string): Promise<unknown> {
    const { rows } = await sql<{ branch: string }>`select branch_id as branch from vehicles.vehicle
      where id = ${vehicleId}`.execute(t().owner);
    return rows[0]?.branch;
  }

  return { twoBranches, drive, free, branchOf };
}

type Measure = { readonly percent?: number; readonly absolute?: number };

/** Pools that are full, and who waits for a place in them. */
export function pools(t: () => TestDatabase) {
  function limit(branchId: string, measure: Measure, dates: object = {}) {
    const pool = { id: uuidv7(), branchId, classId: CLASS };
    const open = { fromDate: null, toDate: null, percent: null, absolute: null };
    return setOverbookingLimit(t().db, AGENT, { ...open, ...pool, ...dates, ...measure });
  }

  /** As a reservation does: a vehicle, or a place among those that wait. */
  async function ask(branchId: string, from: number, to: number, overbook: 0 | 1 = 0) {
    const rentalId = uuidv7();
    const ids = { id: rentalId, branchId, classId: CLASS, customerId: rentalId };
    const override = { stopSell: false, overbook };
    const request = { ...ids, pickUpAt: hour(from), dueAt: hour(to), override };
    const span = await calendar(t().db, (tx) => queueSpan(tx, request));
    return { rentalId, vehicleId: span.vehicleId };
  }

  /** A pool of which every vehicle is booked for [0, 10), and a limit. */
  async function fullPool(vehicles: number, measure: Measure) {
    const { branchId, vehicleIds } = await plantFleet(t().db, { vehicles });
    await limit(branchId, measure);
    const booked = [];
    for (let n = 0; n < vehicles; n += 1) {
      booked.push(await book(t().db, { branchId, from: hour(0), to: hour(10) }));
    }
    return { branchId, vehicleIds, booked };
  }

  return { ask, fullPool, limit };
}
