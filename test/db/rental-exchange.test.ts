// Another vehicle in the middle of a rental: calendar, segments, money, tolls and races.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { segmentsOfRental } from '../../db/queries/rental-segments.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  ABOVE,
  ASIDE,
  back,
  brokenSegments,
  type ExchangeDesk,
  exchange,
  exchangeDesk,
  tollOf,
} from '../support/exchange-desk.ts';
import {
  AGENT,
  attempt,
  hoursFromNow,
  overlaps,
  plantFleet,
  plantVehicles,
  strays,
} from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: ExchangeDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await exchangeDesk(t);
});

describe('an exchange', () => {
  test('gives another vehicle until the rental is due, and the old one back to the yard', async () => {
    const { branchId, rental, other } = await desk.out(2);
    const taken = { vehicleId: other, odometerKm: 1_010, fuelEighths: 7 };
    const commandId = uuidv7();
    const command = exchange(rental, { taken });
    const outcome = await desk.record(rental, command, { commandId });
    // Again, as after a worker was killed before it heard the answer.
    expect(await desk.record(rental, command, { commandId })).toEqual(outcome);
    const now = await desk.read(rental.id);
    expect(now).toMatchObject({ vehicleId: other, odometerOutKm: 1_010, fuelOutEighths: 7 });
    expect(now).toMatchObject({ isExchanged: true, version: 3, price: rental.price });
    const undo = { ...back(now, 1_010), type: 'undoCheckOut', reason: 'typing' } as const;
    expect(await attempt(desk.record(now, undo))).toBe('invalid-state');
    const drop = { ...back(now, 1_010), droppedAt: rental.checkedOutAt ?? '' };
    expect(await attempt(desk.record(now, drop))).toBe('invalid-time');
    const segments = await segmentsOfRental(t.db, AGENT, rental.id);
    expect(segments).toMatchObject([
      { vehicleId: rental.vehicleId, reason: null, back: { odometerKm: 2_120, fuelEighths: 5 } },
      {
        vehicleId: other,
        reason: 'customer',
        out: { odometerKm: 1_010, fuelEighths: 7 },
        to: null,
      },
    ]);
    expect(segments[0]?.from).toBe(rental.checkedOutAt);
    expect(segments[0]?.to).toBe(segments[1]?.from);
    const { rows } = await sql`select kind, grip, vehicle_id = ${other} as other,
        case kind when 'rental' then upper(during) = ${rental.dueAt}::timestamptz
          + interval '30 minutes' else upper(during) < now() + interval '31 minutes' end as until
      from vehicles.span where branch_out = ${branchId} order by lower(during)`.execute(t.owner);
    expect(rows).toEqual([
      { kind: 'exchanged', grip: 'firm', other: false, until: true },
      { kind: 'rental', grip: 'out', other: true, until: true },
    ]);
    expect(await desk.doubtsOf(now, other, rental.vehicleId)).toEqual([]);
    expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
    const closed = await desk.after(now, back(rental, 1_310));
    expect(await desk.doubtsOf(closed, other, rental.vehicleId)).toEqual([]);
    const { checkedInAt: to } = closed;
    expect(await segmentsOfRental(t.db, AGENT, rental.id)).toMatchObject([{}, { to }]);
  });

  test('serves who waits with the old one, and takes the nearest class when none is named', async () => {
    const { branchId, rental } = await desk.out(1);
    const above = await desk.plantOf(branchId, ABOVE);
    await desk.plantOf(branchId, ASIDE);
    const now = await desk.after(rental, exchange(rental, { reason: 'fleet' }));
    expect(now).toMatchObject({ vehicleId: above, odometerOutKm: 500, classId: 'CDMR' });
    expect(now.price).toEqual(rental.price);
    const next = await desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) });
    expect(next.vehicleId).toBe(rental.vehicleId);
  });

  test('elsewhere leaves the old one there, and what was booked on it finds another', async () => {
    const { branchId, rental } = await desk.out(1);
    const there = await plantFleet(t.db, { vehicles: 1 });
    const after = { pickUpAt: hoursFromNow(80), dueAt: hoursFromNow(90) };
    const booked = await desk.book({ branchId, ...after });
    expect(booked.vehicleId).toBe(rental.vehicleId);
    const outcome = await desk.record(rental, exchange(rental, { branchId: there.branchId }));
    const [taken] = there.vehicleIds;
    // The one that is taken there comes here when the rental ends, before the next one begins.
    expect(outcome.reassigned).toMatchObject([{ rentalId: booked.id, vehicleId: taken }]);
    const now = await desk.read(rental.id);
    expect(now.vehicleId).toBe(taken);
    expect(await desk.doubtsOf(now, rental.vehicleId, now.vehicleId)).toEqual([]);
    expect(await strays(t.owner)).toBe(0);
  });

  test('after a breakdown keeps the old one off the road and charges no fuel on it', async () => {
    const fuel = { policy: 'same', unit: 'l', unitMinor: 2_00, tank: 48 } as const;
    const { branchId, rental, other } = await desk.out(2, { fuel });
    const given = { reason: 'breakdown', hold: 'maintenance', fuelEighths: 1 } as const;
    const now = await desk.after(rental, exchange(rental, given));
    expect(now.vehicleId).toBe(other);
    const held = await attempt(
      desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) }),
    );
    expect(held).toBe('vehicle-unavailable');
    const done = await desk.after(now, back(rental, now.odometerOutKm ?? 0, 6));
    const [line, ...more] = done.price.lines.filter(({ code }) => code === 'fuel.used');
    // Two eighths of 48 litres at 2.00, of the second vehicle alone.
    expect([line?.netMinor, line?.basis['segment'], more]).toEqual([24_00, 2, []]);
  });

  test('counts the km of both vehicles against one allowance', async () => {
    const daily = {
      kind: 'daily',
      unit: 'km',
      included: 100,
      overMinor: 10,
      pooled: true,
    } as const;
    const { rental, other } = await desk.out(2, { mileage: daily });
    const now = await desk.after(
      rental,
      exchange(rental, { taken: { vehicleId: other }, odometerKm: 2_170 }),
    );
    const done = await desk.after(now, back(rental, (now.odometerOutKm ?? 0) + 180));
    const over = done.price.lines.find(({ code }) => code === 'mileage.over');
    // 170 + 180 km; a day that costs the minimum has 100 free, however many vehicles.
    expect(over?.netMinor).toBe(25_00);
  });

  test('to a better class that is paid for costs the difference for the rest, also when extended', async () => {
    const { branchId, rental } = await desk.out(1, {});
    await desk.pricedAbove(branchId);
    const booked = { ...GOLD_1, id: `OF-${branchId}`, version: 2, branches: [branchId] };
    await publishRatePlan(t.db, AGENT, booked, hoursFromNow(-1));
    await desk.plantOf(branchId, ABOVE);
    const paid = { reason: 'upgrade', paidUpgrade: true } as const;
    const now = await desk.after(rental, exchange(rental, paid));
    const feeOf = ({ price }: RentalState) =>
      price.lines.find(({ code }) => code === 'fee.upgrade')?.netMinor;
    expect(feeOf(now)).toBe(60_00);
    expect(now.price.netMinor).toBe(rental.price.netMinor + 60_00);
    const dueAt = new Date(Date.parse(rental.dueAt) + 24 * 3_600_000).toISOString();
    const longer = await desk.after(now, { type: 'extend', dueAt });
    expect(feeOf(longer)).toBe(80_00);
  });

  test('is refused where the other vehicle cannot go out, and all stays as it was', async () => {
    const { branchId, rental, other } = await desk.out(2);
    const elsewhere = (await plantFleet(t.db, { vehicles: 1 })).vehicleIds[0] ?? '';
    const aside = await desk.plantOf(branchId, ASIDE);
    const named = (vehicleId: string, more = {}) =>
      attempt(desk.record(rental, exchange(rental, { taken: { vehicleId, ...more } })));
    expect(await named(other, { odometerKm: 999 })).toBe('odometer-rollback');
    expect(await named(elsewhere)).toBe('no-vehicle');
    expect(await named(aside)).toBe('no-vehicle');
    await desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) });
    expect(await named(other)).toBe('no-vehicle');
    expect(await attempt(desk.record(rental, exchange(rental)))).toBe('vehicle-unavailable');
    const nowhere = exchange(rental, { branchId: 'XXX' });
    expect(await attempt(desk.record(rental, nowhere))).toBe('not-found');
    expect(await desk.read(rental.id)).toEqual(rental);
    expect(await segmentsOfRental(t.db, AGENT, rental.id)).toHaveLength(1);
  });
});

