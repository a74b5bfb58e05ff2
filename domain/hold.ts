// Holds: what keeps a vehicle from being handed out apart from its status, and who may end that.
import { DomainError } from './errors.ts';
import type { Role } from './people.ts';
import { overlaps, type Span } from './span.ts';

export const HOLD_TYPES = [
  'recall',
  'maintenance',
  'registration',
  'damage',
  'certificate',
  'other',
] as const;
export type HoldType = (typeof HOLD_TYPES)[number];
export type Severity = 'soft' | 'hard';
/** Who or what set it: a person, or the thing that also lifts it. */
export type HoldSource =
  | 'manual'
  | 'document'
  | 'recall'
  | 'service-plan'
  | 'work-order'
  | 'damage';

/** Instants are ISO 8601; `hardFrom` is null for soft ones, `until` and `fromKm` may be open. */
export type Hold = {
  readonly type: HoldType;
  readonly severity: Severity;
  readonly from: string;
  readonly hardFrom: string | null;
  readonly until: string | null;
  /** The km that is due, which the projected km may not pass. */
  readonly fromKm: number | null;
  /** How far past it a hard one still only warns: 10 % of a service's interval, 0 by statute. */
  readonly toleranceKm: number;
  /** How far before it the hold is shown. */
  readonly soonKm: number;
};

export type Assessment = 'free' | 'shown' | 'warns' | 'blocks';

const RANK: Readonly<Record<Assessment, number>> = { free: 0, shown: 1, warns: 2, blocks: 3 };
const DAY_MS = 86_400_000;
const FOREVER = '9999-12-31T00:00:00Z';

/** What the odometer will read after `days` (whole or not); the plan's km count when they are more. */
export function projectedKm(
  readingKm: number,
  days: number,
  averageKmPerDay: number,
  planKmPerDay = 0,
): number {
  return Math.ceil(readingKm + Math.max(0, days) * Math.max(averageKmPerDay, planKmPerDay));
}

export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS;
}

/**
 * What a hold says of a vehicle that shall be out for `span` and then read `km`. Limits by km are
 * those of a service plan: up to due - soon free, up to due shown, above it a warning, and above the
 * tolerance too it blocks (decisions.md 37).
 */
export function assess(hold: Hold, span: Span, km: number): Assessment {
  if (!overlaps({ from: hold.from, to: hold.until ?? FOREVER }, span)) return 'free';
  const due = hold.fromKm;
  if (due !== null && km <= due) return km > due - hold.soonKm ? 'shown' : 'free';
  if (hold.hardFrom === null) return 'warns';
  if (!overlaps({ from: hold.hardFrom, to: hold.until ?? FOREVER }, span)) return 'warns';
  return due === null || km > due + hold.toleranceKm ? 'blocks' : 'warns';
}

/** What several holds say together. */
export function strictest(said: readonly Assessment[]): Assessment {
  return said.reduce((worst, next) => (RANK[next] > RANK[worst] ? next : worst), 'free');
}

/** Throws `value-refused` for what no hold can be. */
export function checkHold(hold: Hold): void {
  const { type, severity, from, hardFrom, until, fromKm } = hold;
  if ((severity === 'hard') !== (hardFrom !== null)) {
    throw new DomainError('value-refused', 'A hard hold, and no other, blocks from an instant.');
  }
  if (hardFrom !== null && Date.parse(hardFrom) < Date.parse(from)) {
    throw new DomainError('value-refused', 'It cannot block before it begins.');
  }
  if (until !== null && Date.parse(until) <= Date.parse(hardFrom ?? from)) {
    throw new DomainError('value-refused', 'It ends before it begins.');
  }
  if (type === 'recall' && (until !== null || fromKm !== null)) {
    throw new DomainError('value-refused', 'A recall has no end but its repair.');
  }
}

/** Throws `four-eyes` when the change would let the vehicle go sooner: that is a release. */
export function checkChange(before: Hold, after: Hold): void {
  checkHold(after);
  if (before.severity === 'soft') return;
  const at = (instant: string | null) => (instant === null ? Infinity : Date.parse(instant));
  const limit = (hold: Hold) => (hold.fromKm === null ? -Infinity : hold.fromKm + hold.toleranceKm);
  const weaker =
    after.severity === 'soft' ||
    at(after.hardFrom) > at(before.hardFrom) ||
    at(after.until) < at(before.until) ||
    limit(after) > limit(before);
  if (weaker) {
    throw new DomainError('four-eyes', 'A hard hold is not weakened: have its release approved.');
  }
}

/** Who may end a soft hold alone, besides what set it (decisions.md 40). */
export const SOFT_LIFTERS: readonly Role[] = [
  'senior-agent',
  'branch-manager',
  'fleet-planner',
  'administrator',
];

export type Lift = {
  readonly repairCode?: string | undefined;
  readonly approvalId?: string | undefined;
};

/**
 * By what right a person ends a hold. A recall ends by its repair and never by waiver, a hard hold
 * by an approval. Throws `repair-code-required`, `four-eyes`, or `limit-exceeded`.
 */
export function decideLift(
  hold: Pick<Hold, 'type' | 'severity'>,
  lift: Lift,
  roles: readonly Role[],
): 'repair' | 'approval' | 'person' {
  if (hold.type === 'recall') {
    if (lift.repairCode !== undefined) return 'repair';
    throw new DomainError('repair-code-required', 'A recall ends by its repair: name its code.');
  }
  if (hold.severity === 'hard') {
    if (lift.approvalId !== undefined) return 'approval';
    throw new DomainError('four-eyes', 'A second person has to approve the release first.');
  }
  if (roles.some((role) => SOFT_LIFTERS.includes(role))) return 'person';
  throw new DomainError('limit-exceeded', 'Somebody who may lift soft holds has to do this.');
}
