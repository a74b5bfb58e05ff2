// What a card has to hold before the keys go out: a fixed amount or a share of the total, by the plan.
import { type Minor, roundHalfAwayFromZero } from '../money.ts';

/** Exactly one of both: minor units of the plan's currency, or hundredths of a per cent of the total. */
export type DepositAmount = {
  readonly amountMinor?: Minor | undefined;
  readonly percentBp?: number | undefined;
};

export type DepositTerms = DepositAmount & {
  /** Classes that need another amount. */
  readonly classes?: readonly (DepositAmount & { readonly classId: string })[] | undefined;
  /** With one of these taken no more is needed than its amount. */
  readonly coverages?: readonly (DepositAmount & { readonly code: string })[] | undefined;
};

/** What of a rental decides its deposit; `totalMinor` is gross. */
export type ToSecure = {
  readonly classId: string;
  readonly totalMinor: Minor;
  readonly coverages: readonly string[];
  /** Paid by a company on its account: its credit is the security. */
  readonly isOnAccount: boolean;
};

/** Nothing without terms, so that plans of before them ask for no deposit. */
export function depositNeed(terms: DepositTerms | undefined, rental: ToSecure): Minor {
  if (terms === undefined || rental.isOnAccount) return 0;
  const ofClass = terms.classes?.find(({ classId }) => classId === rental.classId) ?? terms;
  const taken = (terms.coverages ?? []).filter(({ code }) => rental.coverages.includes(code));
  return Math.min(...[ofClass, ...taken].map((one) => amountOf(one, rental.totalMinor)));
}

function amountOf({ amountMinor, percentBp }: DepositAmount, totalMinor: Minor): Minor {
  return amountMinor ?? roundHalfAwayFromZero(totalMinor * (percentBp ?? 0), 10_000);
}
