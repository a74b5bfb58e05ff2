// What customers pay with outside the gateway, how much of it a document takes, and how it is posted.
import { DomainError } from '../errors.ts';
import { ACCOUNT, balanced, credit, legsIn, type Posting } from '../ledger.ts';
import type { Minor } from '../money.ts';

export const TENDERS = ['cash', 'bank-transfer', 'card', 'account'] as const;
/**
 * `card` is a slip of the counter's own terminal; `account` is what the customer has paid beyond
 * documents before.
 */
export type Tender = (typeof TENDERS)[number];

const HELD_IN: Readonly<Record<Tender, string>> = {
  cash: ACCOUNT.cashInDrawers,
  'bank-transfer': ACCOUNT.bank,
  card: ACCOUNT.pspClearing,
  account: ACCOUNT.moneyOnAccount,
};

/** What an amount does: settles the document, stays on account, or is lost or won by rounding. */
export type Application = {
  readonly appliedMinor: Minor;
  readonly unappliedMinor: Minor;
  readonly roundingMinor: Minor;
};

/**
 * Never more is applied than is open. A transfer may be more: the rest stays on account. Cash comes
 * in multiples of `roundingMinor` and settles all at the multiple nearest to what is open. Throws
 * `amount-too-high` for more by another tender, `value-refused` for cash that there is not.
 */
export function applicationOf(
  tender: Tender,
  amountMinor: Minor,
  openMinor: Minor,
  roundingMinor: Minor,
): Application {
  const whole = { unappliedMinor: 0, roundingMinor: 0 };
  if (tender === 'bank-transfer') {
    const appliedMinor = Math.min(amountMinor, openMinor);
    return { ...whole, appliedMinor, unappliedMinor: amountMinor - appliedMinor };
  }
  if (tender === 'cash') {
    checkCash(amountMinor, roundingMinor);
    const dueMinor = Math.round(openMinor / roundingMinor) * roundingMinor;
    if (openMinor > 0 && amountMinor === dueMinor) {
      return { ...whole, appliedMinor: openMinor, roundingMinor: amountMinor - openMinor };
    }
  }
  if (amountMinor <= openMinor) return { ...whole, appliedMinor: amountMinor };
  throw new DomainError('amount-too-high', 'Less than that is open of it.', { openMinor });
}

/** Throws `value-refused` for an amount that notes and coins cannot make. */
export function checkCash(amountMinor: Minor, roundingMinor: Minor): void {
  if (amountMinor % roundingMinor === 0) return;
  throw new DomainError('value-refused', 'Cash is rounded: take a multiple of the smallest coin.', {
    roundingMinor,
  });
}

type Received = Application & {
  readonly tender: Tender;
  readonly currency: string;
  readonly amountMinor: Minor;
};

/** Dr the tender's account / Cr receivables, money on account, and cash rounding either way. */
export function receivedPostings(received: Received): readonly Posting[] {
  const leg = legsIn(received.currency);
  return moving([
    leg(HELD_IN[received.tender], received.amountMinor),
    leg(ACCOUNT.receivables, credit(received.appliedMinor)),
    leg(ACCOUNT.moneyOnAccount, credit(received.unappliedMinor)),
    leg(ACCOUNT.cashRounding, credit(received.roundingMinor)),
  ]);
}

type Moved = {
  readonly tender: Tender;
  readonly currency: string;
  readonly amountMinor: Minor;
};

/** A deposit in cash or by transfer: Dr cash or bank / Cr security deposits (decisions.md 15). */
export function depositPostings({ tender, currency, amountMinor }: Moved): readonly Posting[] {
  const leg = legsIn(currency);
  return moving([
    leg(HELD_IN[tender], amountMinor),
    leg(ACCOUNT.securityDeposits, credit(amountMinor)),
  ]);
}

/**
 * Dr security deposits as far as one is held, else receivables, which owe back what was prepaid out of
 * it / Cr cash or bank.
 */
export function depositReturnPostings({
  tender,
  currency,
  amountMinor,
  heldMinor,
}: Moved & { readonly heldMinor: Minor }): readonly Posting[] {
  const leg = legsIn(currency);
  const fromHeld = Math.max(0, Math.min(amountMinor, heldMinor));
  return moving([
    leg(HELD_IN[tender], credit(amountMinor)),
    leg(ACCOUNT.securityDeposits, fromHeld),
    leg(ACCOUNT.receivables, amountMinor - fromHeld),
  ]);
}

/**
 * Dr money on account as far as it came from there, else receivables / Cr the tender's account. What
 * was rounded goes back with the last of it.
 */
export function tenderRefundPostings({
  tender,
  currency,
  amountMinor,
  fromAccountMinor,
  roundingMinor,
}: Moved & {
  readonly fromAccountMinor: Minor;
  readonly roundingMinor: Minor;
}): readonly Posting[] {
  const leg = legsIn(currency);
  return moving([
    leg(ACCOUNT.moneyOnAccount, fromAccountMinor),
    leg(ACCOUNT.receivables, amountMinor - fromAccountMinor - roundingMinor),
    leg(ACCOUNT.cashRounding, roundingMinor),
    leg(HELD_IN[tender], credit(amountMinor)),
  ]);
}

/** Money goes back the way it came; cash above `cashRefundMinor`, all refunds together, by bank. */
export function refundTender<T extends Tender>(
  paidBy: T,
  amountMinor: Minor,
  givenBackMinor: Minor,
  cashRefundMinor: Minor,
): T | 'bank-transfer' {
  const isTooMuch = amountMinor + givenBackMinor > cashRefundMinor;
  return paidBy === 'cash' && isTooMuch ? 'bank-transfer' : paidBy;
}

function moving(postings: readonly Posting[]): readonly Posting[] {
  return balanced(postings.filter(({ amountMinor }) => amountMinor !== 0));
}
