// The golden prices hold: every case to the cent, each line as the page computes it.
import { describe, expect, test } from 'vitest';
import { clockOf, instantAt } from '../../domain/calendar.ts';
import { dayCover, durationOf, type QuoteRequest, quote, timePrice } from '../../domain/pricing.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { GOLDEN_CASES, type GoldenCase } from './golden-prices.ts';

const ZONE = 'Europe/Vienna';

function requestOf(golden: GoldenCase): QuoteRequest {
  const pickUpAt = instantAt(golden.pickUp, ZONE, 'first');
  const returnAt = instantAt(golden.return, ZONE, 'first');
  const { needs, items = 0, km, fuelEighths } = golden;
  const named = [
    ...(needs.includes('airport') ? ['airport'] : []),
    ...(needs.includes('location-fee') ? ['lf'] : []),
  ];
  return {
    plan: GOLD_1,
    pickUpAt,
    returnAt,
    clock: clockOf(ZONE, pickUpAt, returnAt),
    branchId: 'VIE',
    returnBranchId: needs.includes('one-way') ? 'GRZ' : 'VIE',
    surcharges: named,
    coverages: needs.includes('cdw') ? ['cdw'] : [],
    extras: items > 0 ? [{ code: 'item', count: items }] : [],
    drivers: { bands: needs.includes('young-driver') ? ['young'] : [], additional: 0 },
    distance: km,
    ...(fuelEighths !== undefined && {
      fuel: { kind: 'tank', out: fuelEighths[0], back: fuelEighths[1], scale: 8 },
    }),
  };
}

function linesOf(golden: GoldenCase): readonly (readonly [string, number, number, number])[] {
  const { lines } = quote(requestOf(golden));
  return lines.map(({ code, quantity, unitMinor, netMinor }) => [
    code,
    quantity,
    unitMinor,
    netMinor,
  ]);
}

function goldenCase(wanted: string): GoldenCase {
  const found = GOLDEN_CASES.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`There is no case ${wanted}.`);
  return found;
}

describe('a golden case', () => {
  test('is one of twenty', () => {
    expect(GOLDEN_CASES.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `S${index + 1}`),
    );
  });

  test.each(GOLDEN_CASES)('$name costs $totalMinor in all', (golden) => {
    const { netMinor, vatMinor, totalMinor } = golden;
    const { wholeDays, excessMinutes, chargedDays, extrasDays } = golden;
    expect(quote(requestOf(golden))).toMatchObject({
      currency: 'EUR',
      planId: 'GOLD-1',
      planVersion: 1,
      duration: { wholeDays, excessMinutes, chargedDays, extrasDays },
      netMinor,
      vat: [{ rateBp: 2_000, baseMinor: netMinor, vatMinor }],
      vatMinor,
      totalMinor,
    });
  });

  test.each(GOLDEN_CASES)('$name has its time priced by days and hours', (golden) => {
    const { pickUpAt, returnAt } = requestOf(golden);
    const duration = durationOf(pickUpAt, returnAt, GOLD_1);
    expect(timePrice(duration, GOLD_1).netMinor).toBe(golden.timeMinor);
  });

  test.each([
    [
      'S13',
      [
        ['time.day', 3, 50_00, 150_00],
        ['extra.item', 4, 8_00, 32_00],
      ],
    ],
    [
      'S14',
      [
        ['time.day', 2, 50_00, 100_00],
        ['coverage.cdw', 2, 12_00, 24_00],
        ['extra.item', 2, 8_00, 16_00],
      ],
    ],
    [
      'S15',
      [
        ['time.week', 2, 210_00, 420_00],
        ['driver.young', 10, 25_00, 250_00],
      ],
    ],
    [
      'S16',
      [
        ['time.month', 1, 700_00, 700_00],
        ['time.day', 3, 50_00, 150_00],
        ['surcharge.airport', 30, 2_50, 75_00],
      ],
    ],
    [
      'S17',
      [
        ['time.weekend', 1, 120_00, 120_00],
        ['extra.item', 4, 8_00, 32_00],
      ],
    ],
    [
      'S18',
      [
        ['time.day', 3, 50_00, 150_00],
        ['mileage.over', 112, 25, 28_00],
      ],
    ],
    [
      'S19',
      [
        ['time.day', 2, 50_00, 100_00],
        ['one-way', 1, 75_00, 75_00],
        ['fuel.used', 3, 12_60, 37_80],
      ],
    ],
    [
      'S20',
      [
        ['time.day', 1, 50_00, 50_00],
        ['percentage.lf', 1, 5_56, 5_56],
      ],
    ],
  ])('%s is explained line by line', (name, lines) => {
    expect(linesOf(goldenCase(name))).toEqual(lines);
  });
});

