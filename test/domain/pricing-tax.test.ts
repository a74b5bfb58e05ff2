// Tax in prices and on them, and at the customer's place once a hire is long.
import { describe, expect, test } from 'vitest';
import { type QuoteRequest, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';

const PICK_UP = '2027-03-01T09:00:00.000Z';
const DAY = 1_440;

function priced(minutes: number, plan: RatePlan, more: Partial<QuoteRequest> = {}) {
  const returnAt = new Date(Date.parse(PICK_UP) + minutes * 60_000).toISOString();
  return quote({ plan, ...more, pickUpAt: PICK_UP, returnAt });
}

const terms = (more: Partial<RatePlan>): RatePlan => ({ ...GOLD_1, ...more });

describe('tax', () => {
  const longTerm = { vatRateBp: 1_000 };

  test('is in gross prices: 120.00 are 100.00 and 20.00, split to the lines', () => {
    const plan = terms({ pricesInclude: 'vat' });
    const price = priced(DAY, plan, { extras: [{ code: 'item', count: 1 }] });
    // 58.00 − round(58 × 20/120 = 9.667) = 48.33: 41.664 and 6.666 → 41.66 and 6.67.
    expect(price).toMatchObject({ netMinor: 48_33, vatMinor: 9_67, totalMinor: 58_00 });
    expect(price.lines).toMatchObject([
      { grossMinor: 50_00, netMinor: 41_66 },
      { grossMinor: 8_00, netMinor: 6_67 },
    ]);
  });

  test.each([
    [30 * DAY, 0, 2_000],
    [30 * DAY + 1, 0, 1_000],
    [10 * DAY, 20 * DAY, 2_000],
    [10 * DAY, 20 * DAY + 1, 1_000],
  ])('of %d minutes after %d before is %d', (minutes, precedingMinutes, rateBp) => {
    const price = priced(minutes, GOLD_1, { longTerm: { ...longTerm, precedingMinutes } });
    expect(price.vat).toMatchObject([{ rateBp }]);
  });

  test('of a longer contract changes what is taxed like the hire only', () => {
    const plan = terms({ surcharges: [{ code: 'city', dailyMinor: 1_00, vatRateBp: 0 }] });
    const price = priced(31 * DAY, plan, { longTerm, surcharges: ['city'] });
    expect(price.vat.map(({ rateBp }) => rateBp)).toEqual([1_000, 0]);
  });
});