test('a toll before an exchange and one after it go to the vehicle of that time', async () => {
  const { rental, other } = await desk.out(2);
  const out1 = hoursFromNow(-50);
  await sql`update rentals.rental set checked_out_at = ${out1}, version = version + 1
    where id = ${rental.id}`.execute(t.owner);
  await sql`update vehicles.plate set valid = tstzrange(${hoursFromNow(-99)}, null)
    where vehicle_id in (${rental.vehicleId}, ${other})`.execute(t.owner);
  const now = await desk.after(
    { ...rental, version: 3 },
    exchange(rental, { taken: { vehicleId: other } }),
  );
  // As if the exchange had been a day ago.
  const x = hoursFromNow(-24);
  await t.owner.transaction().execute(async (tx) => {
    await sql`update rentals.segment set to_at = ${x} where rental_id = ${now.id}
      and to_at is not null`.execute(tx);
    await sql`update rentals.segment set from_at = ${x} where rental_id = ${now.id}
      and to_at is null`.execute(tx);
  });
  const seen = (vehicleId: string | null, hours: number) => tollOf(t, vehicleId, hours);
  expect(await seen(rental.vehicleId, -30)).toEqual(['matched', rental.vehicleId, now.id, null]);
  expect(await seen(other, -12)).toEqual(['matched', other, now.id, null]);
  expect(await seen(rental.vehicleId, -12)).toEqual(['queued', null, null, 'no-rental']);
  expect(await seen(other, -30)).toEqual(['queued', null, null, 'no-rental']);
});

