// Golden entries of payments (decisions.md 15): one case for each of its sentences.
import { expect, test } from 'vitest';
import { DEMO_CHART, reversalPostings } from '../../domain/ledger.ts';
import {
  capturePostings,
  chargebackLostPostings,
  chargebackPostings,
  chargebackWonPostings,
  forfeitPostings,
  payoutPostings,
  refundPostings,
} from '../../domain/payments/postings.ts';

const EUR = { currency: 'EUR' } as const;
const NAMES: ReadonlyMap<string, string> = new Map(
  DEMO_CHART.map(({ code, name }) => [code, name]),
);
const [PSP, AR] = ['Card payments in clearing', 'Trade receivables'];
const [DEPOSITS, DISPUTED] = ['Security deposits of renters', 'Disputed card payments'];
const [FEES, VAT] = ['Fees of payment gateways', 'VAT payable'];

function legs(postings: ReturnType<typeof capturePostings>) {
  return postings.map(({ account, amountMinor, baseMinor }) => {
    expect(baseMinor).toBe(amountMinor);
    return [NAMES.get(account), amountMinor];
  });
}

test('hold 500, invoice 360: one entry of 360.00, clearing to receivables', () => {
  expect(legs(capturePostings({ ...EUR, amountMinor: 36_000, owedMinor: 36_000 }))).toEqual([
    [PSP, 36_000],
    [AR, -36_000],
  ]);
});

test('captured before anything is invoiced, it is a security deposit without VAT', () => {
  expect(legs(capturePostings({ ...EUR, amountMinor: 50_000, owedMinor: 0 }))).toEqual([
    [PSP, 50_000],
    [DEPOSITS, -50_000],
  ]);
});

test('captured above what is owed, the rest is a security deposit', () => {
  expect(legs(capturePostings({ ...EUR, amountMinor: 50_000, owedMinor: 36_000 }))).toEqual([
    [PSP, 50_000],
    [AR, -36_000],
    [DEPOSITS, -14_000],
  ]);
});

test('a prepayment of 120.00 is 100.00 of prepayments and 20.00 of VAT (decisions.md 14)', () => {
  const prepaid = { kind: 'prepayment', vatMinor: 2_000 } as const;
  const taken = { ...EUR, amountMinor: 12_000, owedMinor: 0 };
  expect(legs(capturePostings(taken, prepaid))).toEqual([
    [PSP, 12_000],
    ['Customer prepayments', -10_000],
    [VAT, -2_000],
  ]);
});

test('a refund gives back what is held as a deposit, and else makes the renter owe it', () => {
  const refund = (heldMinor: number) =>
    legs(refundPostings({ ...EUR, amountMinor: 20_000, heldMinor }));
  expect(refund(0)).toEqual([
    [AR, 20_000],
    [PSP, -20_000],
  ]);
  expect(refund(50_000)).toEqual([
    [DEPOSITS, 20_000],
    [PSP, -20_000],
  ]);
  expect(refund(5_000)).toEqual([
    [DEPOSITS, 5_000],
    [AR, 15_000],
    [PSP, -20_000],
  ]);
});

test('a deposit is forfeited to a document only, and no more of it than the document claims', () => {
  const forfeited = (owedMinor: number) =>
    legs(forfeitPostings({ ...EUR, heldMinor: 50_000, owedMinor }));
  expect(forfeited(0)).toEqual([]);
  expect(forfeited(-100)).toEqual([]);
  expect(forfeited(12_000)).toEqual([
    [DEPOSITS, 12_000],
    [AR, -12_000],
  ]);
  expect(forfeited(97_000)).toEqual([
    [DEPOSITS, 50_000],
    [AR, -50_000],
  ]);
});

test('payout of 360.00 with 4.68 of fees: 355.32 reach the bank', () => {
  expect(legs(payoutPostings({ ...EUR, amountMinor: 36_000, feeMinor: 468 }))).toEqual([
    ['Bank', 35_532],
    [FEES, 468],
    [PSP, -36_000],
  ]);
});

const CHARGEBACK = { ...EUR, amountMinor: 36_000 };

test('a chargeback of 360.00 takes its fee of 15.00 from clearing too', () => {
  expect(legs(chargebackPostings({ ...CHARGEBACK, feeMinor: 1_500 }))).toEqual([
    [DISPUTED, 36_000],
    [FEES, 1_500],
    [PSP, -37_500],
  ]);
});

test('won, it is reversed; a fee that the gateway keeps stays one', () => {
  const opened = chargebackPostings({ ...CHARGEBACK, feeMinor: 1_500 });
  expect(chargebackWonPostings({ ...CHARGEBACK, feeReturnedMinor: 1_500 })).toEqual(
    reversalPostings(opened),
  );
  expect(legs(chargebackWonPostings({ ...CHARGEBACK, feeReturnedMinor: 0 }))).toEqual([
    [DISPUTED, -36_000],
    [PSP, 36_000],
  ]);
});

test('lost, it is written off', () => {
  expect(legs(chargebackLostPostings(CHARGEBACK))).toEqual([
    ['Bad debt', 36_000],
    [DISPUTED, -36_000],
  ]);
});
