// Cycles of split payers: golden documents by hand, and by property that all of them sum to the price.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CycleLine,
  cycleLines,
  documentsOfRests,
  type PayerLine,
  restsByPayer,
} from '../../domain/payer-cycles.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { PriceLine } from '../../domain/pricing/line.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';

const line = (code: string, amountMinor: number, vatRateBp = 2_000): CycleLine => ({
  ...{ code, vatRateBp, amountMinor },
});
const share = (payerId: string, more: Partial<PayerShare> = {}): PayerShare => ({
  ...{ payerId, kind: 'renter', covers: [], percentBp: 0 },
  ...{ voucherNetMinor: null, isPrimary: false, ...more },
});
const RENTER = share('renter', { isPrimary: true });
const INSURER = share('insurer', { kind: 'insurer', covers: ['time'] });
const FIRM = share('firm', { kind: 'corporate', percentBp: 3_333 });

const sum = (lines: readonly CycleLine[]) => lines.reduce((all, one) => all + one.amountMinor, 0);
const told = (lines: readonly PayerLine[]) =>
  lines.map(({ payerId, code, amountMinor }) => [payerId, code, amountMinor]);

/** What a cycle adds for those who owe something at a rate; the rest stays for later. */
function billed(
  price: readonly CycleLine[],
  before: readonly PayerLine[],
  by: readonly PayerShare[],
) {
  const documents = documentsOfRests(restsByPayer(price, before, by), GOLD_1);
  const lines = documents.flatMap(({ payerId, lines: own }) =>
    own.map((one) => ({ ...one, payerId })),
  );
  return [...before, ...lines];
}

const FIRST = [line('time.month', 700_00), line('time.day', 100_00), line('extra.seat', 30_00)];
const SECOND = [line('time.month', 1_400_00), line('time.week', 210_00), line('extra.seat', 60_00)];

test('a whole line is its payer’s in each cycle, days that become weeks too; remainders the primary’s', () => {
  const shares = [RENTER, INSURER, FIRM];
  const first = billed(FIRST, [], shares);
  const cdw = [
    ['firm', 'extra.seat', 9_99],
    ['renter', 'extra.seat', 20_01],
  ];
  expect(told(first)).toEqual([['insurer', 'time', 800_00], ...cdw]);
  expect(told(billed(SECOND, first, shares).slice(3))).toEqual([
    ['insurer', 'time', 810_00],
    ...cdw,
  ]);
});

describe('what was billed stays its payer’s', () => {
  const first = billed(FIRST, [], [RENTER]);

  test('when others pay from then on', () => {
    expect(told(restsByPayer(SECOND, first, [RENTER, INSURER]))).toEqual([
      ['insurer', 'time', 810_00],
      ['renter', 'extra.seat', 30_00],
    ]);
  });

  test('and is given back to nobody else, in proportion where several were charged', () => {
    const early = [line('time.month', 700_00), line('extra.seat', 30_00)];
    expect(told(restsByPayer(early, first, [RENTER, INSURER]))).toEqual([
      ['renter', 'time', -100_00],
    ]);
    const both = billed(SECOND, first, [RENTER, INSURER]);
    // 90.00 of 1,610.00, of which the renter was charged 800.00.
    const less = [line('time.month', 1_520_00), line('extra.seat', 60_00)];
    expect(told(restsByPayer(less, both, [RENTER, INSURER]))).toEqual([
      ['renter', 'time', -44_72],
      ['insurer', 'time', -45_28],
    ]);
  });

  test('at another rate: taken back as a whole, and charged to the same', () => {
    const short = [line('time.day', 850_00, 1_000), line('extra.seat', 30_00)];
    expect(told(restsByPayer(short, first, [RENTER, INSURER]))).toEqual([
      ['insurer', 'time', 50_00],
      ['renter', 'time', -800_00],
      ['renter', 'time', 800_00],
    ]);
  });
});

