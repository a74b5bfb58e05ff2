// Golden entries of tenders and drawers (decisions.md 15 and 27), and what they can never do.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countOf, matchedPostings, overShortPostings, sentPostings } from '../../domain/cash.ts';
import type { Posting } from '../../domain/ledger.ts';
import {
  applicationOf,
  depositPostings,
  depositReturnPostings,
  receivedPostings,
  refundTender,
  TENDERS,
  tenderRefundPostings,
} from '../../domain/payments/tenders.ts';

const EUR = { currency: 'EUR' } as const;

function legs(postings: readonly Posting[]): readonly string[] {
  return postings.map(({ account, amountMinor }) => `${account} ${amountMinor}`);
}

function received(tender: (typeof TENDERS)[number], amountMinor: number, openMinor: number) {
  const application = applicationOf(tender, amountMinor, openMinor, 5);
  return legs(receivedPostings({ ...EUR, ...application, tender, amountMinor }));
}

describe('the entries', () => {
  test('of a payment are the tender’s account to receivables', () => {
    expect(received('cash', 12_000, 12_000)).toEqual(['1000 12000', '1200 -12000']);
    expect(received('bank-transfer', 12_000, 12_000)).toEqual(['1010 12000', '1200 -12000']);
    expect(received('card', 12_000, 20_000)).toEqual(['1020 12000', '1200 -12000']);
    expect(received('account', 12_000, 12_000)).toEqual(['2160 12000', '1200 -12000']);
  });

  test('of a transfer that is too much keep the rest on account', () => {
    const kept = ['1010 15000', '1200 -12000', '2160 -3000'];
    expect(received('bank-transfer', 15_000, 12_000)).toEqual(kept);
    expect(received('bank-transfer', 3_000, 0)).toEqual(['1010 3000', '2160 -3000']);
  });

  test('of rounded cash settle all that is open, either way', () => {
    expect(received('cash', 12_000, 12_002)).toEqual(['1000 12000', '1200 -12002', '5430 2']);
    expect(received('cash', 12_005, 12_003)).toEqual(['1000 12005', '1200 -12003', '5430 -2']);
    const whole = { amountMinor: 12_005, fromAccountMinor: 0, roundingMinor: 2 };
    expect(legs(tenderRefundPostings({ ...EUR, tender: 'cash', ...whole }))).toEqual([
      ...['1200 12003', '5430 2', '1000 -12005'],
    ]);
  });

  test('of a deposit touch no receivable', () => {
    const cash = { ...EUR, tender: 'cash', amountMinor: 20_000 } as const;
    expect(legs(depositPostings(cash))).toEqual(['1000 20000', '2120 -20000']);
    const bank = { ...cash, tender: 'bank-transfer' } as const;
    expect(legs(depositReturnPostings({ ...bank, heldMinor: 20_000 }))).toEqual([
      '1010 -20000',
      '2120 20000',
    ]);
  });

  test('of a drawer: 2.50 short, 2.50 over; to the bank and change from it', () => {
    expect(legs(overShortPostings({ ...EUR, amountMinor: -250 }))).toEqual([
      ...['1000 -250', '5420 250'],
    ]);
    expect(legs(overShortPostings({ ...EUR, amountMinor: 250 }))).toEqual([
      ...['1000 250', '5420 -250'],
    ]);
    const bag = { ...EUR, amountMinor: 1_000 };
    const [out, back] = [
      { ...bag, direction: 'to-bank' },
      { ...bag, direction: 'from-bank' },
    ] as const;
    expect(legs(sentPostings(out))).toEqual(['1006 1000', '1005 -1000']);
    expect(legs(matchedPostings(out))).toEqual(['1010 1000', '1006 -1000']);
    expect(legs(sentPostings(back))).toEqual(['1006 -1000', '1005 1000']);
    expect(legs(matchedPostings(back))).toEqual(['1010 -1000', '1006 1000']);
  });
});

test('never more is applied than is open, and nothing is lost', () => {
  const minor = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(fc.constantFrom(...TENDERS), minor, minor, (tender, amount, openMinor) => {
      const amountMinor = tender === 'cash' ? amount - (amount % 5) : amount;
      if (amountMinor > openMinor && tender !== 'bank-transfer') return;
      const { appliedMinor, unappliedMinor, roundingMinor } = applicationOf(
        ...([tender, amountMinor, openMinor, 5] as const),
      );
      expect(appliedMinor).toBeLessThanOrEqual(openMinor);
      expect(appliedMinor + unappliedMinor + roundingMinor).toBe(amountMinor);
      expect(Math.abs(roundingMinor)).toBeLessThan(5);
    }),
  );
});

test('cash goes back as cash up to 100.00 in all, everything else the way it came', () => {
  expect(refundTender('cash', 10_000, 0, 10_000)).toBe('cash');
  expect(refundTender('cash', 10_001, 0, 10_000)).toBe('bank-transfer');
  expect(refundTender('cash', 5_000, 6_000, 10_000)).toBe('bank-transfer');
  expect(refundTender('card', 50_000, 0, 10_000)).toBe('card');
});

test('a note or coin is counted once', () => {
  const fifty = { valueMinor: 5_000, pieces: 6 };
  expect(countOf([fifty, { valueMinor: 50, pieces: 3 }])).toBe(30_150);
  expect(() => countOf([fifty, fifty])).toThrow('once');
});
