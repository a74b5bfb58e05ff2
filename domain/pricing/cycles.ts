// A long rental billed while it is open: what each cycle adds to the price up to its end.
import type { Minor } from '../money.ts';
import { localMinutes } from './clock.ts';
import { epochMs, MINUTE_MS } from './instant.ts';
import { partOf, sumOf } from './line.ts';
import { quote } from './quote.ts';
import type { QuoteRequest } from './request.ts';

export type CycleAmount = {
  /** The end of the cycle, in UTC. */
  readonly until: string;
  readonly netMinor: Minor;
  /** The time lines of it. */
  readonly timeMinor: Minor;
};

type Term = Pick<QuoteRequest, 'pickUpAt' | 'returnAt' | 'clock'>;

/** `days` of 24 hours each, or to the first of each month at local midnight; the last may be short. */
export function cycleEnds(
  { pickUpAt, returnAt, clock = [] }: Term,
  cycle: { readonly days: number } | 'month',
): readonly string[] {
  const [from, until] = [epochMs(pickUpAt), epochMs(returnAt)];
  const ends: string[] = [];
  for (let index = 1; ; index += 1) {
    const end = cycle === 'month' ? monthAfter(from, index) : from + index * cycle.days * DAY_MS;
    if (end >= until) return [...ends, new Date(until).toISOString()];
    ends.push(new Date(end).toISOString());
  }

  function monthAfter(start: number, months: number): number {
    const local = new Date(localMinutes(clock, start) * MINUTE_MS);
    const midnight = Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months, 1);
    const guess = midnight - (localMinutes(clock, midnight) * MINUTE_MS - midnight);
    return midnight - (localMinutes(clock, guess) * MINUTE_MS - guess);
  }
}

const DAY_MS = 1_440 * MINUTE_MS;

/**
 * Each cycle's amount is the price up to its end without what was invoiced before, so that all
 * cycles sum to one price (decisions.md 12). What is measured at the return, distance and fuel, is
 * of the last one.
 */
export function cycleAmounts(
  { distance, fuel, ...request }: QuoteRequest,
  ends: readonly string[],
): readonly CycleAmount[] {
  let [invoicedNet, invoicedTime] = [0, 0];
  return ends.map((until, index) => {
    const measured = index === ends.length - 1 ? { distance, fuel } : {};
    const { netMinor, lines } = quote({ ...request, ...measured, returnAt: until });
    const timeMinor = sumOf(lines.filter((line) => partOf(line) === 'time'));
    const amount = {
      until,
      netMinor: netMinor - invoicedNet,
      timeMinor: timeMinor - invoicedTime,
    };
    [invoicedNet, invoicedTime] = [netMinor, timeMinor];
    return amount;
  });
}
