// Prepayments by hand (decisions.md 14) and by property: parts of a price have its very VAT.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACCOUNT } from '../../domain/ledger.ts';
import {
  deductedPostings,
  deductionsOf,
  type PrepaidLeft,
  prepaymentPostings,
  prepaymentTaxes,
  sumOf,
  type TaxShare,
} from '../../domain/prepayment.ts';

const share = (rateBp: number, baseMinor: number, vatMinor: number): TaxShare => ({
  ...{ rateBp, baseMinor, vatMinor },
});
const left = (one: TaxShare, prepaymentId = 'one'): PrepaidLeft => ({ ...one, prepaymentId });
const legs = (postings: ReturnType<typeof deductedPostings>) =>
  postings.map(({ account, amountMinor }) => [account, amountMinor]);

test('120.00 in advance: Dr clearing 120 / Cr prepayments 100, Cr VAT 20', () => {
  const taxes = prepaymentTaxes([share(2_000, 300_00, 60_00)], [], 120_00);
  expect(legs(prepaymentPostings({ currency: 'EUR', tender: 'card', taxes }))).toEqual([
    [ACCOUNT.pspClearing, 120_00],
    [ACCOUNT.customerPrepayments, -100_00],
    [ACCOUNT.vatPayable, -20_00],
  ]);
});

test('final 300 + 60: Dr receivables 240, Dr prepayments 100 / Cr revenue 300, Cr VAT 40', () => {
  const vat = [share(2_000, 300_00, 60_00)];
  const prepaid = deductionsOf(vat, [left(share(2_000, 100_00, 20_00))]);
  const invoice = { currency: 'EUR', netMinor: 300_00, vat, totalMinor: 360_00 };
  expect(legs(deductedPostings(invoice, prepaid))).toEqual([
    [ACCOUNT.receivables, 240_00],
    [ACCOUNT.customerPrepayments, 100_00],
    [ACCOUNT.rentalRevenue, -300_00],
    [ACCOUNT.vatPayable, -40_00],
  ]);
});

test('an invoice deducts no more than itself, of the oldest first', () => {
  const all = [left(share(2_000, 250_00, 50_00), 'old'), left(share(2_000, 50_00, 10_00), 'new')];
  expect(deductionsOf([share(2_000, 260_00, 52_00)], all)).toEqual([
    left(share(2_000, 250_00, 50_00), 'old'),
    left(share(2_000, 10_00, 2_00), 'new'),
  ]);
});

test('more than the price less what was prepaid is refused', () => {
  const price = [share(2_000, 100_00, 20_00), share(0, 30_00, 0)];
  const before = prepaymentTaxes(price, [], 130_00);
  expect(before).toEqual([share(2_000, 100_00, 20_00), share(0, 10_00, 0)]);
  const more = () => prepaymentTaxes(price, before, 20_01);
  expect(more).toThrow(expect.objectContaining({ code: 'amount-too-high' }));
});

test('parts that make up a price together have its VAT, and leave nothing to pay', () => {
  const rate = fc.record({
    rateBp: fc.constantFrom(0, 1_000, 1_900, 2_000, 2_550),
    baseMinor: fc.integer({ min: 1, max: 200_000 }),
  });
  const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
  const rates = fc.uniqueArray(rate, { minLength: 1, maxLength: 3, selector: (r) => r.rateBp });
  fc.assert(
    fc.property(rates, parts, (bases, shares) => {
      const price = bases.map(({ rateBp, baseMinor }) =>
        share(rateBp, baseMinor, Math.round((baseMinor * rateBp) / 10_000)),
      );
      const { baseMinor: netMinor, vatMinor } = sumOf(price);
      let rest = netMinor + vatMinor;
      let taken: readonly PrepaidLeft[] = [];
      for (const [index, part] of [...shares, 1].entries()) {
        const amount = Math.ceil(rest * part);
        if (amount === 0) continue;
        const taxes = prepaymentTaxes(price, taken, amount);
        const sum = sumOf(taxes);
        expect(sum.baseMinor + sum.vatMinor).toBe(amount);
        for (const one of taxes) {
          const off = one.vatMinor * 10_000 - one.baseMinor * one.rateBp;
          expect(Math.abs(off)).toBeLessThanOrEqual(10_000 + one.rateBp);
          expect(Math.min(one.baseMinor, one.vatMinor)).toBeGreaterThanOrEqual(0);
        }
        taken = [...taken, ...taxes.map((one) => left(one, `${index}`))];
        rest -= amount;
      }
      const deducted = deductionsOf(price, taken);
      expect(deducted).toEqual(expect.arrayContaining([...taken]));
      const postings = deductedPostings(
        { currency: 'EUR', netMinor, vat: price, totalMinor: netMinor + vatMinor },
        deducted,
      );
      expect(postings.map(({ account }) => account)).not.toContain(ACCOUNT.receivables);
    }),
  );
});
