// A price that changes on the way: extensions, late and early returns.
import { describe, expect, test } from 'vitest';
import {
  extensionCharge,
  extensionQuote,
  finalQuote,
  type Quote,
  quote,
  rechosenQuote,
} from '../../domain/pricing.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';

const PICK_UP = '2027-03-01T09:00:00.000Z';

function minutesIn(length: number): string {
  return new Date(Date.parse(PICK_UP) + length * 60_000).toISOString();
}

function priceOf(length: number): Quote {
  return quote({ plan: GOLD_1, pickUpAt: PICK_UP, returnAt: minutesIn(length) });
}

describe('an extension', () => {
  test('costs the difference of the totals, which a longer cover can make nothing', () => {
    const [five, seven, eight] = [priceOf(5 * 1_440), priceOf(7 * 1_440), priceOf(8 * 1_440)];
    expect(extensionCharge(five, seven)).toBe(0);
    expect(extensionCharge(seven, eight)).toBe(6_000);
    expect(extensionCharge(eight, seven)).toBe(0);
  });

  test('re-rates the whole rental and never lowers its price', () => {
    const request = { plan: GOLD_1, pickUpAt: PICK_UP, returnAt: minutesIn(8 * 1_440) };
    expect(extensionQuote({ ...request, booked: priceOf(5 * 1_440) })).toEqual(priceOf(8 * 1_440));
    const dear = { ...priceOf(5 * 1_440), totalMinor: 99_999 };
    const kept = extensionQuote({ ...request, booked: dear });
    expect(kept).toMatchObject({ totalMinor: 99_999, lines: dear.lines });
    expect(kept.duration.wholeDays).toBe(8);
  });
});

describe('other things beside the vehicle', () => {
  const longTerm = { vatRateBp: 1_000 };
  const plan = { ...GOLD_1, extension: 'extra-days' } as const;
  const terms = { plan, pickUpAt: PICK_UP, returnAt: minutesIn(4 * 1_440) };
  const extras = [{ code: 'item', count: 1 }];
  // 3 × 50.00, and a day by itself for 80.00, by the plan of then.
  const [day] = plan.lines;
  const planNow = { ...plan, lines: [{ ...day, priceMinor: 80_00 }] } as typeof plan;
  const dueAt = minutesIn(3 * 1_440);
  const booked = extensionQuote({ ...terms, booked: priceOf(3 * 1_440), dueAt, planNow });

  test('leave the time as an extension made it', () => {
    expect(booked.netMinor).toBe(230_00);
    const more = rechosenQuote({ ...terms, booked, named: { extras } });
    // 230.00 + 4 × 8.00
    expect(more).toMatchObject({ netMinor: 262_00, chosen: { extras } });
    expect(rechosenQuote({ ...terms, booked: more, named: { extras: [] } }).netMinor).toBe(230_00);
  });

  test('price it anew where another rate or promotion is named', () => {
    const more = rechosenQuote({ ...terms, booked, named: { extras, rate: undefined } });
    expect(more.netMinor).toBe(232_00);
  });

  test('are taxed at the place of supply of the whole', () => {
    const long = { ...terms, returnAt: minutesIn(31 * 1_440), longTerm };
    const more = rechosenQuote({ ...long, booked: quote(long), named: { extras } });
    expect(more.vat.map(({ rateBp }) => rateBp)).toEqual([1_000]);
    const short = { ...terms, returnAt: dueAt, longTerm };
    const extended = extensionQuote({ ...long, booked: quote(short), dueAt });
    expect(extended.vat.map(({ rateBp }) => rateBp)).toEqual([1_000]);
  });
});

describe('the final price', () => {
  const booked = priceOf(3 * 1_440);
  const terms = { plan: GOLD_1, booked, pickUpAt: PICK_UP, dueAt: minutesIn(3 * 1_440) };

  test('is the booked one for a return on time, and within the grace', () => {
    expect(finalQuote({ ...terms, returnAt: terms.dueAt })).toEqual(booked);
    expect(finalQuote({ ...terms, returnAt: minutesIn(3 * 1_440 + 29) }).totalMinor).toBe(18_000);
  });

  test('follows actual time, early and late', () => {
    expect(finalQuote({ ...terms, returnAt: minutesIn(1_440) }).totalMinor).toBe(6_000);
    expect(finalQuote({ ...terms, returnAt: minutesIn(3 * 1_440 + 60) }).totalMinor).toBe(19_200);
    expect(finalQuote({ ...terms, returnAt: minutesIn(4 * 1_440) }).totalMinor).toBe(24_000);
  });

  test('never rises above the booked one for coming back early', () => {
    const cheap = { ...booked, netMinor: 100, vatMinor: 20, totalMinor: 120 };
    const final = finalQuote({ ...terms, booked: cheap, returnAt: minutesIn(1_440) });
    expect(final).toMatchObject({ totalMinor: 120, lines: cheap.lines });
    expect(final.duration.wholeDays).toBe(1);
  });

  test('never falls below the booked one for coming back late', () => {
    const dear = { ...booked, netMinor: 80_000, vatMinor: 16_000, totalMinor: 96_000 };
    const late = finalQuote({ ...terms, booked: dear, returnAt: minutesIn(4 * 1_440) });
    expect(late.totalMinor).toBe(96_000);
  });

  test('is the minimum when a vehicle is back before its booked pick-up', () => {
    expect(finalQuote({ ...terms, returnAt: minutesIn(-5) }).totalMinor).toBe(6_000);
  });
});
