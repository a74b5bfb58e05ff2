// A price explains itself, sums, and never falls with a later return.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayCover, durationOf, extraTime, type Quote, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

const PICK_UP = '2027-03-01T09:00:00.000Z';
const THREE_YEARS_MINUTES = 1_096 * 1_440;

/** Any plan that may come into force, in currencies of zero, two and three decimals. */
const anyPlan: fc.Arbitrary<RatePlan> = fc
  .record({
    currency: fc.constantFrom('JPY', 'EUR', 'KWD'),
    day: fc.integer({ min: 1, max: 50_000 }),
    week: fc.integer({ min: 1, max: 300_000 }),
    month: fc.integer({ min: 1, max: 1_000_000 }),
    weekCovers: fc.integer({ min: 2, max: 10 }),
    monthCovers: fc.integer({ min: 11, max: 40 }),
    hourMinor: fc.integer({ min: 0, max: 20_000 }),
    graceMinutes: fc.integer({ min: 0, max: 120 }),
    threshold: fc.integer({ min: 1, max: 1_440 - 120 }),
    vatRateBp: fc.integer({ min: 0, max: 10_000 }),
  })
  .map(({ day, week, month, weekCovers, monthCovers, threshold, ...terms }) =>
    validateRatePlan({
      ...GOLD_1,
      ...terms,
      extraDayThresholdMinutes: terms.graceMinutes + threshold,
      lines: [
        { code: 'day', priceMinor: day, coversDays: 1 },
        { code: 'week', priceMinor: week, coversDays: weekCovers },
        { code: 'month', priceMinor: month, coversDays: monthCovers },
      ],
    }),
  );
const planOrGold = fc.oneof(fc.constant(GOLD_1), anyPlan);
const minutes = fc.integer({ min: 0, max: THREE_YEARS_MINUTES });

function minutesIn(length: number): string {
  return new Date(Date.parse(PICK_UP) + length * 60_000).toISOString();
}

function priceOf(length: number, plan: RatePlan = GOLD_1): Quote {
  return quote({ plan, pickUpAt: PICK_UP, returnAt: minutesIn(length) });
}

describe('a duration', () => {
  test('cuts seconds off', () => {
    const almost = durationOf(PICK_UP, '2027-03-02T09:00:59.999Z', GOLD_1);
    expect(almost).toMatchObject({ minutes: 1_440, excessMinutes: 0, extrasDays: 1 });
  });

  test('is 24 elapsed hours a day, also when a clock changes in between', () => {
    const springForward = durationOf('2027-03-27T10:00+01:00', '2027-03-28T11:00+02:00', GOLD_1);
    expect(springForward).toMatchObject({ wholeDays: 1, excessMinutes: 0 });
    const sameWallClock = durationOf('2027-03-27T10:00+01:00', '2027-03-28T10:00+02:00', GOLD_1);
    expect(sameWallClock).toMatchObject({ wholeDays: 0, excessMinutes: 23 * 60 });
    const fallBack = durationOf('2027-10-30T10:00+02:00', '2027-10-31T10:00+01:00', GOLD_1);
    expect(fallBack).toMatchObject({ wholeDays: 1, excessMinutes: 60 });
  });

  test('of nothing still counts one day', () => {
    const none = durationOf(PICK_UP, PICK_UP, GOLD_1);
    expect(none).toMatchObject({ minutes: 0, wholeDays: 0, chargedDays: 1, extrasDays: 1 });
  });

  test('is refused backwards and without an offset', () => {
    expect(() => priceOf(-1)).toThrow(expect.objectContaining({ code: 'due-not-later' }));
    for (const broken of ['2027-03-02T09:00', 'tomorrow', '']) {
      expect(() => durationOf(PICK_UP, broken, GOLD_1)).toThrow(
        expect.objectContaining({ code: 'invalid-time' }),
      );
    }
  });
});

