// Holds in the database: what of a vehicle's time they block, by date and by km.
import fc from 'fast-check';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { liftHold } from '../../db/commands/hold-decisions.ts';
import { liftHoldOfSource, setHold } from '../../db/commands/holds.ts';
import { readiness } from '../../db/queries/holds.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, hoursFromNow } from '../support/fleet.ts';
import { approval, aVehicle, blocked, held, LOOKED_AT, MANAGER, warned } from '../support/holds.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

describe('what blocks a vehicle', () => {
  test('a hold that begins inside the booked time, and none that begins after it', async () => {
    const { vehicleId } = await aVehicle(t);
    const { row } = await held(t, vehicleId, { from: hoursFromNow(72) });
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(96))).toBe(row.id);
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(71))).toBeNull();
  });

  test('a soft one warns, and a hard one warns until it blocks', async () => {
    const { vehicleId } = await aVehicle(t);
    const soft = await held(t, vehicleId, { severity: 'soft' });
    const later = await held(t, vehicleId, { hardFrom: hoursFromNow(48) });
    const day = [hoursFromNow(0), hoursFromNow(24)] as const;
    expect(await blocked(t, vehicleId, ...day)).toBeNull();
    expect(await warned(t, vehicleId, ...day)).toEqual([soft.row.id, later.row.id]);
    expect(await blocked(t, vehicleId, hoursFromNow(0), hoursFromNow(49))).toBe(later.row.id);
  });

  // decisions.md 37; the km of 7 days at 140.
  test.each([
    [44_200, 'warns'],
    [45_600, 'blocks'],
  ])('a service due at 45,000 with 15,000 between, at %i km %s', async (odometerKm, says) => {
    const { vehicleId } = await aVehicle(t);
    await sql`update vehicles.vehicle set odometer_km = ${odometerKm}
      where id = ${vehicleId}`.execute(t.owner);
    const by = { type: 'maintenance', fromKm: 45_000, toleranceKm: 1_500 } as const;
    const { row } = await held(t, vehicleId, by);
    const week = [hoursFromNow(0), hoursFromNow(168)] as const;
    expect(await blocked(t, vehicleId, ...week)).toBe(says === 'blocks' ? row.id : null);
    expect(await warned(t, vehicleId, ...week)).toEqual(says === 'warns' ? [row.id] : []);
    await sql`update vehicles.vehicle set average_km_per_day = 10
      where id = ${vehicleId}`.execute(t.owner);
    expect(await blocked(t, vehicleId, ...week)).toBeNull();
  });

  test('the database and the rule of the trade say the same', { timeout: 60_000 }, async () => {
    const { vehicleId } = await aVehicle(t);
    const hours = fc.integer({ min: -100, max: 300 });
    const sample = fc.record({
      hard: fc.boolean(),
      from: hours,
      block: fc.integer({ min: 0, max: 100 }),
      length: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
      fromKm: fc.option(fc.integer({ min: 1_000, max: 3_000 }), { nil: undefined }),
      toleranceKm: fc.integer({ min: 0, max: 400 }),
      to: fc.integer({ min: 1, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(sample, async ({ hard, from, block, length, fromKm, toleranceKm, to }) => {
        // The earliest first: the clock moves on between two readings.
        const begins = hoursFromNow(from);
        const hardFrom = hard ? hoursFromNow(from + block) : undefined;
        const until = length === undefined ? undefined : hoursFromNow(from + block + length);
        const severity = hard ? 'hard' : 'soft';
        const given = { severity, hardFrom, until, fromKm, toleranceKm } as const;
        const { row } = await held(t, vehicleId, { from: begins, ...given });
        const span = { from: hoursFromNow(0), to: hoursFromNow(to) };
        const now = new Date().toISOString();
        const rule = await readiness(t.db, AGENT, vehicleId, span, now);
        const stops = await blocked(t, vehicleId, span.from, span.to);
        const warns = await warned(t, vehicleId, span.from, span.to);
        const approvalId = hard ? await approval(t, row.id) : undefined;
        await liftHold(t.db, AGENT, row.id, { ...LOOKED_AT, approvalId }, MANAGER);
        const said = stops ? 'blocks' : warns.length > 0 ? 'warns' : 'free';
        expect(said).toBe(rule?.says === 'shown' ? 'free' : rule?.says);
      }),
      { numRuns: 60 },
    );
  });

  test('bookings that it blocks are listed', async () => {
    const { branchId, vehicleId } = await aVehicle(t);
    const [first, second] = [
      await book(t.db, { branchId, from: hoursFromNow(1), to: hoursFromNow(24) }),
      await book(t.db, { branchId, from: hoursFromNow(48), to: hoursFromNow(72) }),
    ];
    const { affected } = await held(t, vehicleId, { from: hoursFromNow(60) });
    expect(affected.map(({ ref, grip }) => [ref, grip])).toEqual([[second.rentalId, 'tentative']]);
    const all = await held(t, vehicleId);
    expect(all.affected.map(({ ref }) => ref)).toEqual([first.rentalId, second.rentalId]);
    const soft = await held(t, vehicleId, { severity: 'soft' });
    expect(soft.affected).toEqual([]);
  });
});

test('a hold and a booking at once: one gives way, or the booking is listed', async () => {
  const { branchId, vehicleId } = await aVehicle(t);
  const source = { source: 'work-order', sourceRef: 'race' } as const;
  const hold = { type: 'maintenance', severity: 'hard', reason: 'race' } as const;
  const as = <T>(work: Parameters<typeof transact<T>>[3]) =>
    transact(t.db, 'vehicles_rw', AGENT, work);
  const outcomes = new Set<string>();
  for (let round = 0; round < 40; round += 1) {
    const rentalId = uuidv7();
    const [from, to] = [hoursFromNow(10 * round + 1), hoursFromNow(10 * round + 5)];
    const [set, booked] = await Promise.all([
      as((tx) => setHold(tx, { ...source, vehicleId, hold })),
      attempt(book(t.db, { branchId, from, to, rentalId })),
    ]);
    const isBooked = typeof booked !== 'string';
    const isListed = set.affected.some(({ ref }) => ref === rentalId);
    expect([round, isBooked]).toEqual([round, isListed]);
    outcomes.add(isBooked ? 'booked first' : String(booked));
    await as((tx) => liftHoldOfSource(tx, { ...source, reason: 'done' }));
  }
  for (const outcome of outcomes)
    expect(['booked first', 'vehicle-unavailable']).toContain(outcome);
}, 60_000);
