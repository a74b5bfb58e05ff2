// The posting rule of late invoices: tolls and fines that are charged on after a rental.
import { ACCOUNT, balanced, credit, legsIn, type Posting } from './ledger.ts';
import { addMinor } from './money.ts';
import type { LateCharge } from './violation-charge.ts';

type Accounts = Pick<
  typeof ACCOUNT,
  'receivables' | 'authorityPayable' | 'adminFees' | 'tollRecharges' | 'vatPayable'
>;

/**
 * Dr receivables / Cr the authority with what is only passed on; Dr receivables / Cr fees, tolls sold
 * with the hire, and VAT (decisions.md 21: 60 / 60 and 30 / 25 + 5). Amounts of zero post nothing.
 * Throws `unbalanced` for a charge of nothing.
 */
export function lateInvoicePostings(
  charge: LateCharge,
  accounts: Accounts = ACCOUNT,
): readonly Posting[] {
  const leg = legsIn(charge.currency);
  const { passedOnMinor, tollMinor, feeMinor, vatMinor } = charge;
  return balanced(
    [
      leg(accounts.receivables, passedOnMinor),
      leg(accounts.authorityPayable, credit(passedOnMinor)),
      leg(accounts.receivables, addMinor(feeMinor, tollMinor, vatMinor)),
      leg(accounts.adminFees, credit(feeMinor)),
      leg(accounts.tollRecharges, credit(tollMinor)),
      leg(accounts.vatPayable, credit(vatMinor)),
    ].filter((posting) => posting.amountMinor !== 0),
  );
}
