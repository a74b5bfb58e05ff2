// Taking a vehicle: which one is picked, what is refused, and what the constraints hold by themselves.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { handOutSpan, releaseSpan, returnSpan } from '../../db/commands/calendar.ts';
import { availability } from '../../db/queries/vehicles.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  book,
  CLASS,
  calendar,
  hour,
  hoursFromNow,
  plantFleet,
  READING,
  spanOf,
  spansOf,
} from '../support/fleet.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const unavailable = { code: 'vehicle-unavailable' };

async function free(branchId: string, from: string, to: string): Promise<number | undefined> {
  const classes = await availability(t.db, { branchId, classId: CLASS, from, to });
  return classes?.[0]?.free;
}

describe('half-open time', () => {
  test('the next rental may begin at the minute in which the turnaround ends', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    await book(t.db, { branchId, from: hour(10.5), to: hour(20) });
    expect(await spansOf(t.owner, branchId)).toHaveLength(2);
  });

  test('a minute earlier it is refused, and availability says so beforehand', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const early = { branchId, from: hour(10.5 - 1 / 60), to: hour(20) };
    expect(await free(branchId, early.from, early.to)).toBe(0);
    expect(await free(branchId, hour(10.5), early.to)).toBe(1);
    await expect(book(t.db, early)).rejects.toMatchObject(unavailable);
  });

  test('a rental must also leave its own turnaround before the next one', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    await book(t.db, { branchId, from: hour(10), to: hour(20) });
    const long = { branchId, from: hour(0), to: hour(9.75) };
    await expect(book(t.db, long)).rejects.toMatchObject(unavailable);
    await book(t.db, { ...long, to: hour(9.5) });
  });

  test('without turnaround, back to back at the same minute', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 0 });
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    await book(t.db, { branchId, from: hour(10), to: hour(20) });
    expect(await free(branchId, hour(9), hour(10))).toBe(0);
  });

  test('the turnaround is that of the branch of return', async () => {
    const out = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 0 });
    const back = await plantFleet(t.db, { vehicles: 0, turnaroundMinutes: 120 });
    const ref = uuidv7();
    await calendar(t.db, (tx) =>
      sql`select vehicles.take_span(${ref}, ${CLASS}, ${out.branchId}, ${back.branchId},
        ${hour(0)}, ${hour(10)})`.execute(tx),
    );
    expect((await spanOf(t.owner, ref)).until).toBe(hour(12));
  });
});

describe('best fit', () => {
  test('picks the vehicle that is left with the least idle time', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 3, turnaroundMinutes: 30 });
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const close = await book(t.db, { branchId, from: hour(0), to: hour(14) });
    await book(t.db, { branchId, from: hour(0), to: hour(5) });
    const next = await book(t.db, { branchId, from: hour(15), to: hour(30) });
    expect(next.vehicleId).toBe(close.vehicleId);
  });

  test('looks at the gap behind as well as at the gap before', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2, turnaroundMinutes: 0 });
    const tight = await book(t.db, { branchId, from: hour(12), to: hour(20) });
    const wide = await book(t.db, { branchId, from: hour(15), to: hour(30) });
    expect(wide.vehicleId).not.toBe(tight.vehicleId);
    const before = await book(t.db, { branchId, from: hour(2), to: hour(11) });
    expect(before.vehicleId).toBe(tight.vehicleId);
  });
});

