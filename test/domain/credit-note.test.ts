// Credit notes by hand and by property: parts sum to the document, and no part is more than is left.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Creditable, creditNoteOf, type TaxLeft } from '../../domain/credit-note.ts';
import { ACCOUNT } from '../../domain/ledger.ts';

/** 100.00 of hire and 20.00 of cover with 20 % VAT, and 30.00 without. */
const INVOICE: Creditable = {
  currency: 'EUR',
  lines: [line(1, 100_00, 2_000), line(2, 20_00, 2_000), line(3, 30_00, 0)],
  taxes: [tax(2_000, 120_00, 24_00), tax(0, 30_00, 0)],
  accounts: [
    { account: ACCOUNT.rentalRevenue, leftMinor: 150_00 },
    { account: ACCOUNT.vatPayable, leftMinor: 24_00 },
  ],
};

function line(lineNo: number, netMinor: number, vatRateBp: number) {
  return { lineNo, code: 'time.day', netMinor, leftMinor: netMinor, vatRateBp };
}

function tax(rateBp: number, baseMinor: number, vatMinor: number): TaxLeft {
  return { rateBp, baseMinor, vatMinor, leftBaseMinor: baseMinor, leftVatMinor: vatMinor };
}

const legs = ({ postings }: ReturnType<typeof creditNoteOf>) =>
  postings.map(({ account, amountMinor }) => [account, amountMinor]);

test('the whole invoice: Dr revenue 150.00, Dr VAT 24.00 / Cr receivables 174.00', () => {
  const note = creditNoteOf(INVOICE);
  expect(note).toMatchObject({ netMinor: 150_00, vatMinor: 24_00, totalMinor: 174_00 });
  expect(legs(note)).toEqual([
    [ACCOUNT.rentalRevenue, 150_00],
    [ACCOUNT.vatPayable, 24_00],
    [ACCOUNT.receivables, -174_00],
  ]);
});

test('a part of one line: Dr revenue 12.50, Dr VAT 2.50 / Cr receivables 15.00', () => {
  const note = creditNoteOf(INVOICE, [{ lineNo: 2, netMinor: 12_50 }]);
  expect(legs(note)).toEqual([
    [ACCOUNT.rentalRevenue, 12_50],
    [ACCOUNT.vatPayable, 2_50],
    [ACCOUNT.receivables, -15_00],
  ]);
  expect(note.lines).toMatchObject([{ creditsLine: 2, netMinor: 12_50 }]);
});

test('a prepayment that nobody used: Dr prepayments 250, Dr VAT 50 / Cr receivables 300', () => {
  const prepaid: Creditable = {
    currency: 'EUR',
    lines: [line(1, 250_00, 2_000)],
    taxes: [tax(2_000, 250_00, 50_00)],
    accounts: [
      { account: ACCOUNT.customerPrepayments, leftMinor: 250_00 },
      { account: ACCOUNT.vatPayable, leftMinor: 50_00 },
    ],
  };
  expect(legs(creditNoteOf(prepaid))).toEqual([
    [ACCOUNT.customerPrepayments, 250_00],
    [ACCOUNT.vatPayable, 50_00],
    [ACCOUNT.receivables, -300_00],
  ]);
});

test('the fee of a fine that was charged on, and not the fine', () => {
  const late: Creditable = {
    currency: 'EUR',
    lines: [
      { ...line(1, 60_00, 0), code: 'violation.fine' },
      { ...line(2, 25_00, 2_000), code: 'violation.admin-fee' },
    ],
    taxes: [tax(0, 60_00, 0), tax(2_000, 25_00, 5_00)],
    accounts: [
      { account: ACCOUNT.authorityPayable, leftMinor: 60_00 },
      { account: ACCOUNT.vatPayable, leftMinor: 5_00 },
      { account: ACCOUNT.adminFees, leftMinor: 25_00 },
    ],
  };
  expect(legs(creditNoteOf(late, [{ lineNo: 2, netMinor: 25_00 }]))).toEqual([
    [ACCOUNT.adminFees, 25_00],
    [ACCOUNT.vatPayable, 5_00],
    [ACCOUNT.receivables, -30_00],
  ]);
});

test.each([
  [[{ lineNo: 2, netMinor: 20_01 }], 'amount-too-high'],
  [[{ lineNo: 2, netMinor: -1 }], 'amount-too-high'],
  [[{ lineNo: 9, netMinor: 1 }], 'value-refused'],
  [[1, 2].map((netMinor) => ({ lineNo: 1, netMinor })), 'value-refused'],
  [[], 'invalid-state'],
] as const)('%j is refused: %s', (asked, code) => {
  expect(() => creditNoteOf(INVOICE, asked)).toThrow(expect.objectContaining({ code }));
});

test('any parts, and then the rest, sum to the document, each at its rate to one unit', () => {
  const net = fc.integer({ min: 1, max: 99_999 });
  const rate = fc.integer({ min: 0, max: 2_700 });
  const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(net, rate, parts, fc.boolean(), (baseMinor, rateBp, shares, isGross) => {
      const vatMinor = vatOf(baseMinor, rateBp, isGross);
      const whole = tax(rateBp, baseMinor, vatMinor);
      let document: Creditable = {
        currency: 'EUR',
        lines: [line(1, baseMinor, rateBp)],
        taxes: [whole],
        accounts: [{ account: ACCOUNT.rentalRevenue, leftMinor: baseMinor }],
      };
      for (const share of [...shares, 1]) {
        const leftMinor = document.lines[0]?.leftMinor ?? 0;
        const netMinor = Math.min(leftMinor, Math.ceil(leftMinor * share));
        if (netMinor === 0) continue;
        const note = creditNoteOf(document, [{ lineNo: 1, netMinor }]);
        expect(Math.abs(note.vatMinor * 10_000 - netMinor * rateBp)).toBeLessThanOrEqual(10_000);
        document = without(document, note);
      }
      expect(document.lines[0]?.leftMinor).toBe(0);
      expect(document.taxes[0]).toMatchObject({ leftBaseMinor: 0, leftVatMinor: 0 });
    }),
  );
});

/** Of prices that include it, VAT is taken out of what is paid. */
function vatOf(baseMinor: number, rateBp: number, isGross: boolean): number {
  const exact = (baseMinor * rateBp) / 10_000;
  if (!isGross) return Math.round(exact);
  const grossMinor = Math.floor(baseMinor + exact);
  const vatMinor = Math.round((grossMinor * rateBp) / (10_000 + rateBp));
  return grossMinor - vatMinor === baseMinor ? vatMinor : Math.round(exact);
}

function without(document: Creditable, note: ReturnType<typeof creditNoteOf>): Creditable {
  return {
    ...document,
    lines: document.lines.map((one) => ({ ...one, leftMinor: one.leftMinor - note.netMinor })),
    taxes: document.taxes.map((one) => ({
      ...one,
      leftBaseMinor: one.leftBaseMinor - note.netMinor,
      leftVatMinor: one.leftVatMinor - note.vatMinor,
    })),
    accounts: document.accounts.map((one) => ({
      ...one,
      leftMinor: one.leftMinor - note.netMinor,
    })),
  };
}
