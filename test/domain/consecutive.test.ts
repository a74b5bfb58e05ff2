// Contracts for one vehicle in a row: which count as one hire, and which of them is taxed as long.
import { describe, expect, test } from 'vitest';
import { afterOthers } from '../../domain/pricing/long-term.ts';
import { finalQuote, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import { precedingMinutes } from '../../domain/rental/consecutive.ts';

const START = Date.parse('2027-03-01T10:00:00.000Z');
const MINUTE = 60_000;
const DAY = 1_440;
/** So many minutes after the first contract begins. */
const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();
const hire = (from: number, to: number) => ({ from: at(from), to: at(to) });
const first = hire(0, 20 * DAY);

describe('contracts in a row', () => {
  test.each([
    ['47:59 hours', 20 * DAY + 47 * 60 + 59, 20 * DAY],
    ['48:00 hours', 20 * DAY + 48 * 60, 20 * DAY],
    ['48:01 hours', 20 * DAY + 48 * 60 + 1, null],
    ['no gap', 20 * DAY, 20 * DAY],
  ])('with a gap of %s', (_gap, startsAt, expected) => {
    expect(precedingMinutes([first], at(startsAt))).toBe(expected);
  });

  test('lead back as far as no gap is longer, and gaps are no hire', () => {
    const chain = [hire(30 * DAY, 40 * DAY), hire(0, 5 * DAY), hire(7 * DAY, 29 * DAY)];
    expect(precedingMinutes(chain, at(41 * DAY))).toBe((10 + 22 + 5) * DAY);
    expect(precedingMinutes(chain.slice(0, 2), at(41 * DAY))).toBe(10 * DAY);
  });

  test('are none without one before', () => {
    expect(precedingMinutes([], at(0))).toBeNull();
    expect(precedingMinutes([hire(3 * DAY, 9 * DAY)], at(2 * DAY))).toBeNull();
  });
});

describe('the later contract', () => {
  const plan: RatePlan = { ...GOLD_1, longTermVatRateBp: 1_900 };
  const second = (days: number, terms: Partial<RatePlan> = {}) => {
    const times = { pickUpAt: at(20 * DAY), returnAt: at((20 + days) * DAY) };
    return { ...times, plan: { ...plan, ...terms }, coverages: ['cdw'], surcharges: ['lf'] };
  };
  const rateOf = (days: number, before: number) => {
    const request = second(days);
    return afterOthers(quote(request), request.plan, before).vat.map(({ rateBp }) => rateBp);
  };

  test('is long-term from more than 30 × 24 hours of both together on', () => {
    expect(rateOf(15, 20 * DAY)).toEqual([1_900]);
    expect(rateOf(10, 20 * DAY)).toEqual([2_000]);
    expect(rateOf(10, 20 * DAY + 1)).toEqual([1_900]);
  });

  test.each([undefined, 'vat' as const])(
    'is what a quote that knew would be (%s)',
    (pricesInclude) => {
      const request = second(15, pricesInclude && { pricesInclude });
      const longTerm = { vatRateBp: 1_900, precedingMinutes: 20 * DAY };
      const known = afterOthers(quote(request), request.plan, 20 * DAY);
      expect(known).toEqual(quote({ ...request, longTerm }));
      // Brought back so early that both are no more than 30 days, it is taxed as a short one again.
      const { returnAt: dueAt, ...rest } = request;
      const back = { ...rest, booked: known, dueAt, returnAt: at(30 * DAY) };
      expect(finalQuote(back).vat.map(({ rateBp }) => rateBp)).toEqual([2_000]);
    },
  );

  test('stays without a rate for long hire', () => {
    const priced = quote({ ...second(15), plan: GOLD_1 });
    expect(afterOthers(priced, GOLD_1, 20 * DAY)).toBe(priced);
  });
});
