// Posting rules: golden entries, and that whatever they make is balanced.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import {
  ACCOUNT,
  balanced,
  cancellationPostings,
  DEMO_CHART,
  finalInvoicePostings,
  type Posting,
  reversalPostings,
  walkPostings,
} from '../../domain/ledger.ts';
import { addMinor } from '../../domain/money.ts';
import { feeAmounts } from '../../domain/pricing.ts';

function leg(account: string, amountMinor: number, currency = 'EUR', base = amountMinor): Posting {
  return { account, currency, amountMinor, baseMinor: base };
}

function refusal(postings: readonly Posting[]): string | undefined {
  try {
    balanced(postings);
    return undefined;
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

describe('a rental that does not take place', () => {
  test('for 100.00 debits receivables and credits income 83.33 and VAT 16.67', () => {
    const amounts = feeAmounts(100_00, 2_000);
    expect(cancellationPostings({ currency: 'EUR', ...amounts })).toEqual([
      leg('1200', 100_00),
      leg('4400', -83_33),
      leg('2200', -16_67),
    ]);
  });

  test('is income as a whole where its fee is compensation', () => {
    const amounts = feeAmounts(100_00, 0);
    expect(cancellationPostings({ currency: 'EUR', ...amounts })).toEqual([
      leg('1200', 100_00),
      leg('4400', -100_00),
    ]);
  });
});

describe('a walk', () => {
  test('to a competitor for 99.00 debits its cost and credits accrued suppliers', () => {
    expect(walkPostings({ currency: 'EUR', costMinor: 9_900 })).toEqual([
      leg('5300', 9_900),
      leg('2110', -9_900),
    ]);
  });

  test('names accounts that every chart has', () => {
    const chart = new Map(DEMO_CHART.map(({ code, type }) => [code, type]));
    const types = walkPostings({ currency: 'EUR', costMinor: 1 }).map((p) => chart.get(p.account));
    expect(types).toEqual(['expense', 'liability']);
  });

  test('that costs nothing is no entry', () => {
    expect(() => walkPostings({ currency: 'EUR', costMinor: 0 })).toThrow(DomainError);
  });
});

describe('a final invoice', () => {
  test('of 210.00 with 20 % VAT debits receivables, credits revenue and VAT', () => {
    const invoice = {
      currency: 'EUR',
      netMinor: 21_000,
      vat: [{ rateBp: 2_000, vatMinor: 4_200 }],
      totalMinor: 25_200,
    };
    expect(finalInvoicePostings(invoice)).toEqual([
      leg('1200', 25_200),
      leg('4000', -21_000),
      leg('2200', -4_200),
    ]);
  });

  test('credits VAT by rate and leaves out what is zero', () => {
    const invoice = {
      currency: 'EUR',
      netMinor: 30_000,
      vat: [
        { rateBp: 2_000, vatMinor: 4_000 },
        { rateBp: 1_000, vatMinor: 1_000 },
        { rateBp: 0, vatMinor: 0 },
      ],
      totalMinor: 35_000,
    };
    expect(finalInvoicePostings(invoice).map((p) => p.amountMinor)).toEqual([
      35_000, -30_000, -4_000, -1_000,
    ]);
  });

  test('whose parts do not make the total is refused', () => {
    const broken = { currency: 'EUR', netMinor: 100, vat: [], totalMinor: 101 };
    expect(() => finalInvoicePostings(broken)).toThrow(DomainError);
  });

  test('is balanced for any amounts', () => {
    const minor = fc.integer({ min: 1, max: 1_000_000_000 });
    const rate = fc.record({ rateBp: fc.nat(10_000), vatMinor: fc.nat(1_000_000) });
    fc.assert(
      fc.property(minor, fc.array(rate, { maxLength: 4 }), (netMinor, vat) => {
        const totalMinor = addMinor(netMinor, ...vat.map((tax) => tax.vatMinor));
        const made = finalInvoicePostings({ currency: 'EUR', netMinor, vat, totalMinor });
        expect(addMinor(...made.map((p) => p.amountMinor))).toBe(0);
      }),
    );
  });

  test('names accounts of the demo chart only', () => {
    const codes = DEMO_CHART.map((account) => account.code);
    expect(Object.values(ACCOUNT).every((code) => codes.includes(code))).toBe(true);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('an entry', () => {
  test('of one posting, of nothing, or unequal is refused', () => {
    expect(refusal([leg('1010', 100)])).toBe('unbalanced');
    expect(refusal([])).toBe('unbalanced');
    expect(refusal([leg('1010', 0), leg('4000', 0)])).toBe('unbalanced');
    expect(refusal([leg('1010', 100), leg('4000', -99)])).toBe('unbalanced');
  });

  test('balances within each currency, not across them', () => {
    expect(refusal([leg('1010', 100, 'USD', 91), leg('4000', -91, 'EUR')])).toBe('unbalanced');
  });

  test('balances in the functional currency too', () => {
    expect(refusal([leg('1010', 100, 'USD', 91), leg('1200', -100, 'USD', -90)])).toBe(
      'unbalanced',
    );
  });

  test('carries an exchange gain as a leg of 0.00 (decisions.md 23)', () => {
    const paid = [
      leg('1010', 11_000, 'USD', 10_185),
      leg('1200', -11_000, 'USD', -10_000),
      leg('7000', 0, 'USD', -185),
    ];
    expect(refusal(paid)).toBeUndefined();
  });

  test('is undone leg by leg by its reversal, twice makes the original', () => {
    const postings = [leg('1200', 500), leg('4000', -400), leg('2200', -100)];
    expect(reversalPostings(postings).map((p) => p.amountMinor)).toEqual([-500, 400, 100]);
    expect(reversalPostings(reversalPostings(postings))).toEqual(postings);
  });
});
