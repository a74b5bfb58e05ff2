// A branch's yard, for tests of spans that move: what happens to its vehicles, hour by hour.
import { expect } from 'vitest';
import {
  extendSpan,
  handOutSpan,
  releaseSpan,
  returnSpan,
  rollSpan,
} from '../../db/commands/calendar.ts';
import type { TestDatabase } from './database.ts';
import { book, calendar, hour, plantFleet, READING, spanOf } from './fleet.ts';

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
