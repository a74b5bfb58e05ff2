// Several vehicles in one rental, worked out by hand: distance, fuel, upgrades, and what each earns.
import { describe, expect, test } from 'vitest';
import { upgradeDifference, withUpgrade } from '../../domain/pricing/upgrade.ts';
import { finalQuote, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';
import { revenueOf, upgradeTimes } from '../../domain/rental/segment.ts';
import { type UsedVehicle, usageOfAll } from '../../domain/rental/usage.ts';
import {
  decide,
  type Exchange,
  type ExchangedVehicle,
  evolve,
  type RentalState,
} from '../../domain/rental.ts';

/** Monday 2027-03-01 10:00 in Vienna. */
const PICK_UP = '2027-03-01T09:00:00.000Z';
const days = (n: number) => new Date(Date.parse(PICK_UP) + n * 86_400_000).toISOString();
const gold = (terms: Partial<RatePlan>): RatePlan => validateRatePlan({ ...GOLD_1, ...terms });
const PLAN = gold({
  fuel: { policy: 'same', unit: 'l', unitMinor: 2_00, tank: 48, serviceMinor: 10_00 },
  mileage: { kind: 'daily', unit: 'km', included: 100, overMinor: 20, pooled: true },
});
const tank = (tankLitres: number) => ({ energy: 'petrol', tankLitres, batteryKwh: null });

/** 180 km with a tank of 48 litres, then 220 km with one of 64; two and four eighths are missing. */
const FIRST: UsedVehicle = {
  out: { odometerKm: 10_000, fuelEighths: 8 },
  back: { odometerKm: 10_180, fuelEighths: 6 },
  tank: tank(48),
  brokeDown: false,
};
const SECOND: UsedVehicle = {
  out: { odometerKm: 500, fuelEighths: 7 },
  back: { odometerKm: 720, fuelEighths: 3 },
  tank: tank(64),
  brokeDown: false,
};

function final(vehicles: readonly UsedVehicle[], plan = PLAN) {
  const request = { plan, pickUpAt: PICK_UP };
  const booked = quote({ ...request, returnAt: days(3) });
  const times = { returnAt: days(3), dueAt: days(3) };
  return finalQuote({ ...request, ...usageOfAll(plan, vehicles), ...times, booked });
}
const linesOf = (price: ReturnType<typeof final>) =>
  price.lines.map(({ code, netMinor, basis }) => [code, netMinor, basis['segment'] ?? 0]);

describe('what several vehicles used', () => {
  test('km are pooled, fuel is of each tank, days count once', () => {
    const price = final([FIRST, SECOND]);
    const time = price.lines.filter(({ code }) => code.startsWith('time.'));
    expect(time).toEqual(final([FIRST]).lines.filter(({ code }) => code.startsWith('time.')));
    // 400 km, 300 free: 100 × 0.20. 2/8 of 48 l and 4/8 of 64 l at 2.00, and one service.
    expect(linesOf(price).slice(time.length)).toEqual([
      ['mileage.over', 20_00, 0],
      ['fuel.used', 24_00, 1],
      ['fuel.used', 64_00, 2],
      ['fuel.service', 10_00, 0],
    ]);
  });

  test('km short on one vehicle make up for those over on the other', () => {
    const near = { ...SECOND, back: { ...SECOND.back, odometerKm: 600 } };
    expect(linesOf(final([FIRST, near])).some(([code]) => code === 'mileage.over')).toBe(false);
  });

  test('what broke down costs no fuel, its km count', () => {
    expect(linesOf(final([{ ...FIRST, brokeDown: true }, SECOND])).slice(-3)).toEqual([
      ['mileage.over', 20_00, 0],
      ['fuel.used', 64_00, 2],
      ['fuel.service', 10_00, 0],
    ]);
  });

  test('miles are rounded once, on the sum', () => {
    const miles = gold({
      mileage: { kind: 'daily', unit: 'mi', included: 10, overMinor: 1, pooled: true },
    });
    const short = (km: number): UsedVehicle => ({
      ...FIRST,
      back: { ...FIRST.out, odometerKm: FIRST.out.odometerKm + km },
    });
    // 80.9 + 80.9 km are 100.5 miles; each by itself would be 50.
    expect(usageOfAll(miles, [short(81), short(81)]).distance).toBe(100);
    expect(usageOfAll(miles, [short(81), short(80)]).distance).toBe(100);
  });
});

describe('an upgrade that is paid for', () => {
  const [day] = GOLD_1.lines;
  const only = (priceMinor: number, terms: Partial<RatePlan> = {}) =>
    gold({ ...terms, lines: [{ ...day, priceMinor } as (typeof GOLD_1.lines)[number]] });
  const booked = only(50_00);
  const better = only(80_00, { id: 'BETTER' });

  test.each([
    // From, until, what the better class costs more: 30.00 a day for the days of the rest.
    [1, 4, 90_00],
    [0, 1, 30_00],
    // The rest is a day and some hours more: both plans price those the same.
    [2, 3.05, 30_00],
    // Three hours over are a day of their own.
    [2, 3.125, 60_00],
    [1, 1, 0],
  ])('from day %d to day %d costs %d more', (from, until, expected) => {
    const rest = { from: days(from), until: days(until) };
    const more = from === until ? 0 : upgradeDifference(booked, better, rest);
    expect(more).toBe(expected);
  });

  test('never costs less than nothing, and has one currency', () => {
    const rest = { from: days(1), until: days(4) };
    expect(upgradeDifference(better, booked, rest)).toBe(0);
    const dollars = { ...better, currency: 'USD' };
    expect(() => upgradeDifference(booked, dollars, rest)).toThrow('another currency');
  });

  test('is one line beside those that were agreed, taxed like the hire', () => {
    const request = { plan: booked, pickUpAt: PICK_UP, returnAt: days(4) };
    const before = quote(request);
    const priced = withUpgrade(before, 90_00, request);
    expect(priced.netMinor).toBe(before.netMinor + 90_00);
    expect(priced.totalMinor).toBe(before.totalMinor + 108_00);
    expect(withUpgrade(priced, 0, request)).toEqual(before);
  });

  test('goes on with a vehicle of the same class, and its days count once', () => {
    const [id, other] = [
      { id: 'UP', version: 1 },
      { id: 'UP', version: 2 },
    ] as const;
    const at = (from: number, to: number | null, upgrade: typeof id | typeof other | null) => ({
      from: days(from),
      to: to === null ? null : days(to),
      upgrade,
    });
    const one = [at(0, 1, null), at(1, 2, id), at(2, null, id)];
    expect(upgradeTimes(one, days(5))).toEqual([{ from: days(1), until: days(5), plan: id }]);
    const two = [at(0, 1, id), at(1, 2, null), at(2, null, other)];
    expect(upgradeTimes(two, days(3))).toEqual([
      { from: days(0), until: days(1), plan: id },
      { from: days(2), until: days(3), plan: other },
    ]);
  });
});

describe('the revenue of each vehicle', () => {
  const price = (netMinor: number, ...fuel: readonly (readonly [number, number])[]) => ({
    netMinor,
    lines: fuel.map(([segment, amount]) => ({
      ...{ code: 'fuel.used' as const, quantity: 1, unitMinor: amount, netMinor: amount },
      ...{ basis: { segment }, vatRateBp: 2_000 },
    })),
  });
  const thirds = [
    { from: days(0), to: days(1) },
    { from: days(1), to: days(2) },
    { from: days(2), to: null },
  ];

  test('is by its own seconds, and the parts are the whole', () => {
    expect(revenueOf(price(100_00), thirds, days(3))).toEqual([33_34, 33_33, 33_33]);
    expect(revenueOf(price(100_00), thirds, days(4))).toEqual([25_00, 25_00, 50_00]);
  });

  test('with its own fuel on top of its share', () => {
    const shared = revenueOf(price(130_00, [1, 10_00], [3, 20_00]), thirds, days(3));
    expect(shared).toEqual([43_34, 33_33, 53_33]);
  });

  test('of one vehicle is all, also when it was back at once', () => {
    expect(revenueOf(price(99_99), [{ from: days(0), to: days(0) }], days(0))).toEqual([99_99]);
  });
});

describe('the command', () => {
  const reading = { odometerKm: 100, fuelEighths: 8 };
  const active = { status: 'active', vehicleId: 'first', odometerOutKm: 100 } as RentalState;

  test.each<[string, Partial<Exchange>]>([
    ['none', {}],
    ['odometer-rollback', { odometerKm: 99 }],
    ['value-refused', { taken: { vehicleId: 'first' } }],
    ['value-refused', { paidUpgrade: true }],
    ['none', { paidUpgrade: true, reason: 'upgrade' }],
  ])('%s: %o', (code, more) => {
    const given = { type: 'exchange', reason: 'customer', branchId: 'VIE', ...reading } as const;
    const decided = () => decide(active, { ...given, ...more }, PICK_UP);
    if (code === 'none') expect(decided()).toMatchObject(more);
    else expect(decided).toThrow(expect.objectContaining({ code }));
  });

  test('turns to the other vehicle, and remembers the one before', () => {
    const out = { odometerKm: 10, fuelEighths: 7 };
    const before: ExchangedVehicle = {
      ...{ vehicleId: 'first', reason: 'fleet', branchId: 'VIE', out, back: reading },
      ...{ from: days(0), to: days(1) },
    };
    const price = quote({ plan: PLAN, pickUpAt: PICK_UP, returnAt: days(3) });
    const done = { at: days(1), version: 3, reassigned: [], before, price } as const;
    const now = evolve(active, { ...done, ...out, type: 'exchanged', vehicleId: 'second' });
    expect(now).toMatchObject({ vehicleId: 'second', odometerOutKm: 10, fuelOutEighths: 7 });
    expect(now).toMatchObject({ status: 'active', exchanged: [before], version: 3 });
  });
});
