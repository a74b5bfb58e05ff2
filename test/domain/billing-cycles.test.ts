// Billing in cycles, worked out by hand: what each document charges, and when it is made.
import { describe, expect, test } from 'vitest';
import { priceUpTo, quote, sharesOf, unbilled } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import { ratePlanProblems } from '../../domain/rate-plan-rules.ts';
import { billableAt, nextLookAt, paymentDaysOf } from '../../domain/rental/billing.ts';

const PICK_UP = '2027-03-01T09:00:00.000Z';
const DAY = 1_440;
const plus = (minutes: number) => new Date(Date.parse(PICK_UP) + minutes * 60_000).toISOString();

/** A rental of so many days, as it is priced at its booking. */
function booked(days: number, more: object = {}) {
  const plan: RatePlan = { ...GOLD_1, ...more };
  const [pickUpAt, dueAt] = [PICK_UP, plus(days * DAY)];
  return { plan, pickUpAt, dueAt, booked: quote({ plan, pickUpAt, returnAt: dueAt }) };
}

describe('the price up to the end of a cycle', () => {
  test('is that of the days until then: 65 days by 30 are 800.00 and 1,600.00', () => {
    const net = (days: number) => priceUpTo({ ...booked(65), until: plus(days * DAY) }).netMinor;
    expect([net(30), net(60)]).toEqual([800_00, 1_600_00]);
  });

  test('is never above what was agreed before the due time, nor below it afterwards', () => {
    const { booked: agreed, ...rental } = booked(65);
    const cheap = { ...rental, booked: { ...agreed, netMinor: 1, totalMinor: 1 } };
    expect(priceUpTo({ ...cheap, until: plus(30 * DAY) }).totalMinor).toBe(1);
    const dear = { ...rental, booked: { ...agreed, totalMinor: 9_999_00 } };
    expect(priceUpTo({ ...dear, until: plus(66 * DAY) }).totalMinor).toBe(9_999_00);
    expect(priceUpTo({ ...rental, booked: agreed, until: plus(90 * DAY) }).netMinor).toBe(
      2_310_00, // A(90) = 3 × 700 + 210
    );
  });

  test('is taxed by the term that was agreed, not by the days so far', () => {
    const longTerm = { vatRateBp: 1_000 };
    const until = plus(28 * DAY);
    expect(priceUpTo({ ...booked(31), longTerm, until }).vatMinor).toBe(70_00);
    expect(priceUpTo({ ...booked(30), longTerm, until }).vatMinor).toBe(140_00);
  });
});

describe('a document after others', () => {
  test('shows the price and takes off what was billed, VAT once on the rest', () => {
    const { plan, pickUpAt } = booked(65);
    const first = quote({ plan, pickUpAt, returnAt: plus(30 * DAY) });
    const price = quote({ plan, pickUpAt, returnAt: plus(65 * DAY) });
    const { charge, credit } = unbilled(price, plan, sharesOf([first.vat]));
    expect(charge).toMatchObject({ netMinor: 910_00, vatMinor: 182_00, totalMinor: 1_092_00 });
    expect(charge?.lines.at(-1)).toMatchObject({ code: 'billed', netMinor: -800_00 });
    expect(credit).toBeNull();
    expect(unbilled(price, plan, [])).toEqual({ charge: price, credit: null });
    expect(unbilled(price, plan, price.vat)).toEqual({ charge: null, credit: null });
  });

  test('of prices that include VAT sums to the gross price', () => {
    const { plan, pickUpAt } = booked(65, { pricesInclude: 'vat', vatRateBp: 1_900 });
    const first = quote({ plan, pickUpAt, returnAt: plus(30 * DAY) });
    const price = quote({ plan, pickUpAt, returnAt: plus(65 * DAY) });
    const { charge } = unbilled(price, plan, sharesOf([first.vat]));
    // 910.00 with 19 % in it: 145.29
    expect(charge).toMatchObject({ netMinor: 764_71, vatMinor: 145_29, totalMinor: 910_00 });
  });

  test('charges the whole anew and credits the rate before, when the place of supply changes', () => {
    const { plan, pickUpAt, ...rental } = booked(31);
    const longTerm = { vatRateBp: 1_000 };
    const cycle = priceUpTo({ ...rental, plan, pickUpAt, longTerm, until: plus(28 * DAY) });
    // Back after 29 days: short after all, A(29) = 750.00 at 20 %.
    const price = quote({ plan, pickUpAt, returnAt: plus(29 * DAY), longTerm });
    const { charge, credit } = unbilled(price, plan, cycle.vat);
    expect(charge).toMatchObject({ netMinor: 750_00, vatMinor: 150_00 });
    expect(credit?.vat).toEqual([{ rateBp: 1_000, baseMinor: -700_00, vatMinor: -70_00 }]);
  });
});

describe('a cycle is billed', () => {
  const at = (cycleDays: number, dueDays: number) => {
    const times = { pickUpAt: PICK_UP, dueAt: plus(dueDays * DAY), graceMinutes: 60 };
    const found = billableAt({ ...times, cycleEndsAt: plus(cycleDays * DAY) });
    return found === null ? null : new Date(found).toISOString();
  };

  test.each([
    ['at its end', 30, 65, plus(30 * DAY)],
    ['at its end, a day before the due time', 30, 31, plus(30 * DAY)],
    ['after the grace, when it ends at the due time', 60, 60, plus(60 * DAY + 60)],
    ['at its end, up to ten days past the due time', 60, 50, plus(60 * DAY)],
    ['never later than that', 60, 49.9, null],
    ['never of a rental agreed for 30 days', 28, 30, null],
  ])('%s', (_when, cycleDays, dueDays, expected) => {
    expect(at(cycleDays, dueDays)).toBe(expected);
  });

  test('not at all without one, as in what older runs remember', () => {
    const times = { pickUpAt: PICK_UP, dueAt: plus(65 * DAY), graceMinutes: 60 };
    expect([billableAt(times), billableAt({ ...times, cycleEndsAt: null })]).toEqual([null, null]);
  });

  test('to be paid by its payer’s terms, else the plan’s, else in 14 days', () => {
    const days = (own: number | null, plan?: number) =>
      paymentDaysOf(own, { cycle: 'month', paymentDays: plan });
    expect([days(30, 7), days(null, 7), days(null), days(0, 7)]).toEqual([30, 7, 14, 0]);
  });

  test('by a cycle that the plan may have', () => {
    const problems = (billing: object) =>
      ratePlanProblems({ ...GOLD_1, billing } as RatePlan).map(({ path }) => path);
    expect(problems({ cycle: '30-days' })).toEqual([]);
    expect(problems({ cycle: '31-days', paymentDays: 181 })).toEqual([
      'billing.cycle',
      'billing.paymentDays',
    ]);
  });
});

test('unpaid invoices are looked at when the oldest is overdue, then each day, never at once again', () => {
  const look = (...days: number[]) =>
    nextLookAt(
      PICK_UP,
      days.map((day) => ({ payableBy: plus(day * DAY) })),
    );
  expect([look(), look(2, 5), look(0), look(-3, 5)]).toEqual([
    null,
    plus(2 * DAY),
    plus(DAY),
    plus(DAY),
  ]);
  // A few seconds ahead of this clock: whoever asked saw another one.
  const ahead = { payableBy: new Date(Date.parse(PICK_UP) + 5_000).toISOString() };
  expect(nextLookAt(PICK_UP, [ahead])).toBe(plus(1));
});
