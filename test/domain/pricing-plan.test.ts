// A rate plan comes into force only when every price by it is defined.
import { describe, expect, test } from 'vitest';
import { GOLD_1, validateRatePlan } from '../../domain/rate-plan.ts';

describe('a rate plan', () => {
  const [day, week, month] = GOLD_1.lines;
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
    ['minimum', { minimum: 'hours' }],
    ['dayBasis', { dayBasis: 'wallClock' }],
    ['vatRateBp', { vatRateBp: 10_001 }],
  ];

  test.each(broken)('is refused for its %s: %o', (field, change) => {
    expect(() => validateRatePlan({ ...GOLD_1, ...change })).toThrow(
      expect.objectContaining({ code: 'rate-plan-invalid', details: { field } }),
    );
  });

  test('GOLD-1 is valid', () => {
    expect(validateRatePlan(GOLD_1)).toBe(GOLD_1);
  });
});
