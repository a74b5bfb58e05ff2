// A cash drawer's shift (decisions.md 27): its states, its count, and what it does to the books.
import { DomainError } from './errors.ts';
import { ACCOUNT, balanced, credit, legsIn, type Posting } from './ledger.ts';
import { addMinor, type Minor } from './money.ts';

export const SHIFT_STATES = ['open', 'counting', 'closed', 'verified'] as const;
/** While it is counted no cash moves; `verified` is another person's word for the count. */
export type ShiftState = (typeof SHIFT_STATES)[number];

/** So many pieces of a note or coin of `valueMinor`. */
export type Denomination = { readonly valueMinor: Minor; readonly pieces: number };

/** What the pieces are worth. Throws `value-refused` for a note or coin that is named twice. */
export function countOf(denominations: readonly Denomination[]): Minor {
  if (new Set(denominations.map((one) => one.valueMinor)).size < denominations.length) {
    throw new DomainError('value-refused', 'Count each note and coin once.');
  }
  return addMinor(...denominations.map(({ valueMinor, pieces }) => valueMinor * pieces));
}

type Amount = { readonly currency: string; readonly amountMinor: Minor };

/** A shift begins with change out of the safe: Dr cash in drawers / Cr cash in safes. */
export function floatPostings({ currency, amountMinor }: Amount): readonly Posting[] {
  return moved(currency, ACCOUNT.cashInSafes, ACCOUNT.cashInDrawers, amountMinor);
}

/** A drop, or what was counted at the end: Dr cash in safes / Cr cash in drawers. */
export function safePostings({ currency, amountMinor }: Amount): readonly Posting[] {
  return moved(currency, ACCOUNT.cashInDrawers, ACCOUNT.cashInSafes, amountMinor);
}

/** Too little: Dr cash over and short / Cr cash in drawers. Too much, above zero: the reverse. */
export function overShortPostings({ currency, amountMinor }: Amount): readonly Posting[] {
  return moved(currency, ACCOUNT.cashOverShort, ACCOUNT.cashInDrawers, amountMinor);
}

export type Direction = 'to-bank' | 'from-bank';

/** On its way between safe and bank it is neither's: Dr cash in transit / Cr cash in safes. */
export function sentPostings(sent: Amount & { readonly direction: Direction }): readonly Posting[] {
  const amountMinor = sent.direction === 'to-bank' ? sent.amountMinor : credit(sent.amountMinor);
  return moved(sent.currency, ACCOUNT.cashInSafes, ACCOUNT.cashInTransit, amountMinor);
}

/** The bank's statement shows it: Dr bank / Cr cash in transit, or the reverse for change. */
export function matchedPostings(
  sent: Amount & { readonly direction: Direction },
): readonly Posting[] {
  const amountMinor = sent.direction === 'to-bank' ? sent.amountMinor : credit(sent.amountMinor);
  return moved(sent.currency, ACCOUNT.cashInTransit, ACCOUNT.bank, amountMinor);
}

function moved(currency: string, from: string, to: string, amountMinor: Minor): readonly Posting[] {
  const leg = legsIn(currency);
  return balanced([leg(to, amountMinor), leg(from, credit(amountMinor))]);
}
