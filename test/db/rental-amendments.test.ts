// A booking that changes before its pick-up: calendar and price together, or all stays as it was.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  changeOverbookingLimit,
  setOverbookingLimit,
} from '../../db/commands/overbooking-limits.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import type { RentalCommand } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  CLASS,
  hour,
  hoursFromNow,
  overlaps,
  plantFleet,
  spanOf,
} from '../support/fleet.ts';
import { type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: MoneyDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await moneyDesk(t);
});

const DAY = 24;
const later = (instant: string, hours: number) =>
  new Date(Date.parse(instant) + hours * 3_600_000).toISOString();

describe('an amendment', () => {
  const ahead = { pickUpAt: hour(0), dueAt: hour(3 * DAY) };
  const change = (more: object): RentalCommand => ({ type: 'amend', ...more });

  test('to other dates keeps the vehicle that has them, at the price of today', async () => {
    const rental = await desk.book(ahead);
    const next = { pickUpAt: hour(6), dueAt: hour(6 + 5 * DAY) };
    const amended = await desk.after(rental, change(next));
    expect(amended).toMatchObject({ ...next, vehicleId: rental.vehicleId, version: 2 });
    expect(amended.price.netMinor).toBe(210_00);
    expect(Date.parse(amended.noShowAt)).toBe(Date.parse(later(hour(6), 2)));
    expect(await spanOf(t.owner, rental.id)).toMatchObject({
      grip: 'tentative',
      from: hour(6),
      until: later(next.dueAt, 0.5),
    });
  });

  test('takes another vehicle of the class when its own is booked then', async () => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 2 });
    const rental = await desk.book({ ...ahead, branchId: at });
    const other = await desk.book({ branchId: at, pickUpAt: hour(100), dueAt: hour(110) });
    const amended = await desk.after(rental, change({ dueAt: hour(120) }));
    expect(amended.dueAt).toBe(hour(120));
    expect(amended.vehicleId).not.toBe((await desk.read(other.id)).vehicleId);
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('that is refused leaves vehicle, span and price as they were', async () => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 1 });
    const rental = await desk.book({ ...ahead, branchId: at });
    await desk.book({ branchId: at, pickUpAt: hour(100), dueAt: hour(110) });
    const before = [await desk.read(rental.id), await spanOf(t.owner, rental.id)];
    const refused = await Promise.all([
      attempt(desk.record(rental, change({ dueAt: hour(105) }))),
      attempt(desk.record(rental, change({ classId: 'XXXX' }))),
      attempt(desk.record(rental, change({ coverages: ['none'] }))),
      attempt(desk.record(rental, change({ payerId: uuidv7() }))),
    ]);
    expect(refused).toEqual(['vehicle-unavailable', 'not-found', 'value-refused', 'not-found']);
    expect([await desk.read(rental.id), await spanOf(t.owner, rental.id)]).toEqual(before);
  });

  test('of extras alone keeps the price of the time, though the plan is dearer by now', async () => {
    const at = await desk.pricedBy({});
    const rental = await desk.book({ ...ahead, branchId: at });
    const [day] = GOLD_1.lines;
    const dearer = { ...GOLD_1, id: `OF-${at}`, version: 2, branches: [at] };
    const lines = [{ ...day, priceMinor: 90_00 }, ...GOLD_1.lines.slice(1)] as typeof GOLD_1.lines;
    await publishRatePlan(t.db, AGENT, { ...dearer, lines }, hoursFromNow(-0.5));
    const extras = await desk.after(rental, change({ extras: [{ code: 'item', count: 1 }] }));
    expect(extras.price).toMatchObject({ netMinor: 174_00, planVersion: 1 });
    const moved = await desk.after(extras, change({ dueAt: hour(DAY) }));
    // A day at 90.00, which no weekend undercuts, and 8.00 of extras
    expect(moved.price).toMatchObject({ netMinor: 98_00, planVersion: 2 });
    const without = await desk.after(moved, change({ extras: [] }));
    expect(without.price.netMinor).toBe(90_00);
  });

  test('of extras alone keeps the days that an extension added at the price of then', async () => {
    const at = await desk.pricedBy({ extension: 'extra-days' });
    const rental = await desk.book({ ...ahead, branchId: at });
    const lines = [{ code: 'day', priceMinor: 90_00, coversDays: 1 }] as const;
    const plan = { ...GOLD_1, id: `OF-${at}`, branches: [at], lines };
    await publishRatePlan(t.db, AGENT, { ...plan, version: 2 }, hoursFromNow(-0.5));
    await publishRatePlan(t.db, AGENT, { ...plan, version: 3 }, hoursFromNow(9));
    const longer = await desk.after(rental, { type: 'extend', dueAt: hour(4 * DAY) });
    // 3 × 50.00 as booked, 90.00 by the version of now
    expect(longer.price).toMatchObject({ netMinor: 240_00, planVersion: 1 });
    const extras = await desk.after(longer, change({ extras: [{ code: 'item', count: 1 }] }));
    expect(extras.price).toMatchObject({ netMinor: 272_00, planVersion: 1 });
  });

  test('to less is for everybody, also who waits for a vehicle where nobody more may', async () => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 1 });
    const limit = { id: uuidv7(), branchId: at, classId: CLASS, percent: null, absolute: 1 };
    const { row } = await setOverbookingLimit(t.db, AGENT, {
      ...limit,
      ...{ fromDate: null, toDate: null },
    });
    await desk.book({ ...ahead, branchId: at });
    const rental = await desk.book({ ...ahead, branchId: at });
    await changeOverbookingLimit(t.db, AGENT, row.id, row.version, { percent: null, absolute: 0 });
    await sql`update vehicles.branch set turnaround_minutes = 90 where id = ${at}`.execute(t.owner);
    const shorter = await desk.after(rental, change({ pickUpAt: hour(1), dueAt: hour(2 * DAY) }));
    expect(shorter).toMatchObject({ vehicleId: null, price: { netMinor: 100_00 } });
    expect(await spanOf(t.owner, rental.id)).toMatchObject({
      ...{ grip: 'unassigned', from: hour(1), until: hour(2 * DAY + 0.5) },
    });
    const longer = desk.record(shorter, change({ dueAt: hour(3 * DAY) }));
    expect(await attempt(longer)).toBe('vehicle-unavailable');
  });

  test('that agrees on both handovers anew ends what was told against their hours', async () => {
    const rental = await desk.book(ahead);
    await sql`insert into events.outside_hours (rental_id, handover, branch_id, at, problem)
      values (${rental.id}, 'pick-up', ${desk.branchId}, ${hour(0)}, 'fee')`.execute(t.owner);
    const told = async () => {
      const { rows } = await sql`select from events.outside_hours
        where rental_id = ${rental.id}`.execute(t.owner);
      return rows.length;
    };
    const extras = await desk.after(rental, change({ extras: [{ code: 'item', count: 1 }] }));
    expect(await told()).toBe(1);
    await desk.record(extras, change({ dueAt: hour(40) }));
    expect(await told()).toBe(0);
  });

  test('repeated happens once, and two of one version are one', async () => {
    const rental = await desk.book(ahead);
    const repeated = { commandId: uuidv7() };
    const twice = await Promise.all([
      desk.record(rental, change({ dueAt: hour(50) }), repeated),
      desk.record(rental, change({ dueAt: hour(50) }), repeated),
    ]);
    expect(twice[0]).toEqual(twice[1]);
    const stale = await attempt(desk.record(rental, change({ dueAt: hour(60) })));
    expect([stale, (await desk.read(rental.id)).version]).toEqual(['version-conflict', 2]);
  });

  test('races reservations of the same time: one vehicle, one winner', async () => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 1 });
    const rentals = await Promise.all(
      [0, 1, 2].map((n) =>
        desk.book({ branchId: at, pickUpAt: hour(n * 50), dueAt: hour(n * 50 + 40) }),
      ),
    );
    const wanted = { pickUpAt: hour(200), dueAt: hour(240) };
    const outcomes = await Promise.all([
      ...rentals.map((rental) => attempt(desk.record(rental, change(wanted)))),
      attempt(desk.book({ branchId: at, ...wanted })),
      attempt(desk.book({ branchId: at, ...wanted })),
    ]);
    expect(outcomes.filter((each) => typeof each !== 'string')).toHaveLength(1);
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('tells its fact', async () => {
    const rental = await desk.book(ahead);
    const { version } = await desk.after(rental, change({ dueAt: hour(40) }));
    const { rows } = await sql`select event::jsonb->'type' as type, event::jsonb->'data' as data
      from events.outbox where aggregate_id = ${rental.id}
      and event::jsonb->>'sequence' = ${String(version)}`.execute(t.owner);
    expect(rows).toMatchObject([
      { type: 'forecourt.rental.amended.v1', data: { dueAt: hour(40) } },
    ]);
  });
});
