// A branch's business day: which one may be closed next, and the figures that its close keeps.
import { DomainError } from './errors.ts';
import type { Minor } from './money.ts';

/** Of one tender in a day. */
export type TenderTotal = {
  readonly tender: string;
  readonly inMinor: Minor;
  readonly outMinor: Minor;
};

/** Slips of a terminal's batch, as counted and as booked. */
export type BatchTotal = {
  readonly batch: string;
  readonly slips: number;
  readonly amountMinor: Minor;
  readonly bookedSlips: number;
  readonly bookedMinor: Minor;
};

export type DocumentTotal = {
  /** UNTDID 1001: 380 invoice, 381 credit note, 386 prepayment invoice. */
  readonly kind: number;
  readonly count: number;
  readonly totalMinor: Minor;
};

/**
 * As it was when the day was closed, in minor units of `currency`. Of cash: floats + in − out − drops +
 * over or short − handed in = 0, shift by shift.
 */
export type BranchDayFigures = {
  readonly currency: string;
  readonly tenders: readonly TenderTotal[];
  readonly floatsMinor: Minor;
  readonly dropsMinor: Minor;
  /** Above zero: more was counted than expected. */
  readonly overShortMinor: Minor;
  readonly handedInMinor: Minor;
  readonly toBankMinor: Minor;
  readonly fromBankMinor: Minor;
  /** In the branch's safe, when it was closed. */
  readonly safeMinor: Minor;
  readonly batches: readonly BatchTotal[];
  readonly documents: readonly DocumentTotal[];
  readonly rentalsOut: number;
  readonly rentalsIn: number;
};

/** Local dates of the branch, as YYYY-MM-DD; `lastClosed` null before its first close. */
export type Days = { readonly today: string; readonly lastClosed: string | null };

/**
 * Days are closed in order, each once, none before it begins; the first may be any (decisions.md 27).
 * Throws `duplicate`, `value-refused`, and `invalid-state` with the day that is next.
 */
export function checkClosing(day: string, { today, lastClosed }: Days): void {
  if (day > today) {
    throw new DomainError('value-refused', 'This day has not begun there.', { today });
  }
  if (lastClosed === null) return;
  if (day <= lastClosed) {
    throw new DomainError('duplicate', 'This day is closed already.', { lastClosed });
  }
  const next = dayAfter(lastClosed);
  if (day === next) return;
  throw new DomainError('invalid-state', 'Days are closed in order: close that one first.', {
    next,
  });
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}
