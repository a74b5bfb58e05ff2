// Fees that a quote carries beside what its plan charges: one line each.
import type { Minor } from '../money.ts';

/**
 * Out of hours: one for each handover while its branch is closed (decisions.md 45). An upgrade that is
 * paid for: what the better class costs more for the rest; a downgrade, below zero: what the class that
 * the renter agreed to costs less (decisions.md 30).
 */
export const FEE_CODES = [
  'fee.out-of-hours-pick-up',
  'fee.out-of-hours-return',
  'fee.upgrade',
  'fee.downgrade',
] as const;
export type FeeCode = (typeof FEE_CODES)[number];

/** Net, in minor units of the plan's currency. */
export type Fee = { readonly code: FeeCode; readonly netMinor: Minor };