describe('a convention of the golden prices:', () => {
  const monday = { ...goldenCase('S9'), return: '2027-03-08T10:00' };

  test('lines come in one order, whatever is asked for', () => {
    const request = requestOf({
      ...monday,
      needs: ['cdw', 'young-driver', 'one-way', 'airport', 'location-fee'],
      items: 1,
      km: 2_000,
      fuelEighths: [8, 4],
    });
    const all = quote({ ...request, surcharges: ['lf', 'vl', 'airport'] });
    expect(all.lines.map(({ code }) => code)).toEqual([
      'time.week',
      'coverage.cdw',
      'extra.item',
      'driver.young',
      'one-way',
      'surcharge.airport',
      'surcharge.vl',
      'mileage.over',
      'fuel.used',
      'percentage.lf',
    ]);
    // LF: 11.11 % of 210.00 + 600 km × 0.25 = 360.00 → 39.996 → 40.00.
    expect(all.lines.at(-1)).toMatchObject({ netMinor: 40_00, basis: { baseMinor: 360_00 } });
  });

  test.each([
    // From Friday noon to Monday noon and the grace at its end; none at its start.
    ['2027-03-05T12:00', '2027-03-08T12:29', 120_00],
    ['2027-03-05T12:00', '2027-03-08T12:30', 160_00],
    ['2027-03-05T11:59', '2027-03-08T11:59', 150_00],
    ['2027-03-06T09:00', '2027-03-08T09:00', 100_00],
    ['2027-03-05T12:00', '2027-03-10T12:00', 210_00],
    // Summer time begins on that Sunday: 71 hours, and still the whole weekend.
    ['2027-03-26T12:00', '2027-03-29T12:29', 120_00],
    // It ends on that one: 73 hours would be 160.00.
    ['2027-10-29T12:00', '2027-11-01T12:00', 120_00],
  ])('a weekend from %s to %s costs %d', (pickUp, back, netMinor) => {
    expect(quote(requestOf({ ...monday, pickUp, return: back })).netMinor).toBe(netMinor);
  });

  test('a weekend line changes neither charged nor extras days', () => {
    const { duration } = quote(requestOf(goldenCase('S17')));
    expect(duration).toMatchObject({ chargedDays: 3, extrasDays: 4 });
  });

  test('VL is charged by charged days: 3 × 1.17 = 3.51', () => {
    const price = quote({ ...requestOf(goldenCase('S18')), distance: 0, surcharges: ['vl'] });
    expect(price).toMatchObject({ netMinor: 153_51, vatMinor: 30_70, totalMinor: 184_21 });
  });

  test.each([
    [600, 0],
    [601, 25],
    [0, 0],
  ])('%d km in three days are %d', (km, overMinor) => {
    const price = quote({ ...requestOf(goldenCase('S18')), distance: km });
    expect(price.netMinor).toBe(150_00 + overMinor);
  });

  test.each([
    ['the floor is taken once, on the difference', { out: 95, back: 60, scale: 100 }, 2 * 12_60],
    ['a whole tank', { out: 8, back: 0, scale: 8 }, 8 * 12_60],
    ['fuller than before', { out: 4, back: 8, scale: 8 }, 0],
    ['less than an eighth', { out: 100, back: 88, scale: 100 }, 0],
    ['a receipt', { out: 8, back: 5, scale: 8, hasReceipt: true }, 0],
    // 50 l × 2.10 × 3/8 = 39.375: rounded once.
    ['a tank of 50 l', { out: 8, back: 5, scale: 8, capacity: 50 }, 39_38],
  ])('fuel: %s', (_name, levels, fuelMinor) => {
    const fuel = { kind: 'tank', ...levels } as const;
    expect(quote({ ...requestOf(goldenCase('S1')), fuel }).netMinor).toBe(50_00 + fuelMinor);
  });
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
