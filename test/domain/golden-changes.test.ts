// Prices that change on the way, worked out by hand: extensions, returns, cancellations, cycles.
import { describe, expect, test } from 'vitest';
import { clockOf } from '../../domain/calendar.ts';
import {
  cancellationFee,
  cycleAmounts,
  cycleEnds,
  extensionCharge,
  extensionQuote,
  finalQuote,
  noShowFee,
  type QuoteRequest,
  quote,
} from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

/** Monday 2027-03-01 10:00 in Vienna. */
const PICK_UP = '2027-03-01T09:00:00.000Z';
const HOUR = 60;
const DAY = 24 * HOUR;

/** 55 a day, 50 from three days, 45 from seven: the plan of rule 7. */
const BANDS: RatePlan = validateRatePlan({
  ...GOLD_1,
  id: 'BANDS',
  lines: [{ code: 'day', priceMinor: 55_00, coversDays: 1 }],
  bands: [
    { fromDays: 3, dayMinor: 50_00 },
    { fromDays: 7, dayMinor: 45_00 },
  ],
});
const CHANGE_FEE: RatePlan = validateRatePlan({
  ...GOLD_1,
  returnChange: { feeMinor: 10_00, earlierMinutes: 24 * HOUR, laterMinutes: 12 * HOUR },
});

function later(minutes: number, from = PICK_UP): string {
  return new Date(Date.parse(from) + minutes * 60_000).toISOString();
}

function extended(plan: RatePlan, from: number, to: number, more: Partial<QuoteRequest> = {}) {
  const request = { plan, pickUpAt: PICK_UP, ...more };
  const booked = quote({ ...request, returnAt: later(from, request.pickUpAt) });
  const returnAt = later(to, request.pickUpAt);
  const price = extensionQuote({
    ...request,
    booked,
    returnAt,
    dueAt: later(from, request.pickUpAt),
  });
  return { charge: extensionCharge(booked, price), price, booked };
}

function returned(plan: RatePlan, at: number, more: { readonly returnedTo?: string } = {}) {
  const request = { plan, pickUpAt: PICK_UP, branchId: 'VIE' };
  const booked = quote({ ...request, returnAt: later(3 * DAY) });
  const times = { returnAt: later(at), dueAt: later(3 * DAY) };
  return finalQuote({ ...request, ...more, ...times, booked });
}

