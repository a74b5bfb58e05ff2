// Each further term of a plan, on GOLD-1: seasons, rates, promotions, bands, places, tax.
import { describe, expect, test } from 'vitest';
import { clockOf } from '../../domain/calendar.ts';
import { driversOf, type QuoteRequest, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

const PICK_UP = '2027-03-01T09:00:00.000Z';
const DAY = 1_440;

function priced(minutes: number, plan: RatePlan = GOLD_1, more: Partial<QuoteRequest> = {}) {
  const pickUpAt = more.pickUpAt ?? PICK_UP;
  const returnAt = new Date(Date.parse(pickUpAt) + minutes * 60_000).toISOString();
  const clock = clockOf('Europe/Vienna', pickUpAt, returnAt);
  return quote({ plan: validateRatePlan(plan), clock, ...more, pickUpAt, returnAt });
}

const terms = (more: Partial<RatePlan>): RatePlan => ({ ...GOLD_1, ...more });

describe('time', () => {
  test('of a season is the price of the day on which a line starts', () => {
    const seasons = [{ code: 'fair', from: '2027-03-03', to: '2027-03-04', percentBp: 15_000 }];
    // Monday 50, Tuesday 50, Wednesday 75; a week that starts on Monday is 210 all the same.
    expect(priced(3 * DAY, terms({ seasons })).lines).toMatchObject([
      { code: 'time.day', quantity: 2, unitMinor: 50_00 },
      { code: 'time.day', what: 'fair', quantity: 1, unitMinor: 75_00 },
    ]);
    expect(priced(5 * DAY, terms({ seasons })).netMinor).toBe(210_00);
    // Local dates: 23:30 UTC on the 2nd is the 3rd in Vienna.
    const pickUpAt = '2027-03-02T23:30:00.000Z';
    expect(priced(DAY, terms({ seasons }), { pickUpAt }).netMinor).toBe(75_00);
  });

  test('follows the highest step of utilisation that is reached', () => {
    const utilisation = [
      { fromBp: 8_000, percentBp: 11_000 },
      { fromBp: 9_500, percentBp: 13_000 },
    ];
    const at = (utilisationBp: number) => priced(DAY, terms({ utilisation }), { utilisationBp });
    expect([7_999, 8_000, 9_499, 10_000].map((bp) => at(bp).netMinor)).toEqual([
      50_00, 55_00, 55_00, 65_00,
    ]);
  });

  test('of a negotiated rate has its own lines, or a discount of its own', () => {
    const plan = terms({
      seasons: [{ code: 'fair', from: '2027-03-01', to: '2027-03-31', percentBp: 15_000 }],
      rates: [
        {
          code: 'acme',
          kind: 'corporate',
          lines: [{ code: 'day', priceMinor: 40_00, coversDays: 1 }],
        },
        { code: 'agency', kind: 'agent', discountBp: 1_000 },
      ],
    });
    expect(priced(2 * DAY, plan, { rate: 'acme' }).netMinor).toBe(80_00);
    expect(priced(2 * DAY, plan, { rate: 'agency' }).lines).toMatchObject([
      { code: 'time.day', netMinor: 150_00 },
      { code: 'discount.agent', what: 'agency', netMinor: -15_00 },
    ]);
    expect(() => priced(DAY, plan, { rate: 'nobody' })).toThrow(
      expect.objectContaining({
        code: 'value-refused',
        details: { field: 'rate', code: 'nobody' },
      }),
    );
  });

  test('of a promotion is less, within its dates and never below nothing', () => {
    const promotions: RatePlan['promotions'] = [
      {
        code: 'ten',
        discountBp: 1_000,
        pickUpFrom: '2027-03-01',
        pickUpTo: '2027-03-01',
        bookUntil: '2027-02-15',
        withRate: false,
      },
      {
        code: 'gift',
        amountMinor: 80_00,
        pickUpFrom: '2027-03-01',
        pickUpTo: '2027-03-31',
        withRate: true,
      },
    ];
    const plan = terms({ promotions, rates: [{ code: 'acme', kind: 'corporate', discountBp: 1 }] });
    const ten = { promotion: 'ten' };
    expect(priced(DAY, plan, { ...ten, bookedOn: '2027-02-15' }).netMinor).toBe(45_00);
    expect(priced(DAY, plan, { promotion: 'gift' }).netMinor).toBe(0);
    const late = { pickUpAt: '2027-03-02T09:00:00.000Z' };
    const refused = [{ bookedOn: '2027-02-16' }, late, { rate: 'acme' }];
    for (const more of refused) {
      expect(() => priced(DAY, plan, { ...ten, ...more })).toThrow(
        expect.objectContaining({ code: 'value-refused' }),
      );
    }
  });

  test('of bands may be bought longer than used', () => {
    const plan = terms({
      lines: [{ code: 'day', priceMinor: 55_00, coversDays: 1 }],
      bands: [{ fromDays: 7, dayMinor: 45_00 }],
    });
    // 5 × 55 = 275; 6 × 55 = 330 > 7 × 45 = 315.
    expect([5, 6, 7, 8].map((days) => priced(days * DAY, plan).netMinor)).toEqual([
      275_00, 315_00, 315_00, 360_00,
    ]);
    expect(priced(8 * DAY, plan).lines).toMatchObject([
      { code: 'time.band', quantity: 8, unit: 'day', unitMinor: 45_00 },
    ]);
  });

  test('under a day is hours up to the day, where the plan says so', () => {
    const plan = terms({ minimum: 'hours' });
    expect([20, 60, 61, 299, 301].map((minutes) => priced(minutes, plan).netMinor)).toEqual([
      10_00, 10_00, 20_00, 50_00, 50_00,
    ]);
  });

  test('after the last day is a part of the day, where the plan says so', () => {
    const plan = terms({
      extraDayThresholdMinutes: 300,
      partDays: [
        { fromMinutes: 30, percentBp: 2_500 },
        { fromMinutes: 120, percentBp: 6_000 },
      ],
    });
    const after = (minutes: number) => priced(DAY + minutes, plan).netMinor;
    expect([29, 30, 119, 120, 300].map(after)).toEqual([50_00, 62_50, 62_50, 80_00, 100_00]);
  });

  test.each([
    ['elapsed', '2027-03-27T09:00:00.000Z', '2027-03-28T08:00:00.000Z', 0, 50_00],
    ['wallClock', '2027-03-27T09:00:00.000Z', '2027-03-28T08:30:00.000Z', 1, 60_00],
    ['elapsed', '2027-10-30T08:00:00.000Z', '2027-10-31T09:00:00.000Z', 1, 60_00],
    ['wallClock', '2027-10-30T08:00:00.000Z', '2027-10-31T09:00:00.000Z', 1, 50_00],
  ] as const)('by %s from %s to %s is %d days', (dayBasis, pickUpAt, returnAt, days, netMinor) => {
    const clock = clockOf('Europe/Vienna', pickUpAt, returnAt);
    const price = quote({ plan: terms({ dayBasis }), pickUpAt, returnAt, clock });
    expect([price.duration.wholeDays, price.netMinor]).toEqual([days, netMinor]);
  });

  test('by the wall clock stands still while a clock shows an hour again', () => {
    const at = (returnAt: string) =>
      quote({
        plan: terms({ dayBasis: 'wallClock' }),
        pickUpAt: '2027-10-30T08:00:00.000Z',
        returnAt,
        clock: clockOf('Europe/Vienna', '2027-10-30T08:00:00.000Z', returnAt),
      }).duration.minutes;
    // 02:59 in summer time, 02:30 in winter time, 03:01.
    const instants = ['2027-10-31T00:59:00Z', '2027-10-31T01:30:00Z', '2027-10-31T02:01:00Z'];
    expect(instants.map(at)).toEqual([1_019, 1_020, 1_021]);
  });

  test('is a whole day more where that is cheaper than hours', () => {
    // 4 days 200 and two hours 20, or a week 210.
    expect(priced(4 * DAY + 61).netMinor).toBe(210_00);
  });
});

describe('beside time', () => {
  test('coverages say what the renter still bears, and what they need', () => {
    const plan = terms({
      coverages: [
        { code: 'cdw', dailyMinor: 12_00, excessMinor: 500_00, excludes: ['ldw'] },
        { code: 'ldw', dailyMinor: 20_00, maxMinor: 50_00, excessMinor: 300_00 },
        { code: 'zero', dailyMinor: 5_00, excessMinor: 0, needs: ['cdw', 'ldw'] },
      ],
    });
    expect(priced(3 * DAY, plan, { coverages: ['ldw', 'zero'] }).lines).toMatchObject([
      { code: 'time.day' },
      { code: 'coverage.ldw', netMinor: 50_00, basis: { excessMinor: 300_00 } },
      { code: 'coverage.zero', netMinor: 15_00, basis: { excessMinor: 0 } },
    ]);
    for (const coverages of [['zero'], ['cdw', 'ldw'], ['none']]) {
      expect(() => priced(DAY, plan, { coverages })).toThrow(
        expect.objectContaining({ code: 'value-refused' }),
      );
    }
  });

  test('extras are daily up to a price, fixed, or a per cent without itself', () => {
    const plan = terms({
      extras: [
        { code: 'gps', kind: 'daily', dailyMinor: 10_00, maxMinor: 25_00 },
        { code: 'map', kind: 'fixed', priceMinor: 7_00 },
        { code: 'flex', kind: 'percentage', percentBp: 1_000, basis: 'total' },
        { code: 'time', kind: 'percentage', percentBp: 1_000, basis: ['time'] },
      ],
    });
    const codes = ['gps', 'map', 'flex', 'time'];
    const extras = codes.map((code) => ({ code, count: code === 'gps' ? 2 : 1 }));
    // 3 days 150, GPS 2 × 25, map 7: 207.00; 10 % of it, and of time alone.
    expect(priced(3 * DAY, plan, { extras }).lines.map((line) => line.netMinor)).toEqual([
      150_00, 50_00, 7_00, 20_70, 15_00,
    ]);
  });

  test('mileage is of all days, of each, of periods, or unlimited', () => {
    const daily = { kind: 'daily', unit: 'km', included: 200, overMinor: 25 } as const;
    const period = { ...daily, kind: 'period', included: 1_000, days: 30, pooled: true } as const;
    const over = (mileage: RatePlan['mileage'], distance: number | readonly number[], days = 2) =>
      priced(days * DAY, terms({ mileage }), { distance }).lines.find(
        ({ code }) => code === 'mileage.over',
      )?.quantity ?? 0;
    expect(over({ ...daily, pooled: true }, [100, 350])).toBe(50);
    expect(over({ ...daily, pooled: false }, [100, 350])).toBe(150);
    expect(over(period, 1_200)).toBe(200);
    expect(over(period, 2_050, 31)).toBe(50);
    expect(over({ kind: 'unlimited', unit: 'km' }, 90_000)).toBe(0);
  });

  test('ways, surcharges and fees follow the branches', () => {
    const plan = terms({
      oneWay: { defaultMinor: null, pairs: [{ from: 'VIE', to: 'GRZ', feeMinor: 30_00 }] },
      surcharges: [{ code: 'airport', dailyMinor: 2_50, branches: ['VIE'] }],
    });
    const way = { branchId: 'VIE', returnBranchId: 'GRZ' };
    expect(priced(2 * DAY, plan, way).netMinor).toBe(135_00);
    expect(priced(2 * DAY, plan, { branchId: 'GRZ' }).netMinor).toBe(100_00);
    expect(() => priced(DAY, plan, { branchId: 'GRZ', returnBranchId: 'VIE' })).toThrow(
      expect.objectContaining({ details: { field: 'returnBranchId', code: '' } }),
    );
  });

  test('a battery is charged by twentieths, a prepaid tank whole', () => {
    const fuel = { policy: 'same', unit: 'l', unitMinor: 2_10, tank: 48, kWhMinor: 50 } as const;
    // 60 kWh × 0.50 × 7/20 = 10.50; 36 % used are seven steps of 5 %.
    const battery = { kind: 'battery', out: 90, back: 54, scale: 100, capacity: 60 } as const;
    expect(priced(DAY, terms({ fuel }), { fuel: battery }).netMinor).toBe(60_50);
    const prepaid = { ...fuel, policy: 'prepaid' } as const;
    expect(priced(DAY, terms({ fuel: prepaid })).netMinor).toBe(150_80);
  });

  test('drivers are known by age bands, not by ages', () => {
    expect(driversOf([40, 22, 24, 25], GOLD_1)).toEqual({
      bands: ['young', 'young'],
      additional: 3,
    });
    const price = priced(2 * DAY, GOLD_1, { drivers: driversOf([22, 19], GOLD_1) });
    expect(price.netMinor).toBe(100_00 + 2 * 2 * 25_00);
  });
});
