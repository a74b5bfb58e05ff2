// Another vehicle for a booking before its pick-up: calendar, price, prepayments, guards and races.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import type { RentalState } from '../../domain/rental.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { type DamageDesk, DENT, damageDesk, ESTIMATE } from '../support/damage-desk.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { ABOVE, ASIDE, back, type ExchangeDesk, exchangeDesk } from '../support/exchange-desk.ts';
import {
  AGENT,
  attempt,
  CLASS,
  hoursFromNow,
  overlaps,
  plantVehicles,
  spanOf,
  strays,
} from '../support/fleet.ts';
import { factsOf, OUT } from '../support/rental-desk.ts';
import { prepay } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: ExchangeDesk;
let damage: DamageDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await exchangeDesk(t);
  damage = await damageDesk(t);
});

/** 50.00 a day as booked, 80.00 above, 30.00 below; the excess differs too. */
async function branchOfThree(): Promise<string> {
  const [day] = GOLD_1.lines;
  const only = (priceMinor: number, excessMinor: number): Partial<RatePlan> => ({
    lines: [{ ...day, priceMinor } as (typeof GOLD_1.lines)[number]],
    coverages: [{ code: 'cdw', dailyMinor: 12_00, excessMinor }],
    weekend: undefined,
  });
  const branchId = await desk.pricedBy(only(50_00, 500_00));
  const others = [
    [ABOVE, only(80_00, 900_00)],
    [ASIDE, only(30_00, 300_00)],
  ] as const;
  for (const [classId, terms] of others) {
    const scope = { branches: [branchId], classes: [classId] };
    const plan = { ...GOLD_1, ...terms, ...scope, id: `${classId}-${branchId}` };
    await publishRatePlan(t.db, AGENT, plan, hoursFromNow(-1));
  }
  return branchId;
}

const down = { type: 'swap', classId: ASIDE, consent: 'signed' } as const;
const lessOf = ({ price }: RentalState) =>
  price.lines.find(({ code }) => code === 'fee.downgrade')?.netMinor;