describe('an extension', () => {
  const oldTotal = (plan: RatePlan): RatePlan => ({ ...plan, extension: 'old-total' });
  const extraDays = (plan: RatePlan): RatePlan => ({ ...plan, extension: 'extra-days' });

  test.each([
    // price(5) = 5 × 50 = 250, price(7) = 7 × 45 = 315: 65.00 net, 78.00 with VAT
    ['E1: bands, new total', BANDS, 5, 7, 78_00],
    // 250 / 5 × 2 = 100.00: rule 7's 50 + 50
    ['E2: bands, old total', oldTotal(BANDS), 5, 7, 120_00],
    // price(2) = 2 × 55 = 110.00: rule 7's 55 + 55
    ['E3: bands, extra days', extraDays(BANDS), 5, 7, 132_00],
    // 210 = 210: nothing, never a credit
    ['E4: GOLD-1, new total', GOLD_1, 5, 7, 0],
    // 210 / 5 × 2 = 84.00
    ['E5: GOLD-1, old total', oldTotal(GOLD_1), 5, 7, 100_80],
    // A(2) = 100.00
    ['E6: GOLD-1, extra days', extraDays(GOLD_1), 5, 7, 120_00],
    // A(8) − A(5) = 260 − 210 = 50.00
    ['E7: GOLD-1, new total', GOLD_1, 5, 8, 60_00],
    // 110 / 2 = 55 a day; price(3) − price(2) = 150 − 110 = 40.00
    ['E8: bands from two days, new total', BANDS, 2, 3, 48_00],
    // 6 days = min(6 × 50, 7 × 45) = 300; 50.00 more than five
    ['E9: bands, one day', BANDS, 5, 6, 60_00],
  ])('%s', (_name, plan, from, to, charge) => {
    expect(extended(plan, from * DAY, to * DAY).charge).toBe(charge);
  });

  test.each([GOLD_1, oldTotal(GOLD_1), extraDays(GOLD_1)])(
    'E10: of a weekend past its window prices the whole anew, in mode $extension',
    (plan) => {
      // Friday noon to Monday noon 120.00; to Wednesday noon five days = 210.00: 90.00 and VAT.
      const pickUpAt = '2027-03-05T11:00:00.000Z';
      const clock = clockOf('Europe/Vienna', pickUpAt, later(5 * DAY, pickUpAt));
      const { charge, booked, price } = extended(plan, 3 * DAY, 5 * DAY, { pickUpAt, clock });
      expect([booked.netMinor, price.netMinor, charge]).toEqual([120_00, 210_00, 108_00]);
    },
  );

  test('E11: takes what was chosen along, and fees of a per cent are of the new time', () => {
    // 210 + 84 = 294.00, LF 11.11 % = 32.6634 → 32.66; 326.66 + VAT 65.332 → 65.33 = 391.99.
    // Booked: 210 + LF 23.331 → 23.33 = 233.33 + VAT 46.67 = 280.00.
    const { charge, price } = extended(oldTotal(GOLD_1), 5 * DAY, 7 * DAY, { surcharges: ['lf'] });
    expect(price.lines.map(({ code }) => code)).toEqual([
      'time.week',
      'time.extension',
      'percentage.lf',
    ]);
    expect([price.totalMinor, charge]).toEqual([391_99, 111_99]);
  });

  test('E12: extra days take the version that is valid at the extension', () => {
    const [day, week, month] = GOLD_1.lines;
    if (day === undefined || week === undefined || month === undefined) throw new Error('No lines');
    const dearer = { ...GOLD_1, version: 2, lines: [{ ...day, priceMinor: 60_00 }, week, month] };
    const plan = extraDays(GOLD_1);
    const booked = quote({ plan, pickUpAt: PICK_UP, returnAt: later(2 * DAY) });
    const times = { pickUpAt: PICK_UP, dueAt: later(2 * DAY), returnAt: later(3 * DAY) };
    // 100 + 60 = 160.00 and 20 %
    const price = extensionQuote({ plan, planNow: dearer, booked, ...times });
    expect([price.totalMinor, price.planVersion]).toEqual([192_00, 1]);
  });

  test.each([GOLD_1, oldTotal(BANDS), extraDays(BANDS)])(
    'E13: comes back as agreed at the price agreed, in mode $extension',
    (plan) => {
      const { price } = extended(plan, 5 * DAY, 7 * DAY);
      const times = { pickUpAt: PICK_UP, dueAt: later(7 * DAY), returnAt: later(7 * DAY - 30) };
      const final = finalQuote({ plan, booked: price, ...times });
      expect(final.totalMinor).toBe(price.totalMinor);
    },
  );
});

describe('a return', () => {
  const second = 1 / 60;
  const late = { dailyMinor: 12_00, afterMinutes: 12 * HOUR, maxDays: 5 };

  test.each([
    // exactly 24:00:00 early: re-rated to two days = 100.00
    ['R1: exactly a day early', CHANGE_FEE, 2 * DAY, {}, 120_00],
    // one second more: 1 d 23:59 = A(2) = 100 + 10.00
    ['R2: more than a day early', CHANGE_FEE, 2 * DAY - second, {}, 132_00],
    // exactly 12:00:00 late: A(4) = 200.00
    ['R3: exactly twelve hours late', CHANGE_FEE, 3 * DAY + 12 * HOUR, {}, 240_00],
    // one second more: 200 + 10.00
    ['R4: more than twelve hours late', CHANGE_FEE, 3 * DAY + 12 * HOUR + second, {}, 252_00],
    // elsewhere: 150 + one-way 75 + 10.00
    ['R5: on time, elsewhere', CHANGE_FEE, 3 * DAY, { returnedTo: 'GRZ' }, 282_00],
    // prepaid: 150 kept + 10.00
    [
      'R6: two days early, prepaid',
      { ...CHANGE_FEE, earlyReturn: 'keep' as const },
      DAY,
      {},
      192_00,
    ],
    // seven days late: A(10) = 360 + 5 × 12 (of 7) + 10.00 = 430.00
    ['R7: a week late', { ...CHANGE_FEE, lateReturn: late }, 10 * DAY, {}, 516_00],
    // thirteen hours late: A(4) = 200 + 12.00
    ['R8: late by half a day', { ...GOLD_1, lateReturn: late }, 3 * DAY + 13 * HOUR, {}, 254_40],
    // never above the price booked, early: 2 d 1 h = A(2) + 10 = 110.00
    ['R9: early by most of a day', GOLD_1, 2 * DAY + HOUR, {}, 132_00],
  ])('%s', (_name, plan, at, more, totalMinor) => {
    expect(returned(plan, at, more).totalMinor).toBe(totalMinor);
  });
});

