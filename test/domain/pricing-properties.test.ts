// What holds for every plan: later never costs less, parts sum to the whole, covers are cheapest.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clockOf } from '../../domain/calendar.ts';
import { tariffOf } from '../../domain/pricing/tariff.ts';
import {
  cycleAmounts,
  cycleEnds,
  type QuoteRequest,
  quote,
  timePrice,
} from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

const DAY = 1_440;
/** Over both clock changes, from a Friday noon in Vienna. */
const PICK_UPS = ['2027-03-26T11:00:00.000Z', '2027-10-29T10:00:00.000Z'] as const;
const CLOCK = clockOf('Europe/Vienna', PICK_UPS[0], '2028-12-31T00:00:00.000Z');
const SUMMER = { code: 'summer', from: '2027-04-02', to: '2027-04-20' };

const lines = fc
  .record({
    day: fc.integer({ min: 1, max: 20_000 }),
    week: fc.integer({ min: 1, max: 100_000 }),
    weekCovers: fc.integer({ min: 2, max: 9 }),
  })
  .map(({ day, week, weekCovers }): RatePlan['lines'] => [
    { code: 'day', priceMinor: day, coversDays: 1 },
    { code: 'week', priceMinor: week, coversDays: weekCovers },
  ]);
const seasons = fc.oneof(
  fc.constant([]),
  fc.integer({ min: 1, max: 40_000 }).map((percentBp) => [{ ...SUMMER, percentBp }]),
  lines.map((own) => [{ ...SUMMER, lines: own }]),
);
const partDays = fc.option(
  fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 })).map((two) => {
    const [low = 0, high = 0] = two.toSorted((a, b) => a - b);
    return [
      { fromMinutes: 0, percentBp: low },
      { fromMinutes: 60, percentBp: high },
    ];
  }),
  { nil: undefined },
);
const bands = fc.option(
  fc.integer({ min: 1, max: 9_000 }).map((dayMinor) => [
    { fromDays: 3, dayMinor: dayMinor + 500 },
    { fromDays: 7, dayMinor },
  ]),
  { nil: undefined },
);

/** Plans with every kind of line that a later return may move, in 0, 2 and 3 decimals. */
const anyPlan: fc.Arbitrary<RatePlan> = fc
  .record({
    currency: fc.constantFrom('JPY', 'EUR', 'KWD'),
    lines,
    seasons,
    partDays,
    bands,
    hourMinor: fc.integer({ min: 0, max: 9_000 }),
    minimum: fc.constantFrom('day', 'hours'),
    dayBasis: fc.constantFrom('elapsed', 'wallClock'),
    pricesInclude: fc.constantFrom('none', 'vat'),
    vatRateBp: fc.integer({ min: 0, max: 10_000 }),
    weekend: fc.integer({ min: 1, max: 60_000 }),
    discountBp: fc.integer({ min: 0, max: 10_000 }),
    stepBp: fc.integer({ min: 1, max: 30_000 }),
  })
  .map(({ weekend, discountBp, stepBp, ...terms }) =>
    validateRatePlan({
      ...GOLD_1,
      ...terms,
      weekend: { from: 4 * DAY + 720, until: 720, priceMinor: weekend },
      utilisation: [{ fromBp: 8_000, percentBp: stepBp }],
      rates: [{ code: 'acme', kind: 'corporate', discountBp }],
      promotions: [
        {
          code: 'five-off',
          amountMinor: 500,
          pickUpFrom: '2027-01-01',
          pickUpTo: '2027-12-31',
          withRate: true,
        },
      ],
      percentageFees: [{ code: 'all', percentBp: 1_111, basis: 'total' }],
    }),
  );

const chosen = fc.record(
  {
    rate: fc.constant('acme'),
    promotion: fc.constant('five-off'),
    utilisationBp: fc.constantFrom(0, 9_000),
    surcharges: fc.subarray(['airport', 'vl', 'all']),
    coverages: fc.constant(['cdw']),
    extras: fc.integer({ min: 1, max: 3 }).map((count) => [{ code: 'item', count }]),
    drivers: fc.constant({ bands: ['young'], additional: 1 }),
    returnBranchId: fc.constantFrom('VIE', 'GRZ'),
  },
  { requiredKeys: [] },
);

type Asked = Omit<QuoteRequest, 'returnAt'>;
const anyRental: fc.Arbitrary<Asked> = fc
  .record({
    plan: anyPlan,
    pickUpAt: fc.constantFrom(...PICK_UPS),
    asked: chosen,
  })
  .map(({ plan, pickUpAt, asked }) => ({
    plan,
    pickUpAt,
    branchId: 'VIE',
    clock: CLOCK,
    ...(asked as Partial<Asked>),
  }));