describe('vehicles that are out', () => {
  /** Handed out `since` hours ago, due `due` hours ago, never rolled. */
  async function overdue(branchId: string, since: number, due: number): Promise<string> {
    const late = { branchId, from: hoursFromNow(-since), to: hoursFromNow(-due) };
    const { rentalId } = await book(t.db, late);
    await calendar(t.db, (tx) => handOutSpan(tx, rentalId, hoursFromNow(-since), READING));
    return rentalId;
  }

  test('are never free past their due time, even before their span was rolled', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    await overdue(branchId, 30, 5);
    const soon = { branchId, from: hoursFromNow(0.1), to: hoursFromNow(20) };
    expect(await free(branchId, soon.from, soon.to)).toBe(0);
    await expect(book(t.db, soon)).rejects.toMatchObject(unavailable);
  });

  test('leave a new reservation to another vehicle', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const rentalId = await overdue(branchId, 30, 5);
    const late = await spanOf(t.owner, rentalId);
    const next = await book(t.db, { branchId, from: hoursFromNow(0.1), to: hoursFromNow(20) });
    expect(next.vehicleId).not.toBe(late.vehicleId);
  });

  test('may be booked from two hours and a turnaround ahead, and at once when back', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 30 });
    const rentalId = await overdue(branchId, 30, 5);
    expect(await free(branchId, hoursFromNow(2.4), hoursFromNow(20))).toBe(0);
    expect(await free(branchId, hoursFromNow(2.6), hoursFromNow(20))).toBe(1);
    await calendar(t.db, (tx) => returnSpan(tx, rentalId, hoursFromNow(0), READING));
    expect(await free(branchId, hoursFromNow(0.6), hoursFromNow(20))).toBe(1);
  });

  test('are out once: the table itself refuses a second time', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const first = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const second = await book(t.db, { branchId, from: hour(20), to: hour(30) });
    await calendar(t.db, (tx) => handOutSpan(tx, first.rentalId, hour(0), READING));
    const again = sql`update vehicles.span set grip = 'out' where ref = ${second.rentalId}`;
    await expect(again.execute(t.owner)).rejects.toMatchObject({ constraint: 'span_out_once' });
  });
});

describe('what the table refuses by itself', () => {
  test('one vehicle twice at one time', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const one = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const two = await book(t.db, { branchId, from: hour(5), to: hour(15) });
    const double = sql`update vehicles.span set vehicle_id = ${one.vehicleId}
      where ref = ${two.rentalId}`;
    await expect(double.execute(t.owner)).rejects.toMatchObject({
      constraint: 'span_no_double_booking',
    });
  });

  test('a demand without a vehicle at commit, unless an overdue one pushed it out', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const unassign = (reason: string | null) =>
      transact(t.db, 'vehicles_rw', AGENT, (tx) =>
        sql`update vehicles.span set vehicle_id = null, grip = 'unassigned',
          over_limit_reason = ${reason} where ref = ${rentalId}`.execute(tx),
      );
    await expect(unassign(null)).rejects.toMatchObject({ constraint: 'span_overbooking_limit' });
    await expect(unassign('sales')).rejects.toMatchObject({ code: '23514' });
    await unassign('overdue');
  });

  test.each([
    ['a vehicle where none is said to be', `grip = 'unassigned'`],
    ['no vehicle where one is said to be', 'vehicle_id = null'],
    ['maintenance that waits', `kind = 'maintenance', grip = 'unassigned', vehicle_id = null`],
    ['time without length', `during = 'empty'`],
    ['time that includes its end', `during = tstzrange(lower(during), upper(during), '[]')`],
    ['an excuse on a span that has a vehicle', `over_limit_reason = 'overdue'`],
  ])('%s', async (_, change) => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const broken = sql`update vehicles.span set ${sql.raw(change)} where ref = ${rentalId}`;
    await expect(broken.execute(t.owner)).rejects.toMatchObject({ code: '23514' });
  });
});

test('a released span frees its time at once', async () => {
  const { branchId } = await plantFleet(t.db, { vehicles: 1 });
  const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
  await calendar(t.db, (tx) => releaseSpan(tx, rentalId));
  expect(await free(branchId, hour(0), hour(10))).toBe(1);
  await book(t.db, { branchId, from: hour(0), to: hour(10) });
});

test('an unknown branch or class is named', async () => {
  const request = { branchId: 'NOWHERE', from: hour(0), to: hour(1) };
  await expect(book(t.db, request)).rejects.toMatchObject({
    code: 'not-found',
    details: { of: 'branch' },
  });
  expect(await availability(t.db, request)).toBeNull();
});