describe('a swap', () => {
  test('up the ladder is free, once, and what was booked stays', async () => {
    const branchId = await branchOfThree();
    const above = await desk.plantOf(branchId, ABOVE);
    const rental = await desk.book({ branchId });
    const commandId = uuidv7();
    const command = { type: 'swap', vehicleId: above, reason: 'fleet' } as const;
    const outcome = await desk.record(rental, command, { commandId });
    expect(await desk.record(rental, command, { commandId })).toEqual(outcome);
    const now = await desk.read(rental.id);
    expect(now).toEqual({ ...rental, vehicleId: above, givenClassId: ABOVE, version: 2 });
    expect(await factsOf(t.owner, rental.id)).toEqual(['1 reserved', '2 swapped']);
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ vehicleId: above });
    expect(await desk.doubtsOf(now, above, rental.vehicleId)).toEqual([]);
    // The one that it had is free for others; back to its class is neither up nor down.
    const again = await desk.after(now, { type: 'swap', classId: CLASS });
    expect(again).toEqual({ ...rental, version: 3 });
    const { rows } = await sql`select direction, reason, consent, swapped_by from rentals.swap
      where rental_id = ${rental.id} order by swapped_at`.execute(t.owner);
    expect(rows).toEqual([
      { direction: 'up', reason: 'fleet', consent: null, swapped_by: AGENT },
      { direction: 'same', reason: null, consent: null, swapped_by: AGENT },
    ]);
    expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
  });

  test('down the ladder needs consent, and costs what the class does, to the end', async () => {
    const branchId = await branchOfThree();
    const below = await desk.plantOf(branchId, ASIDE);
    const rental = await desk.book({ branchId });
    const { consent: _none, ...silent } = down;
    expect(await attempt(desk.record(rental, silent))).toBe('consent-required');
    expect(await desk.read(rental.id)).toEqual(rental);
    const now = await desk.after(rental, down);
    expect(now).toMatchObject({ classId: ASIDE, givenClassId: ASIDE, vehicleId: below });
    // 20.00 less for each of three days, and their VAT.
    expect([lessOf(now), now.price.totalMinor]).toEqual([-60_00, rental.price.totalMinor - 72_00]);
    const out = await desk.after(now, { ...OUT, vehicleId: below });
    const dueAt = new Date(Date.parse(rental.dueAt) + 24 * 3_600_000).toISOString();
    const longer = await desk.after(out, { type: 'extend', dueAt });
    expect([lessOf(longer), longer.price.netMinor]).toEqual([-80_00, 120_00]);
    const closed = await desk.after(longer, back(longer, 2_000));
    expect([lessOf(closed), closed.price.netMinor]).toEqual([-20_00, 30_00]);
  });

  test('gives back at once what was prepaid beyond the new price, the newest first', async () => {
    const branchId = await branchOfThree();
    await desk.plantOf(branchId, ASIDE);
    const rental = await desk.book({ branchId });
    expect(rental.price.totalMinor).toBe(180_00);
    for (const amount of [100_00, 68_00]) await prepay(t.db, rental.id, amount);
    const now = await desk.after(rental, down);
    expect(now.price.totalMinor).toBe(108_00);
    const credited = sql`select total_minor from accounting.invoice
      where rental_id = ${rental.id} and kind = 381 order by number`;
    expect((await credited.execute(t.owner)).rows).toEqual([{ total_minor: 60_00 }]);
    // The rest is deducted by the last invoice, or credited with what is then too much.
    await desk.after(now, { type: 'cancel', reason: 'fleet' });
    const { rows } = await sql<{ sum: number }>`select sum(total_minor)::int from
      accounting.invoice where rental_id = ${rental.id} and kind = 381`.execute(t.owner);
    expect(rows[0]?.sum).toBe(168_00);
  });

  test('of a vehicle that is promised needs a reason, and keeps the promise', async () => {
    const branchId = await branchOfThree();
    const rental = await desk.book({ branchId });
    const [other = ''] = await plantVehicles(t.db, branchId, 1);
    await sql`update vehicles.span set grip = 'firm' where ref = ${rental.id}`.execute(t.owner);
    const command = { type: 'swap', vehicleId: other } as const;
    expect(await attempt(desk.record(rental, command))).toBe('value-refused');
    const now = await desk.after(rental, { ...command, reason: 'customer' });
    expect(now.vehicleId).toBe(other);
    expect((await spanOf(t.owner, rental.id)).grip).toBe('firm');
  });

  test('is refused for what is not to be had, and all stays as it was', async () => {
    const branchId = await branchOfThree();
    const rental = await desk.book({ branchId });
    const named = (vehicleId: string) =>
      attempt(desk.record(rental, { type: 'swap', vehicleId, consent: 'mail' }));
    const elsewhere = (await desk.book()).vehicleId ?? '';
    expect(await named(elsewhere)).toBe('vehicle-unavailable');
    expect(await named(uuidv7())).toBe('not-found');
    const held = await desk.plantOf(branchId, ABOVE);
    await sql`insert into vehicles.hold (vehicle_id, type, severity, from_at, hard_from, reason,
        source, source_ref, applied_by)
      values (${held}, 'other', 'hard', now(), now(), 'x', 'manual', 'x', 'x')`.execute(t.owner);
    expect(await named(held)).toBe('vehicle-held');
    const classed = (classId: string) =>
      attempt(desk.record(rental, { type: 'swap', classId, consent: 'mail' }));
    expect(await classed('XXXX')).toBe('not-found');
    expect(await classed(ASIDE)).toBe('vehicle-unavailable');
    // There is no other one of its own class.
    expect(await classed(CLASS)).toBe('vehicle-unavailable');
    expect(await desk.read(rental.id)).toEqual(rental);
    expect((await spanOf(t.owner, rental.id)).vehicleId).toBe(rental.vehicleId);
  });

  test('leaves nobody behind who is booked on from where the old one would go', async () => {
    const branchId = await branchOfThree();
    const above = await desk.plantOf(branchId, ABOVE);
    const there = await desk.pricedBy({});
    const after = { pickUpAt: hoursFromNow(80), dueAt: hoursFromNow(90) };
    await desk.book({ branchId: there, ...after });
    const rental = await desk.book({ branchId, returnBranchId: there });
    const next = await desk.book({ branchId: there, ...after });
    expect(next.vehicleId).toBe(rental.vehicleId);
    const swap = desk.record(rental, { type: 'swap', vehicleId: above });
    expect(await attempt(swap)).toBe('vehicle-unavailable');
    expect((await desk.read(next.id)).vehicleId).toBe(rental.vehicleId);
  });

  test('is forgotten by an amendment that is placed anew', async () => {
    const branchId = await branchOfThree();
    await desk.plantOf(branchId, ASIDE);
    const rental = await desk.after(await desk.book({ branchId }), down);
    const dueAt = new Date(Date.parse(rental.dueAt) + 24 * 3_600_000).toISOString();
    const amended = await desk.after(rental, { type: 'amend', dueAt });
    expect(amended).toMatchObject({ classId: ASIDE, price: { netMinor: 120_00 } });
    expect([lessOf(amended), amended.givenClassId]).toEqual([undefined, undefined]);
  });

  test('lets the given car’s excess count for a damage', async () => {
    const branchId = await branchOfThree();
    const vehicleId = await desk.plantOf(branchId, ABOVE);
    const booked = await desk.book({ branchId, coverages: ['cdw'] });
    const swapped = await desk.after(booked, { type: 'swap', vehicleId });
    const out = await desk.after(swapped, OUT);
    await damage.inspected(out, 'out');
    const seen = await damage.inspected(out, 'in', { marks: [DENT] });
    const state = await damage.sent(await damage.reported(out, seen.id), ESTIMATE);
    expect(state.charge).toMatchObject({ totalMinor: 900_00, limitedBy: 'excess' });
  });
});

