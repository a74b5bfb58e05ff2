// What a price is asked for: the times, what the renter takes, and what was measured at the end.
import { DomainError } from '../errors.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Clock } from './clock.ts';
import type { Fee } from './fees.ts';

/** What the renter takes, by the plan's codes. No personal data: ages are told as age bands. */
export type Choices = {
  readonly branchId?: string | undefined;
  /** Another than `branchId` makes it one-way. */
  readonly returnBranchId?: string | undefined;
  readonly extras?: readonly { readonly code: string; readonly count: number }[] | undefined;
  readonly coverages?: readonly string[] | undefined;
  readonly drivers?: Drivers | undefined;
  /** Surcharges and percentage fees beside those of the branch. */
  readonly surcharges?: readonly string[] | undefined;
  /** A corporate's or an agent's. */
  readonly rate?: string | undefined;
  readonly promotion?: string | undefined;
  /** How much of the class was out when it was asked: hundredths of a per cent. */
  readonly utilisationBp?: number | undefined;
  readonly longTerm?: LongTermVat | undefined;
  /** In the plan's unit: the whole of it, or that of each charged day. */
  readonly distance?: number | readonly number[] | undefined;
};

/** `bands` has one code for each driver whose age has one; `additional` counts all but the renter. */
export type Drivers = { readonly bands: readonly string[]; readonly additional: number };

/** The rate at the customer's place, for hire of more than 30 days (decisions.md 19). */
export type LongTermVat = {
  readonly vatRateBp: number;
  /** Of the contracts for the same vehicle before this one, with gaps of at most two days. */
  readonly precedingMinutes?: number | undefined;
};

/**
 * Levels of a tank or battery are whole parts of `scale`: eighths of a gauge, hundredths of a
 * reading. Both come from the same source (decisions.md 32).
 */
export type FuelUse = {
  readonly kind: 'tank' | 'battery';
  readonly out: number;
  readonly back: number;
  readonly scale: number;
  /** In the plan's unit of fuel, or usable kWh; left out, the plan's tank. */
  readonly capacity?: number | undefined;
  /** A receipt within a day takes the charge back. */
  readonly hasReceipt?: boolean | undefined;
  /** Of a rental with several vehicles, which of them: counted from 1. */
  readonly segment?: number | undefined;
};

export type QuoteRequest = Choices & {
  readonly plan: RatePlan;
  readonly pickUpAt: string;
  readonly returnAt: string;
  /** Of the pick-up branch; without it dates are those of UTC and no weekend line is offered. */
  readonly clock?: Clock | undefined;
  /** The local date of the booking, for promotions; left out, none is too late. */
  readonly bookedOn?: string | undefined;
  /** Net, in the plan's currency, taxed like the hire. */
  readonly fees?: readonly Fee[] | undefined;
  /** One for each vehicle whose fuel is charged. */
  readonly fuel?: FuelUse | readonly FuelUse[] | undefined;
};

/** The term of that code. Throws `value-refused` when the plan has none. */
export function chosen<T extends { readonly code: string }>(
  terms: readonly T[] | undefined,
  code: string,
  field: keyof Choices,
): T {
  const found = terms?.find((term) => term.code === code);
  if (found !== undefined) return found;
  throw refused(field, `The rate plan has no ${code} among its ${field}.`, code);
}

export function refused(field: string, message: string, code = ''): DomainError {
  return new DomainError('value-refused', message, { field, code });
}