describe('a cancellation', () => {
  const booked = { totalMinor: 300_00 };
  const at = (minutes: number) => later(-minutes);

  test.each([
    ['C1: a second more than 24 hours before', 24 * HOUR + 1 / 60, 300_00, 50_00],
    ['C2: exactly 24:00:00 before', 24 * HOUR, 300_00, 100_00],
    ['C3: ten hours before', 10 * HOUR, 300_00, 100_00],
    ['C4: at the pick-up time', 0, 300_00, 100_00],
    ['C5: of a rental of 42.00', HOUR, 42_00, 42_00],
  ])('%s', (_name, before, totalMinor, fee) => {
    expect(cancellationFee(GOLD_1, { totalMinor }, PICK_UP, at(before))).toBe(fee);
  });

  test('C6: after the pick-up time is a no-show', () => {
    expect(cancellationFee(GOLD_1, booked, PICK_UP, at(-1 / 60))).toBeNull();
  });

  test('C7: a no-show costs one day gross, at most what was booked', () => {
    const terms = { plan: GOLD_1, pickUpAt: PICK_UP };
    expect(noShowFee(terms, booked)).toBe(60_00);
    expect(noShowFee(terms, { totalMinor: 42_00 })).toBe(42_00);
    const fuel = { policy: 'prepaid', unit: 'l', tank: 50, unitMinor: 2_10 } as const;
    expect(noShowFee({ ...terms, plan: { ...GOLD_1, fuel } }, booked)).toBe(60_00);
  });
});

describe('the cycles of a long rental', () => {
  const term = (days: number, pickUpAt = PICK_UP) => ({
    pickUpAt,
    returnAt: later(days * DAY, pickUpAt),
  });

  test('sum to one price: 65 days by 30 are 800 + 800 + 110 = A(65) 1,710', () => {
    const request = { plan: GOLD_1, ...term(65) };
    const amounts = cycleAmounts(request, cycleEnds(request, { days: 30 }));
    expect(amounts.map(({ timeMinor }) => timeMinor)).toEqual([800_00, 800_00, 110_00]);
    expect(quote(request).netMinor).toBe(1_710_00);
  });

  test('of 400 days are 14 by 30 days, 15 by 28, and 14 months from 1 January', () => {
    expect(cycleEnds(term(400), { days: 30 })).toHaveLength(14);
    expect(cycleEnds(term(400), { days: 28 })).toHaveLength(15);
    const year = term(400, '2027-01-01T09:00:00.000Z');
    const clock = clockOf('Europe/Vienna', year.pickUpAt, year.returnAt);
    const months = cycleEnds({ ...year, clock }, 'month');
    expect(months).toHaveLength(14);
    // Local midnight, in winter and in summer time.
    expect([months[0], months[5]]).toEqual([
      '2027-01-31T23:00:00.000Z',
      '2027-06-30T22:00:00.000Z',
    ]);
  });

  test('leave what is measured at the return to the last one', () => {
    const request = { plan: GOLD_1, ...term(60), distance: 12_100 };
    const amounts = cycleAmounts(request, cycleEnds(request, { days: 30 }));
    expect(amounts.map(({ netMinor }) => netMinor)).toEqual([800_00, 825_00]);
  });
});
