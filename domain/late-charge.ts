// Whether a document that comes after the return may be charged to the renter's card.

export const LATE_SOURCES = ['violation', 'damage'] as const;
export type LateSource = (typeof LATE_SOURCES)[number];

export const LATE_CHARGE_STATES = ['asked', 'charging', 'charged', 'settled', 'invoice'] as const;
/** `settled`: nothing of it was open any more; `invoice`: it is to be paid otherwise. */
export type LateChargeState = (typeof LATE_CHARGE_STATES)[number];

export const LATE_CHARGE_REASONS = [
  'no-consent',
  'no-card',
  'window-over',
  'disputed',
  'declined',
  'refused',
] as const;
/** Why it stays an invoice; `refused`: the rows, as of a card that is stopped. */
export type LateChargeReason = (typeof LATE_CHARGE_REASONS)[number];

/** Days, for entities that have set no terms (Visa's window, decisions.md 17). */
export const WINDOW_DAYS = 90;

const DAY_MS = 86_400_000;

/** Instants are ISO 8601 in UTC. */
export type LateChargeFacts = {
  /** When the renter agreed in writing; null for never. */
  readonly consentedAt: string | null;
  /** The end of the window; null while the vehicle is out. */
  readonly chargeUntil: string | null;
  readonly hasCard: boolean;
  /** A payment of the rental is disputed, or was lost so. */
  readonly isDisputed: boolean;
};

/**
 * Null when the card may be charged. A delayed charge needs the renter's written consent and has a
 * window from the return; a dispute stops it (decisions.md 17 and 20).
 */
export function lateChargeRefusal(facts: LateChargeFacts, now: string): LateChargeReason | null {
  const { consentedAt, chargeUntil, hasCard, isDisputed } = facts;
  if (consentedAt === null) return 'no-consent';
  if (chargeUntil !== null && Date.parse(now) > Date.parse(chargeUntil)) return 'window-over';
  if (isDisputed) return 'disputed';
  return hasCard ? null : 'no-card';
}

/** Null while the vehicle is out. */
export function chargeUntil(returnedAt: string | null, windowDays: number): string | null {
  if (returnedAt === null) return null;
  return new Date(Date.parse(returnedAt) + windowDays * DAY_MS).toISOString();
}
