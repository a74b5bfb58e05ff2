// Another vehicle before pick-up: what may be asked, who must agree, and what a lower class costs less.
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { downgradeDifference, withDowngrade } from '../../domain/pricing/upgrade.ts';
import { type QuoteRequest, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import { checkConsent, checkSwap } from '../../domain/rental/swap.ts';
import { evolve, type RentalState, type Swap } from '../../domain/rental.ts';

const VEHICLE = '01980a5d-ac96-774b-bcce-b302099a8059';
const PICK_UP = '2027-03-01T10:00:00.000Z';
const days = (n: number) => new Date(Date.parse(PICK_UP) + n * 86_400_000).toISOString();

function refusal(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

test.each<[string, Swap, string]>([
  ['nothing', {}, 'value-refused'],
  ['vehicle and class', { vehicleId: 'x', classId: 'IDMR' }, 'value-refused'],
  ['the vehicle that it has', { vehicleId: VEHICLE }, 'value-refused'],
  ['another vehicle', { vehicleId: 'x' }, 'none'],
  ['another one of a class', { classId: 'CDMR' }, 'none'],
])('a swap that names %o: %s', (_name, command, expected) => {
  expect(refusal(() => checkSwap({ vehicleId: VEHICLE }, command))).toBe(expected);
});

test('only a class that is not up the ladder needs the renter’s consent', () => {
  const asked = (direction: Parameters<typeof checkConsent>[0]) =>
    refusal(() => checkConsent(direction, undefined, 'ECMR'));
  expect([asked('up'), asked('same'), asked('down')]).toEqual(['none', 'none', 'consent-required']);
  expect(refusal(() => checkConsent('down', 'spoken', 'ECMR'))).toBe('none');
});

test('what is placed anew forgets the class that was given', () => {
  const price = quote({ plan: GOLD_1, pickUpAt: PICK_UP, returnAt: days(3) });
  const state = { classId: 'CDMR', vehicleId: VEHICLE, version: 1 } as RentalState;
  const fact = { at: PICK_UP, version: 2, reassigned: [], price };
  const given = { vehicleId: 'x', classId: 'CDMR', givenClassId: 'IDMR' };
  const swapped = evolve(state, { ...fact, ...given, type: 'swapped' });
  expect(swapped).toEqual({ ...state, ...given, price, version: 2 });
  const place = { classId: 'CDMR', returnBranchId: 'VIE', pickUpAt: PICK_UP, dueAt: days(3) };
  const amended = { ...fact, ...place, type: 'amended', noShowAt: PICK_UP, payerId: null } as const;
  expect(evolve(swapped, { ...amended, vehicleId: 'y' })).not.toHaveProperty('givenClassId');
  expect(evolve(swapped, amended)).toMatchObject({ givenClassId: 'IDMR', vehicleId: 'x' });
});

describe('a downgrade', () => {
  const [day] = GOLD_1.lines;
  const only = (priceMinor: number, terms: Partial<RatePlan> = {}): RatePlan => ({
    ...GOLD_1,
    ...terms,
    lines: [{ ...day, priceMinor } as (typeof GOLD_1.lines)[number]],
  });
  const booked = only(50_00, { rates: [{ code: 'acme', kind: 'corporate', discountBp: 2_000 }] });
  const lower = only(30_00, { id: 'LOWER' });
  const asked = (more: Partial<QuoteRequest> = {}): QuoteRequest => ({
    ...{ plan: booked, pickUpAt: PICK_UP, returnAt: days(3), ...more },
  });

  test('refunds the difference of the classes, day by day', () => {
    const less = (n: number) =>
      downgradeDifference(booked, lower, { from: PICK_UP, until: days(n) });
    expect([less(0.5), less(1), less(3)]).toEqual([20_00, 20_00, 60_00]);
  });

  test('to a class that costs as much or more refunds nothing, and has one currency', () => {
    const rest = { from: PICK_UP, until: days(3) };
    expect(downgradeDifference(lower, booked, rest)).toBe(0);
    const dollars = { ...lower, currency: 'USD' };
    expect(refusal(() => downgradeDifference(booked, dollars, rest))).toBe('currency-mismatch');
  });

  test('refunds no more than the same part of what was agreed', () => {
    const rest = { from: PICK_UP, until: days(3) };
    // 150.00 less a fifth are 120.00; two fifths of that, not of 150.00.
    expect(downgradeDifference(booked, lower, rest, { rate: 'acme' })).toBe(48_00);
  });

  test('is one line below zero, with the VAT of the hire, and its percentages are kept', () => {
    const request = asked({ coverages: ['cdw'], surcharges: ['lf'] });
    const before = quote(request);
    const priced = withDowngrade(before, 60_00, request);
    expect(priced.netMinor).toBe(before.netMinor - 60_00);
    expect(priced.totalMinor).toBe(before.totalMinor - 72_00);
    expect(withDowngrade(priced, 0, request)).toEqual(before);
    // Twice as much of it is no second line.
    expect(withDowngrade(priced, 90_00, request).netMinor).toBe(before.netMinor - 90_00);
  });

  test('of a long hire is taxed where that is', () => {
    const longTerm = { vatRateBp: 1_900 };
    const request = asked({ returnAt: days(31), longTerm });
    const { vat } = withDowngrade(quote(request), 620_00, request);
    expect(vat).toEqual([{ rateBp: 1_900, baseMinor: 930_00, vatMinor: 176_70 }]);
  });

  test('takes its VAT out of gross prices', () => {
    const gross: Partial<RatePlan> = { pricesInclude: 'vat' };
    const request = asked({ plan: only(60_00, gross) });
    const rest = { from: PICK_UP, until: days(3) };
    const less = downgradeDifference(only(60_00, gross), only(36_00, gross), rest);
    expect(less).toBe(60_00);
    expect(withDowngrade(quote(request), less, request).totalMinor).toBe(108_00);
  });
});
