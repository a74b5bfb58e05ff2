// The local clock of a branch as facts: offsets from UTC, looked up where zones are known.
import { epochMs, MINUTE_MS } from './instant.ts';

/**
 * The offset from UTC in minutes that holds from each instant on, earliest first, from the pick-up
 * to the return at least. An empty clock is UTC.
 */
export type Clock = readonly { readonly from: string; readonly offsetMinutes: number }[];

const DAY_MS = 24 * 60 * MINUTE_MS;

/** Local minutes since 1970-01-01T00:00; seconds are cut off. */
export function localMinutes(clock: Clock, ms: number): number {
  return Math.floor(ms / MINUTE_MS) + offsetAt(clock, ms);
}

/** The local date as days since 1970-01-01. */
export function localDay(clock: Clock, ms: number): number {
  return Math.floor((ms + offsetAt(clock, ms) * MINUTE_MS) / DAY_MS);
}

/** `2027-03-01` as days since 1970-01-01. */
export function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS;
}

/**
 * Local minutes between two instants, as the wall clock counts them. In the hour that a clock shows
 * twice it stands still rather than going back: a later return is never shorter.
 */
export function wallMinutes(clock: Clock, fromMs: number, untilMs: number): number {
  const start = localMinutes(clock, fromMs);
  let longest = localMinutes(clock, untilMs) - start;
  for (const [index, { from }] of clock.entries()) {
    const change = epochMs(from);
    const before = clock[index - 1];
    if (before === undefined || change <= fromMs || change > untilMs) continue;
    longest = Math.max(longest, Math.floor(change / MINUTE_MS) + before.offsetMinutes - start);
  }
  return Math.max(0, longest);
}

function offsetAt(clock: Clock, ms: number): number {
  return (
    clock.findLast(({ from }) => epochMs(from) <= ms)?.offsetMinutes ?? clock[0]?.offsetMinutes ?? 0
  );
}
