// A flight that is late: for how much longer a vehicle is kept for whom it brings (decisions.md 18).
import type { RentalState, RentalStatus } from './state.ts';

/** Who comes later than a day after the booked time books another one. */
export const MAX_DELAY_MINUTES = 1_440;
/** A delay that turns out to be shorter ends nothing at once: somebody may have mistyped it. */
const LEFT_MS = 60 * 60_000;

/** Whether somebody is waited for, who may come by a flight. */
export function isAwaited(status: RentalStatus): boolean {
  return status === 'requested' || status === 'reserved';
}

type Delayed = Pick<RentalState, 'dueAt'> & { readonly delayMinutes: number };

/**
 * When a vehicle is given up that nobody picked up. `noShowAt` tells it by minutes of grace, to which
 * the delay is added; nothing is kept for a delay past the booked time. Instants are ISO 8601 in UTC.
 */
export function awaitedUntil(
  noShowAt: (graceMinutes: number) => string,
  graceMinutes: number,
  { delayMinutes, dueAt }: Delayed,
): string {
  const inTime = noShowAt(graceMinutes);
  if (delayMinutes === 0) return inTime;
  return later(inTime, earlier(noShowAt(graceMinutes + delayMinutes), dueAt));
}

/**
 * The same after another delay was announced. Who was given longer at the desk than the delay of
 * before gave keeps that; a shorter delay leaves an hour of what there was.
 */
export function afterDelay(
  before: { readonly noShowAt: string; readonly byRule: string },
  next: string,
  now: string,
): string {
  const isGiven = Date.parse(before.noShowAt) > Date.parse(before.byRule);
  const hourOn = new Date(Date.parse(now) + LEFT_MS).toISOString();
  const kept = isGiven ? before.noShowAt : earlier(before.noShowAt, hourOn);
  return later(next, kept);
}

/** Of two instants, ISO 8601 in UTC. */
export function later(one: string, other: string): string {
  return Date.parse(one) > Date.parse(other) ? one : other;
}

function earlier(one: string, other: string): string {
  return Date.parse(one) < Date.parse(other) ? one : other;
}