describe('a later return', () => {
  test('never costs less', () => {
    fc.assert(
      fc.property(planOrGold, minutes, minutes, (plan, one, other) => {
        const [shorter, longer] = [
          priceOf(Math.min(one, other), plan),
          priceOf(Math.max(one, other), plan),
        ];
        expect(longer.netMinor).toBeGreaterThanOrEqual(shorter.netMinor);
        expect(longer.totalMinor).toBeGreaterThanOrEqual(shorter.totalMinor);
      }),
      { numRuns: 1_000 },
    );
  });

  test('never costs less, minute by minute around the ends of days', () => {
    const near = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -130, max: 130 }));
    fc.assert(
      fc.property(planOrGold, near, (plan, [days, offset]) => {
        const length = Math.max(0, days * 1_440 + offset);
        expect(priceOf(length + 1, plan).netMinor).toBeGreaterThanOrEqual(
          priceOf(length, plan).netMinor,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the parts of a price', () => {
  test('sum to the whole, each quantity × unit, VAT rounded once', () => {
    fc.assert(
      fc.property(planOrGold, minutes, (plan, length) => {
        const price = priceOf(length, plan);
        for (const line of price.lines) {
          expect(line.netMinor).toBe(line.quantity * line.unitMinor);
        }
        expect(sum(price.lines.map((line) => line.netMinor))).toBe(price.netMinor);
        expect(sum(price.vat.map((share) => share.baseMinor))).toBe(price.netMinor);
        const twice = 2n * BigInt(price.netMinor) * BigInt(plan.vatRateBp);
        expect(BigInt(price.vatMinor)).toBe((twice + 10_000n) / 20_000n);
        expect(price.totalMinor).toBe(price.netMinor + price.vatMinor);
      }),
      { numRuns: 1_000 },
    );
  });

  test('round VAT on their sum, where line by line would take a unit more', () => {
    const plan: RatePlan = {
      ...GOLD_1,
      currency: 'JPY',
      vatRateBp: 1_000,
      lines: [
        { code: 'day', priceMinor: 5, coversDays: 1 },
        { code: 'week', priceMinor: 15, coversDays: 7 },
      ],
    };
    const price = priceOf(8 * 1_440, plan);
    expect(price.lines.map((line) => line.netMinor)).toEqual([15, 5]);
    expect(price).toMatchObject({ netMinor: 20, vatMinor: 2, totalMinor: 22 });
  });

  test('are explained, longest cover first', () => {
    expect(priceOf((28 + 7 + 2) * 1_440 + 45).lines).toEqual([
      {
        code: 'time.month',
        quantity: 1,
        unit: 'month',
        unitMinor: 70_000,
        basis: { coversDays: 28, wholeDays: 37, excessMinutes: 45 },
        netMinor: 70_000,
        vatRateBp: 2_000,
      },
      expect.objectContaining({ code: 'time.week', quantity: 1, netMinor: 21_000 }),
      expect.objectContaining({ code: 'time.day', quantity: 2, netMinor: 10_000 }),
      expect.objectContaining({ code: 'time.hour', quantity: 1, netMinor: 1_000 }),
    ]);
  });
});

describe('a day cover', () => {
  test('is as cheap as any combination of lines', () => {
    fc.assert(
      fc.property(planOrGold, fc.integer({ min: 1, max: 60 }), (plan, days) => {
        const { netMinor, taken } = dayCover(days, plan);
        expect(netMinor).toBe(cheapestByTrial(days, plan.lines));
        expect(sum(taken.map(({ line, count }) => line.priceMinor * count))).toBe(netMinor);
        expect(sum(taken.map(({ line, count }) => line.coversDays * count))).toBeGreaterThanOrEqual(
          days,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('of equal prices is the one of fewest lines', () => {
    const lines: RatePlan['lines'] = [
      { code: 'day', priceMinor: 5_000, coversDays: 1 },
      { code: 'week', priceMinor: 35_000, coversDays: 7 },
    ];
    expect(dayCover(7, { ...GOLD_1, lines }).taken).toMatchObject([
      { line: { code: 'week' }, count: 1 },
    ]);
  });
});

describe('extra hours', () => {
  test.each([
    [29, 0, 0],
    [30, 1, 1_000],
    [60, 1, 1_000],
    [61, 2, 2_000],
    [89, 2, 2_000],
  ])('of %d minutes are %d', (excess, hours, netMinor) => {
    expect(extraTime(excess, 1, GOLD_1)).toMatchObject({ hours, netMinor });
  });

  test('are not offered from the threshold on, and never cost more than a day', () => {
    expect(extraTime(90, 1, GOLD_1)).toBeNull();
    const dear = { ...GOLD_1, hourMinor: 4_000, extraDayThresholdMinutes: 600 };
    expect(extraTime(300, 1, dear)).toMatchObject({ hours: 5, netMinor: 5_000 });
  });
});

/** Tries every number of longer lines and fills the rest with days: slow, and plainly right. */
function cheapestByTrial(days: number, [first, ...rest]: RatePlan['lines']): number {
  if (days <= 0) return 0;
  if (first === undefined) return Number.POSITIVE_INFINITY;
  const most = Math.ceil(days / first.coversDays);
  const prices = Array.from({ length: most + 1 }, (_, count) => {
    const others = cheapestByTrial(days - count * first.coversDays, rest);
    return count * first.priceMinor + others;
  });
  return Math.min(...prices);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
