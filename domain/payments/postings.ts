// What payments do to the books (decisions.md 15). A hold alone is no cash and posts nothing.
import { ACCOUNT, balanced, credit, legsIn, type Posting } from '../ledger.ts';
import type { Minor } from '../money.ts';

/** Amounts in minor units of the entity's functional currency; all rules throw `unbalanced`. */
type Amount = { readonly currency: string; readonly amountMinor: Minor };

/** What a capture beyond the invoiced amount is. */
export type BeforeInvoice =
  /** Secures what may come; no VAT. */
  | { readonly kind: 'security-deposit' }
  /** Pays an identified rental in advance, so the VAT in it is due (decisions.md 14). */
  | { readonly kind: 'prepayment'; readonly vatMinor: Minor };

/**
 * A capture: Dr PSP clearing / Cr receivables as far as the renter owes, else Cr customer
 * prepayments and VAT, or security deposits.
 */
export function capturePostings(
  { currency, amountMinor, owedMinor }: Amount & { readonly owedMinor: Minor },
  rest: BeforeInvoice = { kind: 'security-deposit' },
): readonly Posting[] {
  const leg = legsIn(currency);
  const paid = within(owedMinor, amountMinor);
  const above = amountMinor - paid;
  const vat = rest.kind === 'prepayment' && above > 0 ? rest.vatMinor : 0;
  const account =
    rest.kind === 'prepayment' ? ACCOUNT.customerPrepayments : ACCOUNT.securityDeposits;
  return moving([
    leg(ACCOUNT.pspClearing, amountMinor),
    leg(ACCOUNT.receivables, credit(paid)),
    leg(account, credit(above - vat)),
    leg(ACCOUNT.vatPayable, credit(vat)),
  ]);
}

/** A refund: Dr security deposits as far as one is held, else Dr receivables / Cr PSP clearing. */
export function refundPostings({
  currency,
  amountMinor,
  heldMinor,
}: Amount & { readonly heldMinor: Minor }): readonly Posting[] {
  const leg = legsIn(currency);
  const back = within(heldMinor, amountMinor);
  return moving([
    leg(ACCOUNT.securityDeposits, back),
    leg(ACCOUNT.receivables, amountMinor - back),
    leg(ACCOUNT.pspClearing, credit(amountMinor)),
  ]);
}

/**
 * A deposit that is forfeited, to an invoice or to a damage document: Dr security deposits / Cr
 * receivables, never more than a document made the renter owe. Empty where there is nothing of it.
 */
export function forfeitPostings({
  currency,
  heldMinor,
  owedMinor,
}: Pick<Amount, 'currency'> & {
  readonly heldMinor: Minor;
  readonly owedMinor: Minor;
}): readonly Posting[] {
  const leg = legsIn(currency);
  const kept = within(heldMinor, owedMinor);
  if (kept === 0) return [];
  return balanced([leg(ACCOUNT.securityDeposits, kept), leg(ACCOUNT.receivables, credit(kept))]);
}

/** The gateway pays out: Dr bank, Dr its fees / Cr PSP clearing with what it took in. */
export function payoutPostings({
  currency,
  amountMinor,
  feeMinor,
}: Amount & { readonly feeMinor: Minor }): readonly Posting[] {
  const leg = legsIn(currency);
  return moving([
    leg(ACCOUNT.bank, amountMinor - feeMinor),
    leg(ACCOUNT.paymentFees, feeMinor),
    leg(ACCOUNT.pspClearing, credit(amountMinor)),
  ]);
}

/** A chargeback is opened: Dr disputed receivables, Dr fees / Cr PSP clearing with both. */
export function chargebackPostings({
  currency,
  amountMinor,
  feeMinor,
}: Amount & { readonly feeMinor: Minor }): readonly Posting[] {
  const leg = legsIn(currency);
  return moving([
    leg(ACCOUNT.disputedReceivables, amountMinor),
    leg(ACCOUNT.paymentFees, feeMinor),
    leg(ACCOUNT.pspClearing, credit(amountMinor + feeMinor)),
  ]);
}

/** It was won: what came back undoes its opening; a fee only as far as the gateway returns it. */
export function chargebackWonPostings({
  feeReturnedMinor,
  ...opened
}: Amount & { readonly feeReturnedMinor: Minor }): readonly Posting[] {
  return chargebackPostings({ ...opened, feeMinor: feeReturnedMinor }).map((posting) => ({
    ...posting,
    amountMinor: credit(posting.amountMinor),
    baseMinor: credit(posting.baseMinor),
  }));
}

/** It was lost, and two people write it off: Dr bad debt / Cr disputed receivables. */
export function chargebackLostPostings({ currency, amountMinor }: Amount): readonly Posting[] {
  const leg = legsIn(currency);
  return balanced([
    leg(ACCOUNT.badDebt, amountMinor),
    leg(ACCOUNT.disputedReceivables, credit(amountMinor)),
  ]);
}

function within(limit: Minor, amount: Minor): Minor {
  return Math.max(0, Math.min(limit, amount));
}

function moving(postings: readonly Posting[]): readonly Posting[] {
  return balanced(postings.filter(({ amountMinor }) => amountMinor !== 0));
}
