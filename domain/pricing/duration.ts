// How long a rental is: the three day counts that prices are made of.
import { DomainError } from '../errors.ts';
import type { RatePlan } from '../rate-plan.ts';
import { type Clock, wallMinutes } from './clock.ts';
import { epochMs, MINUTE_MS } from './instant.ts';

const DAY_MINUTES = 1_440;

/** Counted from the pick-up minute, in elapsed time unless the plan says otherwise. */
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
 * The duration between two instants (ISO 8601 with an offset; decisions.md 6 and 9). A plan that
 * counts by the wall clock needs `clock`; without it that is UTC. Throws `invalid-time` for what is
 * no such instant, `due-not-later` when the return comes before the pick-up.
 */
export function durationOf(
  pickUpAt: string,
  returnAt: string,
  { graceMinutes, dayBasis }: Pick<RatePlan, 'graceMinutes' | 'dayBasis'>,
  clock: Clock = [],
): Duration {
  const [from, until] = [epochMs(pickUpAt), epochMs(returnAt)];
  if (until < from) {
    throw new DomainError('due-not-later', 'The return comes before the pick-up.', {
      pickUpAt,
      returnAt,
    });
  }
  const isElapsed = dayBasis === 'elapsed';
  const minutes = isElapsed
    ? Math.floor((until - from) / MINUTE_MS)
    : wallMinutes(clock, from, until);
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
