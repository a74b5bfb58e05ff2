// A rate plan comes into force only when every price by it is defined.
import { describe, expect, test } from 'vitest';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

describe('a rate plan', () => {
  const [day, week, month] = GOLD_1.lines;
  const season = { code: 'summer', from: '2027-07-01', to: '2027-08-31', percentBp: 12_500 };
  const promotion = {
    code: 'spring',
    discountBp: 1_000,
    pickUpFrom: '2027-03-01',
    pickUpTo: '2027-05-31',
    withRate: false,
  };
  const [cdw] = GOLD_1.coverages ?? [];
  const [young] = GOLD_1.ageBands ?? [];
  const [airport] = GOLD_1.surcharges ?? [];
  const broken: readonly (readonly [string, object])[] = [
    ['id', { id: 'gold 1' }],
    ['version', { version: 0 }],
    ['currency', { currency: 'XXX' }],
    ['lines', { lines: [] }],
    ['lines', { lines: [week, month] }],
    ['lines', { lines: [{ ...day, coversDays: 2 }] }],
    ['lines', { lines: [day, week, week] }],
    ['lines', { lines: [day, { ...week, coversDays: 0 }] }],
    ['lines', { lines: [{ ...day, priceMinor: 49.5 }] }],
    ['lines', { lines: [{ ...day, priceMinor: 0 }] }],
    ['lines', { lines: [day, { code: 'year', priceMinor: 1, coversDays: 365 }] }],
    ['hourMinor', { hourMinor: -1 }],
    ['graceMinutes', { graceMinutes: 1_440 }],
    ['extraDayThresholdMinutes', { extraDayThresholdMinutes: 29 }],
    ['minimum', { minimum: 'week' }],
    ['dayBasis', { dayBasis: 'sundial' }],
    ['vatRateBp', { vatRateBp: 10_001 }],
    ['branches', { branches: [] }],
    ['classes', { classes: [] }],
    ['pricesInclude', { pricesInclude: 'tips' }],
    ['earlyReturn', { earlyReturn: 'refuse' }],
    ['extension', { extension: 'whole' }],
    ['bands[0].fromDays', { bands: [{ fromDays: 1, dayMinor: 5_000 }] }],
    [
      'bands[1].dayMinor',
      {
        bands: [
          { fromDays: 3, dayMinor: 4_000 },
          { fromDays: 7, dayMinor: 4_500 },
        ],
      },
    ],
    ['weekend.until', { weekend: { priceMinor: 1, from: 10_080 - 1, until: 10_080 } }],
    ['weekend.priceMinor', { weekend: { priceMinor: 0, from: 1, until: 2 } }],
    ['partDays[0].fromMinutes', { partDays: [{ fromMinutes: 60, percentBp: 2_500 }] }],
    [
      'partDays[1].percentBp',
      {
        partDays: [
          { fromMinutes: 30, percentBp: 5_000 },
          { fromMinutes: 60, percentBp: 2_500 },
        ],
      },
    ],
    ['seasons[0].to', { seasons: [{ ...season, to: '2027-06-30' }] }],
    ['seasons[0].from', { seasons: [{ ...season, from: '2027-06-31' }] }],
    ['seasons[1].from', { seasons: [season, { ...season, code: 'late', from: '2027-08-31' }] }],
    ['seasons[0].lines', { seasons: [{ ...season, lines: [week] }] }],
    ['utilisation[0].percentBp', { utilisation: [{ fromBp: 8_000, percentBp: 0 }] }],
    ['rates[0].lines', { rates: [{ code: 'acme', kind: 'corporate' }] }],
    ['rates[0].lines', { rates: [{ code: 'acme', kind: 'corporate', lines: [week] }] }],
    ['rates[0].code', { rates: [{ code: 'A C', kind: 'corporate', discountBp: 1 }] }],
    ['promotions[0].discountBp', { promotions: [{ ...promotion, amountMinor: 100 }] }],
    ['promotions[0].pickUpTo', { promotions: [{ ...promotion, pickUpTo: '2027-02-28' }] }],
    ['coverages[1].code', { coverages: [cdw, cdw] }],
    ['coverages[0].needs', { coverages: [{ ...cdw, needs: ['ldw'] }] }],
    ['extras[0].dailyMinor', { extras: [{ code: 'gps', kind: 'daily', dailyMinor: 0.5 }] }],
    [
      'extras[0].basis',
      { extras: [{ code: 'gps', kind: 'percentage', percentBp: 500, basis: [] }] },
    ],
    ['ageBands[1].fromAge', { ageBands: [young, { ...young, code: 'other', fromAge: 24 }] }],
    ['additionalDriver.free', { additionalDriver: { dailyMinor: 1, free: -1 } }],
    ['surcharges[0].maxDays', { surcharges: [{ ...airport, maxDays: 0 }] }],
    [
      'percentageFees[0].percentBp',
      { percentageFees: [{ code: 'x', percentBp: 1e5, basis: 'total' }] },
    ],
    [
      'oneWay.pairs[0].to',
      { oneWay: { defaultMinor: 0, pairs: [{ from: 'VIE', to: 'VIE', feeMinor: 1 }] } },
    ],
    ['mileage.included', { mileage: { ...GOLD_1.mileage, included: 0.5 } }],
    ['fuel.tank', { fuel: { ...GOLD_1.fuel, tank: 0 } }],
    [
      'returnChange.feeMinor',
      { returnChange: { feeMinor: -1, earlierMinutes: 0, laterMinutes: 0 } },
    ],
    ['lateReturn.maxDays', { lateReturn: { dailyMinor: 1, afterMinutes: 0, maxDays: 0 } }],
    ['cancellation.lateMinor', { cancellation: { earlyMinor: 2, lateMinor: 1, lateMinutes: 1 } }],
  ];

  test.each(broken)('is refused for its %s: %o', (field, change) => {
    expect(() => validateRatePlan({ ...GOLD_1, ...change })).toThrow(
      expect.objectContaining({
        code: 'rate-plan-invalid',
        details: expect.objectContaining({ field }),
      }),
    );
  });

  test('is refused with all of its problems at once', () => {
    const bad = { ...GOLD_1, version: 0, hourMinor: -1 };
    expect(() => validateRatePlan(bad)).toThrow(
      expect.objectContaining({
        details: {
          field: 'version',
          problems: [
            { path: 'version', rule: 'counts from 1' },
            { path: 'hourMinor', rule: 'is a whole amount' },
          ],
        },
      }),
    );
  });

  test('GOLD-1 is valid, and so is a plan of before its newer terms', () => {
    expect(validateRatePlan(GOLD_1)).toBe(GOLD_1);
    const { id, version, currency, lines, hourMinor, graceMinutes } = GOLD_1;
    const { extraDayThresholdMinutes, minimum, dayBasis, vatRateBp } = GOLD_1;
    const time = { lines, hourMinor, graceMinutes, extraDayThresholdMinutes, minimum, dayBasis };
    const old: RatePlan = { id, version, currency, ...time, vatRateBp };
    expect(validateRatePlan(old)).toBe(old);
  });
});
