// How long a rental is: the three day counts that prices are made of.
import { DomainError } from '../errors.ts';
import type { RatePlan } from '../rate-plan.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Counted from the pick-up minute in elapsed time (decisions.md 6 and 9). */
export type Duration = {
  /** Whole minutes; seconds are cut off. */
  readonly minutes: number;
  readonly wholeDays: number;
  /** Minutes after the last whole day. */
  readonly excessMinutes: number;
  /** Days that count for day fees, the mileage pool and ADR: grace is free, at least one. */
  readonly chargedDays: number;
  /** Days that count for extras, coverages and drivers: a started day counts, at least one. */
  readonly extrasDays: number;
};

/**
 * The duration between two instants (ISO 8601 with an offset). Throws `invalid-time` for what is no
 * such instant, `due-not-later` when the return comes before the pick-up.
 */
export function durationOf(
  pickUpAt: string,
  returnAt: string,
  { graceMinutes }: Pick<RatePlan, 'graceMinutes'>,
): Duration {
  const elapsed = epochMs(returnAt) - epochMs(pickUpAt);
  if (elapsed < 0) {
    throw new DomainError('due-not-later', 'The return comes before the pick-up.', {
      pickUpAt,
      returnAt,
    });
  }
  const minutes = Math.floor(elapsed / MINUTE_MS);
  const wholeDays = Math.floor(minutes / DAY_MINUTES);
  const excessMinutes = minutes % DAY_MINUTES;
  return {
    minutes,
    wholeDays,
    excessMinutes,
    chargedDays: Math.max(1, wholeDays + (excessMinutes > graceMinutes ? 1 : 0)),
    extrasDays: Math.max(1, wholeDays + (excessMinutes > 0 ? 1 : 0)),
  };
}

/** Without an offset the same text would be another instant on another machine. */
export function epochMs(instant: string): number {
  const ms = /(Z|[+-]\d{2}:\d{2})$/.test(instant) ? Date.parse(instant) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new DomainError('invalid-time', 'This is no instant with an offset.', { given: instant });
  }
  return ms;
}
