// From when to when a rental may last: refused before any calendar is asked.
import { DomainError } from './errors.ts';

/** Longest booking: three years, the longest lease that the company writes. */
export const MAX_RENTAL_DAYS = 1_096;
/** As far ahead as prices and the fleet can be promised. */
export const MAX_DAYS_AHEAD = 1_096;
/** A counter may type the pick-up of a customer who already stands there. */
export const PICK_UP_TOLERANCE_MINUTES = 15;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Instants are ISO 8601 in UTC. */
type Term = { readonly pickUpAt: string; readonly dueAt: string };

/**
 * Answers the request. Throws `pick-up-in-past`, `pick-up-too-far`, `due-not-later` or
 * `booking-too-long`.
 */
export function decideRequest<R extends Term>(request: R, now: string): R {
  const { pickUpAt, dueAt } = request;
  if (Date.parse(pickUpAt) < Date.parse(now) - PICK_UP_TOLERANCE_MINUTES * MINUTE_MS) {
    throw new DomainError('pick-up-in-past', 'The pick-up time has passed.', { pickUpAt });
  }
  checkTerm(pickUpAt, dueAt);
  if (Date.parse(pickUpAt) > Date.parse(now) + MAX_DAYS_AHEAD * DAY_MS) {
    throw new DomainError('pick-up-too-far', `A pick-up is at most ${MAX_DAYS_AHEAD} days ahead.`, {
      maxDaysAhead: MAX_DAYS_AHEAD,
    });
  }
  return request;
}

/** Throws `due-not-later` or `booking-too-long`. */
export function checkTerm(pickUpAt: string, dueAt: string): void {
  const term = Date.parse(dueAt) - Date.parse(pickUpAt);
  if (term <= 0) {
    throw new DomainError('due-not-later', 'The rental must end after it begins.', { dueAt });
  }
  if (term > MAX_RENTAL_DAYS * DAY_MS) {
    throw new DomainError('booking-too-long', `A rental lasts at most ${MAX_RENTAL_DAYS} days.`, {
      maxDays: MAX_RENTAL_DAYS,
    });
  }
}