test('a swap and a reservation of that vehicle at the same moment: one has it', async () => {
  const branchId = await branchOfThree();
  const rental = await desk.book({ branchId });
  const [other = ''] = await plantVehicles(t.db, branchId, 1);
  const results = await Promise.all([
    attempt(desk.record(rental, { type: 'swap', vehicleId: other })),
    attempt(desk.book({ branchId })),
  ]);
  // The swap first, and the reservation takes the one that was given up; or after it, and is refused.
  const refused = results.filter((result) => typeof result === 'string');
  expect(refused.length).toBeLessThanOrEqual(1);
  expect(['vehicle-unavailable', undefined]).toContain(refused[0]);
  expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
});

test('once a guard is gone, nothing else refuses', async () => {
  const branchId = await branchOfThree();
  await desk.plantOf(branchId, ASIDE);
  const rental = await desk.after(await desk.book({ branchId }), down);
  const next = await desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) });
  const verdicts = await tried(t.owner, async (tx) => {
    const change = (set: string) => () =>
      sql`update rentals.swap set ${sql.raw(set)} where rental_id = ${rental.id}`.execute(tx);
    const without = (table: string, name: string) =>
      sql`alter table ${sql.raw(table)} drop constraint ${sql.id(name)}`;
    const onto = () =>
      sql`update vehicles.span set vehicle_id = ${next.vehicleId} where ref = ${rental.id}`.execute(
        tx,
      );
    return [
      await guarded(tx, change('consent = null'), without('rentals.swap', 'swap_down_has_consent')),
      await guarded(tx, change("direction = 'same'"), without('rentals.swap', 'swap_same_class')),
      await guarded(tx, onto, without('vehicles.span', 'span_no_double_booking')),
    ];
  });
  expect(verdicts).toEqual([
    ['swap_down_has_consent', 'accepted'],
    ['swap_same_class', 'accepted'],
    ['span_no_double_booking', 'accepted'],
  ]);
});
