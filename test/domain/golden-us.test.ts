// Twenty prices of a plan for the United States, worked out by hand: miles, fees and tax on fees.
import { expect, test } from 'vitest';
import { driversOf, type QuoteRequest, quote } from '../../domain/pricing.ts';
import { type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

/** Sales tax 6 % on every line, its fees included, but on the exempt one. */
const US_1: RatePlan = validateRatePlan({
  id: 'US-1',
  version: 1,
  currency: 'USD',
  lines: [
    { code: 'day', priceMinor: 40_00, coversDays: 1 },
    { code: 'week', priceMinor: 200_00, coversDays: 7 },
    { code: 'month', priceMinor: 750_00, coversDays: 28 },
  ],
  hourMinor: 12_00,
  graceMinutes: 29,
  extraDayThresholdMinutes: 150,
  minimum: 'day',
  dayBasis: 'elapsed',
  vatRateBp: 600,
  coverages: [{ code: 'ldw', dailyMinor: 25_00, excessMinor: 0 }],
  extras: [{ code: 'gps', kind: 'daily', dailyMinor: 12_00, maxMinor: 60_00 }],
  ageBands: [{ code: 'young', fromAge: 20, toAge: 24, dailyMinor: 30_00 }],
  additionalDriver: { dailyMinor: 12_00, free: 0 },
  oneWay: { defaultMinor: 200_00, pairs: [{ from: 'MCO', to: 'MIA', feeMinor: 50_00 }] },
  surcharges: [
    { code: 'state', dailyMinor: 2_00, maxDays: 30 },
    { code: 'airport', dailyMinor: 2_50 },
    { code: 'exempt', dailyMinor: 1_15, vatRateBp: 0 },
  ],
  mileage: { kind: 'daily', unit: 'mi', included: 150, overMinor: 30, pooled: true },
  fuel: { policy: 'fullToFull', unit: 'gal', unitMinor: 4_00, tank: 15, serviceMinor: 10_00 },
  percentageFees: [{ code: 'concession', percentBp: 1_111, basis: 'total' }],
});

type Asked = Omit<QuoteRequest, 'plan' | 'pickUpAt' | 'returnAt'>;
type Case = readonly [
  name: string,
  days: number,
  minutes: number,
  asked: Asked,
  netMinor: number,
  taxMinor: number,
  totalMinor: number,
];

const ages = (...drivers: readonly number[]) => ({ drivers: driversOf(drivers, US_1) });
const gps = { extras: [{ code: 'gps', count: 1 }] };
const oneWay = (returnBranchId: string) => ({ branchId: 'MCO', returnBranchId });
const fuel = { kind: 'tank', out: 8, back: 3, scale: 8 } as const;

const CASES: readonly Case[] = [
  // 40.00; 6 % = 2.40
  ['U1', 1, 0, {}, 40_00, 2_40, 42_40],
  // 3 × 40 + 3 × 2 = 126.00; 6 % = 7.56: the state's fee is taxed too
  ['U2', 3, 0, { surcharges: ['state'] }, 126_00, 7_56, 133_56],
  // 750 + 3 × 40 = 870; 2.00 on days 1 to 30 only = 60; 930.00; 6 % = 55.80
  ['U3', 31, 0, { surcharges: ['state'] }, 930_00, 55_80, 985_80],
  // 870 + 31 × 2.50 = 77.50: the airport has no cap; 947.50; 6 % = 56.85
  ['U4', 31, 0, { surcharges: ['airport'] }, 947_50, 56_85, 1_004_35],
  // 40 + 11.11 % of 40 = 4.444 → 4.44; 44.44; 6 % = 2.6664 → 2.67
  ['U5', 1, 0, { surcharges: ['concession'] }, 44_44, 2_67, 47_11],
  // 120 + 6 + 7.50 = 133.50; 11.11 % of it, itself not in it, = 14.83185 → 14.83; 6 % = 8.8998
  ['U6', 3, 0, { surcharges: ['state', 'airport', 'concession'] }, 148_33, 8_90, 157_23],
  // 80 + 2 × 25 = 130.00; 6 % = 7.80
  ['U7', 2, 0, { coverages: ['ldw'] }, 130_00, 7_80, 137_80],
  // 160 + 4 × 12 = 208.00; 6 % = 12.48
  ['U8', 4, 0, gps, 208_00, 12_48, 220_48],
  // A week 200 + min(7 × 12 = 84, 60) = 260.00; 6 % = 15.60
  ['U9', 7, 0, gps, 260_00, 15_60, 275_60],
  // 149 minutes: 3 hours = 36; 40 + 36 = 76 < 80; 6 % = 4.56
  ['U10', 1, 149, {}, 76_00, 4_56, 80_56],
  // 150 minutes: no hours; A(2) = 80.00; 6 % = 4.80
  ['U11', 1, 150, {}, 80_00, 4_80, 84_80],
  // Within the grace 40, but two extras days: 2 × 12 = 24; 64.00; 6 % = 3.84
  ['U12', 1, 29, gps, 64_00, 3_84, 67_84],
  // 120 + 0.30 × (500 − 3 × 150 = 50 mi) = 15; 135.00; 6 % = 8.10
  ['U13', 3, 0, { distance: 500 }, 135_00, 8_10, 143_10],
  // A renter of 22: 80 + 2 × 30 = 140.00; 6 % = 8.40
  ['U14', 2, 0, ages(22), 140_00, 8_40, 148_40],
  // MCO to MIA: 80 + 50 = 130.00; 6 % = 7.80
  ['U15', 2, 0, oneWay('MIA'), 130_00, 7_80, 137_80],
  // MCO to ATL by the default: 80 + 200 = 280.00; 6 % = 16.80
  ['U16', 2, 0, oneWay('ATL'), 280_00, 16_80, 296_80],
  // 40 + 5/8 of 15 gal × 4.00 = 5 × 7.50 = 37.50 + service 10; 87.50; 6 % = 5.25
  ['U17', 1, 0, { fuel }, 87_50, 5_25, 92_75],
  // A renter of 40 and a driver of 22: 80 + 2 × 30 + 2 × 12 = 164.00; 6 % = 9.84
  ['U18', 2, 0, ages(40, 22), 164_00, 9_84, 173_84],
  // 120 + 3 × 1.15 = 123.45; 6 % of 120 only = 7.20
  ['U19', 3, 0, { surcharges: ['exempt'] }, 123_45, 7_20, 130_65],
  // 200 + LDW 125 + GPS 60 + state 10 + airport 12.50 + (900 − 750) × 0.30 = 45: 452.50;
  // 11.11 % = 50.27275 → 50.27; 502.77; 6 % = 30.1662 → 30.17
  [
    'U20',
    5,
    0,
    {
      ...gps,
      coverages: ['ldw'],
      surcharges: ['state', 'airport', 'concession'],
      distance: 900,
    },
    502_77,
    30_17,
    532_94,
  ],
];

test.each(CASES)('%s', (_name, days, minutes, asked, netMinor, taxMinor, totalMinor) => {
  const pickUpAt = '2027-03-01T15:00:00.000Z';
  const length = (days * 1_440 + minutes) * 60_000;
  const returnAt = new Date(Date.parse(pickUpAt) + length).toISOString();
  const price = quote({ plan: US_1, pickUpAt, returnAt, ...asked });
  expect(price).toMatchObject({ currency: 'USD', netMinor, vatMinor: taxMinor, totalMinor });
});

test('two tax rates are two shares, each on its own sum', () => {
  const times = { pickUpAt: '2027-03-01T15:00:00Z', returnAt: '2027-03-04T15:00:00Z' };
  expect(quote({ plan: US_1, ...times, surcharges: ['exempt'] }).vat).toEqual([
    { rateBp: 600, baseMinor: 120_00, vatMinor: 7_20 },
    { rateBp: 0, baseMinor: 3_45, vatMinor: 0 },
  ]);
});
