// The golden prices hold: every case whose lines are priced today, to the cent.
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { dayCover, durationOf, quote, timePrice } from '../../domain/pricing.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { GOLDEN_CASES, type GoldenCase, type GoldenLine } from './golden-prices.ts';

/** What is priced beside time and VAT. A line that joins the product joins this list. */
const PRICED: readonly GoldenLine[] = [];

const complete = GOLDEN_CASES.filter(({ needs }) => needs.every((line) => PRICED.includes(line)));

function times({ pickUp, return: returned }: GoldenCase) {
  return { pickUpAt: inVienna(pickUp), returnAt: inVienna(returned) };
}

function inVienna(wallClock: string): string {
  return Temporal.PlainDateTime.from(wallClock)
    .toZonedDateTime('Europe/Vienna')
    .toInstant()
    .toString();
}

describe('a golden case', () => {
  test('is one of twenty, of which those of time alone are priced today', () => {
    expect(GOLDEN_CASES.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `S${index + 1}`),
    );
    expect(complete.length).toBeGreaterThanOrEqual(12);
  });

  test.each(complete)('$name costs $totalMinor in all', (golden) => {
    const { netMinor, vatMinor, totalMinor } = golden;
    expect(quote({ plan: GOLD_1, ...times(golden) })).toMatchObject({
      currency: 'EUR',
      planId: 'GOLD-1',
      planVersion: 1,
      netMinor,
      vat: [{ rateBp: 2_000, baseMinor: netMinor, vatMinor }],
      vatMinor,
      totalMinor,
    });
  });

  test.each(GOLDEN_CASES)(
    '$name is counted and its time priced, whatever else it needs',
    (golden) => {
      const { wholeDays, excessMinutes, chargedDays, extrasDays, timeMinor } = golden;
      const { pickUpAt, returnAt } = times(golden);
      const duration = durationOf(pickUpAt, returnAt, GOLD_1);
      expect(duration).toMatchObject({ wholeDays, excessMinutes, chargedDays, extrasDays });
      expect(timePrice(duration, GOLD_1).netMinor).toBe(timeMinor);
    },
  );
});

describe('the day cover of GOLD-1', () => {
  test.each([
    [1, 50],
    [2, 100],
    [3, 150],
    [4, 200],
    [5, 210],
    [6, 210],
    [7, 210],
    [8, 260],
    [9, 310],
    [10, 360],
    [11, 410],
    [12, 420],
    [13, 420],
    [14, 420],
    [19, 630],
    [20, 630],
    [21, 630],
    [22, 680],
    [23, 700],
    [28, 700],
    [29, 750],
  ])('for %d days costs %d.00', (days, price) => {
    expect(dayCover(days, GOLD_1).netMinor).toBe(price * 100);
  });
});
