// Prepayments: the VAT that is due in them, what an invoice deducts of them, and their entries.
import { DomainError } from './errors.ts';
import { ACCOUNT, balanced, credit, type InvoiceAmounts, legsIn, type Posting } from './ledger.ts';
import { addMinor, type Minor, multiplyRatio } from './money.ts';

/** Of one VAT rate; amounts in minor units. */
export type TaxShare = {
  readonly rateBp: number;
  readonly baseMinor: Minor;
  readonly vatMinor: Minor;
};
export type PrepaidLeft = TaxShare & { readonly prepaymentId: string };

/** Why money goes back: codes, because free text may name persons. */
export const PREPAYMENT_REFUND_REASONS = [
  'cancelled',
  'shorter',
  'overpaid',
  'goodwill',
  'other',
] as const;

/** What a counter records. */
export const PREPAYMENT_TENDERS = ['cash', 'bank-transfer', 'card', 'deposit'] as const;
/**
 * `card` is a slip of the counter's terminal; `deposit` was paid or captured for the rental before;
 * `gateway` was charged to a card by the gateway.
 */
export type PrepaymentTender = (typeof PREPAYMENT_TENDERS)[number] | 'gateway';
export type PrepaymentRefundReason = (typeof PREPAYMENT_REFUND_REASONS)[number];

const HELD_IN: Readonly<Record<PrepaymentTender, string>> = {
  cash: ACCOUNT.cashInDrawers,
  'bank-transfer': ACCOUNT.bank,
  card: ACCOUNT.pspClearing,
  deposit: ACCOUNT.securityDeposits,
  gateway: ACCOUNT.pspClearing,
};

const WHOLE_BP = 10_000;

export function isPrepayable(status: string): boolean {
  return status === 'reserved' || status === 'active';
}

/** Throws `invalid-state`. */
export function checkPrepayable(rentalStatus: string): void {
  if (isPrepayable(rentalStatus)) return;
  const message = 'Only a rental to come or under way is prepaid.';
  throw new DomainError('invalid-state', message, { rentalStatus });
}

/**
 * The VAT of a gross amount that is paid in advance, rate by rate in the order of the price: the hire
 * comes first (decisions.md 14). Several that make up the price together have its very VAT. Throws
 * `amount-too-high` for more than the price less what was prepaid.
 */
export function prepaymentTaxes(
  price: readonly TaxShare[],
  before: readonly TaxShare[],
  amountMinor: Minor,
): readonly TaxShare[] {
  let rest = amountMinor;
  const shares = price.flatMap((whole): readonly TaxShare[] => {
    const { rateBp } = whole;
    const paid = sumOf(before.filter((one) => one.rateBp === rateBp));
    const room = grossOf(whole) - paid.baseMinor - paid.vatMinor;
    const grossMinor = Math.min(rest, Math.max(0, room));
    if (grossMinor === 0) return [];
    rest -= grossMinor;
    const sumMinor = paid.baseMinor + paid.vatMinor + grossMinor;
    const vat =
      grossMinor === room ? whole.vatMinor : multiplyRatio(sumMinor, rateBp, WHOLE_BP + rateBp);
    const vatMinor = vat - paid.vatMinor;
    return [{ rateBp, baseMinor: grossMinor - vatMinor, vatMinor }];
  });
  if (rest === 0) return shares;
  throw new DomainError('amount-too-high', 'It would be more than the rental costs.', {
    limitMinor: amountMinor - rest,
  });
}

/**
 * What an invoice deducts, per prepayment and rate, oldest first: never more than its own net amount
 * and VAT at that rate.
 */
export function deductionsOf(
  invoice: readonly TaxShare[],
  left: readonly PrepaidLeft[],
): readonly PrepaidLeft[] {
  return invoice.flatMap((share) => {
    let { baseMinor, vatMinor } = share;
    return left
      .filter(({ rateBp }) => rateBp === share.rateBp)
      .flatMap((one): readonly PrepaidLeft[] => {
        const base = Math.min(Math.max(0, baseMinor), one.baseMinor);
        const ofIt =
          base === one.baseMinor ? one.vatMinor : multiplyRatio(base, one.rateBp, WHOLE_BP);
        const vat = Math.min(Math.max(0, vatMinor), ofIt, one.vatMinor);
        if (base === 0 && vat === 0) return [];
        baseMinor -= base;
        vatMinor -= vat;
        return [{ ...one, baseMinor: base, vatMinor: vat }];
      });
  });
}

/** Dr what it was paid with / Cr customer prepayments, and VAT a posting per rate (decisions.md 14). */
export function prepaymentPostings({
  currency,
  tender,
  taxes,
}: {
  readonly currency: string;
  readonly tender: PrepaymentTender;
  readonly taxes: readonly TaxShare[];
}): readonly Posting[] {
  const leg = legsIn(currency);
  const { baseMinor, vatMinor } = sumOf(taxes);
  return moving([
    leg(HELD_IN[tender], addMinor(baseMinor, vatMinor)),
    leg(ACCOUNT.customerPrepayments, credit(baseMinor)),
    ...taxes.map((tax) => leg(ACCOUNT.vatPayable, credit(tax.vatMinor))),
  ]);
}

/** Dr receivables / Cr what it goes back by: it was credited before. */
export function prepaymentRefundPostings({
  currency,
  tender,
  amountMinor,
}: {
  readonly currency: string;
  readonly tender: Exclude<PrepaymentTender, 'deposit'>;
  readonly amountMinor: Minor;
}): readonly Posting[] {
  const leg = legsIn(currency);
  return moving([leg(ACCOUNT.receivables, amountMinor), leg(HELD_IN[tender], credit(amountMinor))]);
}

/**
 * A final invoice that deducts prepayments: Dr receivables with the rest, Dr prepayments net / Cr revenue
 * in full, Cr VAT less what was due before (decisions.md 14: 240 and 100 / 300 and 40).
 */
export function deductedPostings(
  invoice: InvoiceAmounts,
  deductions: readonly TaxShare[],
): readonly Posting[] {
  const leg = legsIn(invoice.currency);
  const prepaid = sumOf(deductions);
  return moving([
    leg(ACCOUNT.receivables, invoice.totalMinor - prepaid.baseMinor - prepaid.vatMinor),
    leg(ACCOUNT.customerPrepayments, prepaid.baseMinor),
    leg(ACCOUNT.rentalRevenue, credit(invoice.netMinor)),
    ...invoice.vat.map(({ rateBp, vatMinor }) => {
      const due = sumOf(deductions.filter((one) => one.rateBp === rateBp));
      return leg(ACCOUNT.vatPayable, credit(vatMinor - due.vatMinor));
    }),
  ]);
}

export function sumOf(taxes: readonly TaxShare[]): Omit<TaxShare, 'rateBp'> {
  return {
    baseMinor: addMinor(...taxes.map((tax) => tax.baseMinor)),
    vatMinor: addMinor(...taxes.map((tax) => tax.vatMinor)),
  };
}

function grossOf({ baseMinor, vatMinor }: TaxShare): Minor {
  return addMinor(baseMinor, vatMinor);
}

function moving(postings: readonly Posting[]): readonly Posting[] {
  return balanced(postings.filter(({ amountMinor }) => amountMinor !== 0));
}
