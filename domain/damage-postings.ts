// What a damage does in the books: the renter's document, and an insurer's share.
import { ACCOUNT, balanced, credit, legsIn, type Posting } from './ledger.ts';
import type { Minor } from './money.ts';

/**
 * Dr receivables / Cr damage recoveries, and VAT payable where a repair was sold (decisions.md 20).
 * Amounts of zero post nothing. Throws `unbalanced` when net and VAT do not make the total.
 */
export function damagePostings(document: {
  readonly currency: string;
  readonly netMinor: Minor;
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
}): readonly Posting[] {
  const leg = legsIn(document.currency);
  return balanced(
    [
      leg(ACCOUNT.receivables, document.totalMinor),
      leg(ACCOUNT.damageRecoveries, credit(document.netMinor)),
      leg(ACCOUNT.vatPayable, credit(document.vatMinor)),
    ].filter((posting) => posting.amountMinor !== 0),
  );
}

/** Dr insurance claims / Cr damage recoveries, once it is virtually certain (IAS 37.53). */
export function insurerPostings(share: {
  readonly currency: string;
  readonly amountMinor: Minor;
}): readonly Posting[] {
  const leg = legsIn(share.currency);
  return balanced([
    leg(ACCOUNT.insuranceClaims, share.amountMinor),
    leg(ACCOUNT.damageRecoveries, credit(share.amountMinor)),
  ]);
}