describe('at the same moment', () => {
  test('two exchanges to one vehicle: one has it, the other keeps its own', async () => {
    const { branchId, rental, other } = await desk.out(2);
    const [spare = ''] = await plantVehicles(t.db, branchId, 1);
    const second = await desk.after(await desk.book({ branchId }), {
      ...OUT,
      vehicleId: spare,
    });
    const taken = { vehicleId: other };
    const results = await Promise.all(
      [rental, second].map((one) => attempt(desk.record(one, exchange(one, { taken })))),
    );
    expect(results.filter((result) => typeof result !== 'string')).toHaveLength(1);
    expect(results).toContain('no-vehicle');
    expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
  });

  test('an exchange and a reservation of the last vehicle: one of them', async () => {
    const { branchId, rental } = await desk.out(2);
    const results = await Promise.all([
      attempt(desk.record(rental, exchange(rental))),
      attempt(desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) })),
      attempt(desk.book({ branchId, pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(9) })),
    ]);
    const done = results.map((result) => typeof result !== 'string');
    // Either both bookings have a vehicle, the second the one that came back, or one of them has.
    expect(done.filter(Boolean).length).toBeGreaterThanOrEqual(1);
    expect(await overlaps(t.owner)).toBe(0);
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from vehicles.span
      where branch_out = ${branchId} and grip in ('out', 'tentative')`.execute(t.owner);
    expect(rows[0]?.n).toBeLessThanOrEqual(2);
  });
});

test('segments are guarded by themselves: once a guard is gone, nothing else refuses', async () => {
  const { rental } = await desk.out(1);
  expect(await brokenSegments(t.owner, rental.id)).toEqual([
    ['segment_back_whole', 'segment_chain'],
    ['segment_chain', 'accepted'],
    ['segment_chain', 'accepted'],
    ['segment_chain', 'accepted'],
    ['segment_one_at_a_time', 'accepted'],
  ]);
});
