// Tolls and fines that come weeks later: whose they are, and when only a person may say so.
import { DomainError } from './errors.ts';

export const VIOLATION_KINDS = ['toll', 'fine'] as const;
export type ViolationKind = (typeof VIOLATION_KINDS)[number];

export const VIOLATION_STATUSES = ['queued', 'matched', 'dismissed', 'settled'] as const;
export type ViolationStatus = (typeof VIOLATION_STATUSES)[number];

/** Why it waits for a person; nothing that waits is ever charged. */
export const QUEUE_REASONS = [
  'unknown-plate',
  'no-rental',
  'several-rentals',
  'doubled-hour',
  'similar-notice',
] as const;
export type QueueReason = (typeof QUEUE_REASONS)[number];

/**
 * Who may have driven at one instant that the notice can mean. `vehicleId` is null when nobody of ours
 * had the plate then, `rentalId` when the vehicle was not handed out.
 */
export type Candidate = {
  readonly at: string;
  readonly vehicleId: string | null;
  readonly rentalId: string | null;
};

export type Match =
  | { readonly rentalId: string; readonly vehicleId: string }
  | { readonly reason: QueueReason };

/**
 * Exactly one rental had the vehicle at every instant that the notice can mean, or a person decides
 * (domain.md 30, decisions.md 21). `candidates` has at least one row for each of these instants;
 * `isSimilar` says that another notice of the same plate, time and place is known.
 */
export function matchOf(candidates: readonly Candidate[], isSimilar: boolean): Match {
  const [first] = candidates;
  if (first === undefined) throw new RangeError('A match needs its candidates.');
  const renters = new Set(candidates.map(({ rentalId }) => rentalId));
  if (renters.size > 1) {
    const instants = new Set(candidates.map(({ at }) => at));
    return { reason: candidates.length > instants.size ? 'several-rentals' : 'doubled-hour' };
  }
  if (first.vehicleId === null) return { reason: 'unknown-plate' };
  if (first.rentalId === null) return { reason: 'no-rental' };
  if (isSimilar) return { reason: 'similar-notice' };
  return { rentalId: first.rentalId, vehicleId: first.vehicleId };
}

/** What a rental had in its hands, from the keys going out until they came back; null: still out. */
export type HandedOut = { readonly outAt: string | null; readonly inAt: string | null };

/** Half open: the instant of the return is the next driver's. */
export function hadItAt({ outAt, inAt }: HandedOut, instant: string): boolean {
  const at = Date.parse(instant);
  return outAt !== null && Date.parse(outAt) <= at && (inAt === null || at < Date.parse(inAt));
}

/** Throws `invalid-state` unless it is in one of these. */
export function refuseUnless(
  status: ViolationStatus,
  allowed: readonly ViolationStatus[],
  what: string,
): void {
  if (allowed.includes(status)) return;
  throw new DomainError('invalid-state', `It is ${status} already and cannot be ${what}.`, {
    status,
  });
}