test('a lower class, of which its payer has nothing else, lowers what another pays', () => {
  const shares = [RENTER, INSURER];
  const price = [line('time.month', 700_00), line('fee.downgrade', -50_00)];
  const [document] = documentsOfRests(restsByPayer(price, [], shares), GOLD_1);
  expect(document).toMatchObject({ payerId: 'insurer', charge: { netMinor: 650_00 } });
});

test('a code at several rates is split and billed by each of them', () => {
  const price = [line('extra.seat', 30_00, 1_000), line('extra.seat', 20_00)];
  const first = restsByPayer(price, [], [RENTER]);
  const rates = (lines: readonly PayerLine[]) =>
    lines.map(({ vatRateBp, amountMinor }) => [vatRateBp, amountMinor]);
  const atRates = [
    [1_000, 30_00],
    [2_000, 20_00],
  ];
  expect(rates(first)).toEqual(atRates);
  const twice = price.map((one) => ({ ...one, amountMinor: one.amountMinor * 2 }));
  expect(rates(restsByPayer(twice, first, [RENTER]))).toEqual(atRates);
});

test('what a voucher covers is on no cycle’s document', () => {
  const broker = share('broker', { kind: 'voucher', covers: ['time'], voucherNetMinor: 500_00 });
  expect(told(restsByPayer(FIRST, [], [RENTER, broker]))).toEqual([
    ['renter', 'extra.seat', 30_00],
  ]);
});

test('documents of prices that include VAT sum to the gross price', () => {
  const gross = { ...GOLD_1, pricesInclude: 'vat', vatRateBp: 1_900 } as const;
  const priced = {
    code: 'time.day',
    quantity: 1,
    unitMinor: 0,
    basis: {},
    vatRateBp: 1_900,
  } as const;
  const price: PriceLine[] = [{ ...priced, netMinor: 840_34, grossMinor: 1_000_00 }];
  const shares = [RENTER, FIRM];
  const documents = documentsOfRests(restsByPayer(cycleLines(price), [], shares), gross);
  expect(documents.map(({ payerId, charge }) => [payerId, charge?.totalMinor])).toEqual([
    ['firm', 333_30],
    ['renter', 666_70],
  ]);
});

test('all cycles and the last documents sum to the price, and nobody gets back more than he was charged', () => {
  const rate = fc.constantFrom(1_000, 2_000);
  const amounts = fc.tuple(
    ...[fc.nat(900_00), fc.nat(300_00), fc.nat(60_00), fc.integer({ min: -20_00, max: 0 })],
  );
  const price = fc
    .tuple(amounts, rate)
    .map(([[month, day, seat, lower], vat]) => [
      line('time.month', month, vat),
      line('time.day', day, vat),
      line('extra.seat', seat),
      ...(month + day > -lower ? [line('fee.downgrade', lower, vat)] : []),
    ]);
  const shares = fc
    .tuple(fc.nat(5_000), fc.nat(5_000), fc.boolean(), fc.boolean())
    .map(([a, b, covers, swapped]): readonly PayerShare[] => [
      share(swapped ? 'd' : 'a', { percentBp: a, covers: covers ? ['time'] : [] }),
      share('b', { percentBp: b, covers: swapped ? ['extra.seat', 'fee'] : [] }),
      share(swapped ? 'a' : 'c', { isPrimary: true }),
    ]);
  const cycles = fc.array(fc.tuple(price, shares), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(cycles, (all) => {
      let before: readonly PayerLine[] = [];
      for (const [now, by] of all) {
        const rests = restsByPayer(now, before, by);
        const after = [...before, ...rests];
        for (const vat of [1_000, 2_000]) {
          const at = (lines: readonly CycleLine[]) => lines.filter((l) => l.vatRateBp === vat);
          expect(sum(at(after))).toBe(sum(at(now)));
          for (const payer of ['a', 'b', 'c', 'd']) {
            const own = at(after.filter(({ payerId }) => payerId === payer));
            expect(sum(own)).toBeGreaterThanOrEqual(0);
          }
        }
        before = billed(now, before, by);
      }
    }),
    { numRuns: 100 },
  );
});