function priceOf(asked: Asked, minutes: number, more: Partial<QuoteRequest> = {}) {
  const returnAt = new Date(Date.parse(asked.pickUpAt) + minutes * 60_000).toISOString();
  return quote({ ...asked, ...more, returnAt });
}

describe('a later return', () => {
  test('never costs less, however far', () => {
    const minutes = fc.integer({ min: 0, max: 60 * DAY });
    fc.assert(
      fc.property(anyRental, minutes, minutes, (asked, one, other) => {
        const shorter = priceOf(asked, Math.min(one, other));
        const longer = priceOf(asked, Math.max(one, other));
        expect(longer.netMinor).toBeGreaterThanOrEqual(shorter.netMinor);
        expect(longer.totalMinor).toBeGreaterThanOrEqual(shorter.totalMinor);
      }),
      { numRuns: 500 },
    );
  });

  test('never costs less, minute by minute around the ends of days and clock changes', () => {
    const near = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: -600, max: 600 }));
    fc.assert(
      fc.property(anyRental, near, (asked, [days, offset]) => {
        const minutes = Math.max(0, days * DAY + offset);
        const [now, later] = [priceOf(asked, minutes), priceOf(asked, minutes + 1)];
        expect(later.netMinor).toBeGreaterThanOrEqual(now.netMinor);
      }),
      { numRuns: 500 },
    );
  });

  test('may cost less where more distance is included, as the page says', () => {
    const asked = { plan: GOLD_1, pickUpAt: PICK_UPS[0], distance: 2_000 };
    expect(priceOf(asked, 7 * DAY).netMinor).toBeLessThan(priceOf(asked, 6 * DAY).netMinor);
  });
});

describe('a price', () => {
  test('is the sum of its lines, with VAT once a rate, in any currency', () => {
    const minutes = fc.integer({ min: 0, max: 40 * DAY });
    fc.assert(
      fc.property(anyRental, minutes, (asked, length) => {
        const fuel = { kind: 'tank', out: 8, back: 3, scale: 8 } as const;
        const price = priceOf(asked, length, { distance: 9_000, fuel });
        const isGross = asked.plan.pricesInclude === 'vat';
        for (const line of price.lines) {
          const whole = isGross ? line.grossMinor : line.netMinor;
          expect(line.quantity * line.unitMinor).toBe(whole);
        }
        expect(sum(price.lines.map((line) => line.netMinor))).toBe(price.netMinor);
        expect(price.vat).toHaveLength(1);
        expect(price.totalMinor).toBe(price.netMinor + price.vatMinor);
        const rate = BigInt(asked.plan.vatRateBp);
        const [base, of] = isGross
          ? [BigInt(price.totalMinor), 10_000n + rate]
          : [BigInt(price.netMinor), 10_000n];
        expect(BigInt(price.vatMinor)).toBe((2n * base * rate + of) / (2n * of));
      }),
      { numRuns: 500 },
    );
  });

  test('is the sum of its cycles', () => {
    const days = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(anyRental, days, fc.constantFrom(28, 30), (asked, length, cycle) => {
        const returnAt = new Date(Date.parse(asked.pickUpAt) + length * DAY * 60_000).toISOString();
        const request = { ...asked, returnAt };
        const amounts = cycleAmounts(request, cycleEnds(request, { days: cycle }));
        expect(sum(amounts.map(({ netMinor }) => netMinor))).toBe(quote(request).netMinor);
        expect(amounts.every(({ netMinor }) => netMinor >= 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

test('the cover of days in seasons is as cheap as any sequence of lines', () => {
  fc.assert(
    fc.property(anyPlan, fc.integer({ min: 1, max: 14 }), (plan, wholeDays) => {
      const tariff = tariffOf({ plan, pickUpAt: PICK_UPS[0], clock: CLOCK }, wholeDays + 1);
      const price = timePrice(
        { minutes: wholeDays * DAY, wholeDays, excessMinutes: 0 },
        plan,
        tariff,
      );
      const cheapestFrom = (day: number): number =>
        day >= wholeDays
          ? 0
          : Math.min(
              ...tariff(day).offers.map((o) => o.priceMinor + cheapestFrom(day + o.coversDays)),
            );
      expect(price.netMinor).toBe(cheapestFrom(0));
    }),
    { numRuns: 60 },
  );
});

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
