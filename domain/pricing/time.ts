// The price of time: the cheapest lines that cover the days, or those and a few hours.
import type { Minor } from '../money.ts';
import type { CoverLine, RatePlan } from '../rate-plan.ts';
import type { Duration } from './duration.ts';

/** Lines bought, longest first, and what they cost together. */
export type Cover = {
  readonly netMinor: Minor;
  readonly taken: readonly { readonly line: CoverLine; readonly count: number }[];
};

export type TimePrice = Cover & { readonly hours: number };

const HOUR_MINUTES = 60;

/**
 * A(n), the cheapest lines that cover at least `days` days: a line may be bought and not used up,
 * so a longer rental is never cheaper (decisions.md 8). Of equal prices the one of fewest lines.
 */
export function dayCover(days: number, plan: Pick<RatePlan, 'lines'>): Cover {
  return coverFrom(cheapestLasts(days, plan.lines), days);
}

/**
 * H(e), the hours started after the last whole day, at most the day line; `null` where hours are
 * not offered (decisions.md 7). They count from the end of that day, not from the end of the grace.
 */
export function extraHours(
  excessMinutes: number,
  plan: RatePlan,
): { readonly hours: number; readonly netMinor: Minor } | null {
  if (excessMinutes <= plan.graceMinutes) return { hours: 0, netMinor: 0 };
  if (excessMinutes >= plan.extraDayThresholdMinutes) return null;
  const hours = Math.ceil(excessMinutes / HOUR_MINUTES);
  return { hours, netMinor: Math.min(dayCover(1, plan).netMinor, hours * plan.hourMinor) };
}

/**
 * The smaller of A(W) + H(e) and A(W + 1); a rental under a day costs one day (decisions.md 7). Of
 * equal prices the days win: the renter may keep the vehicle longer. So hours at the day's price
 * are never taken, and what hours cost is always their number times the hour price.
 */
export function timePrice(
  { wholeDays, excessMinutes }: Pick<Duration, 'wholeDays' | 'excessMinutes'>,
  plan: RatePlan,
): TimePrice {
  if (wholeDays === 0) return { ...dayCover(1, plan), hours: 0 };
  const lasts = cheapestLasts(wholeDays + 1, plan.lines);
  const used = coverFrom(lasts, wholeDays);
  const extra = extraHours(excessMinutes, plan);
  if (extra?.netMinor === 0) return { ...used, hours: 0 };
  const nextDay = coverFrom(lasts, wholeDays + 1);
  if (extra === null || nextDay.netMinor <= used.netMinor + extra.netMinor) {
    return { ...nextDay, hours: 0 };
  }
  return { ...used, netMinor: used.netMinor + extra.netMinor, hours: extra.hours };
}

/** The cheapest way to cover so many days: its price, its pieces and the line bought last. */
type Last = { readonly price: Minor; readonly pieces: number; readonly line: CoverLine | null };

/** Index n answers for n days; each is found from shorter ones, so the work is days × lines. */
function cheapestLasts(days: number, lines: readonly CoverLine[]): readonly Last[] {
  const lasts: Last[] = [{ price: 0, pieces: 0, line: null }];
  for (let n = 1; n <= days; n += 1) {
    let best: Last | undefined;
    for (const line of lines) {
      const before = at(lasts, n - line.coversDays);
      const price = before.price + line.priceMinor;
      const pieces = before.pieces + 1;
      const isBetter =
        best === undefined || price < best.price || (price === best.price && pieces < best.pieces);
      if (isBetter) best = { price, pieces, line };
    }
    if (best === undefined) throw new RangeError('A plan without lines prices no day.');
    lasts.push(best);
  }
  return lasts;
}

function coverFrom(lasts: readonly Last[], days: number): Cover {
  const counts = new Map<CoverLine, number>();
  let left = days;
  for (let { line } = at(lasts, left); line !== null; { line } = at(lasts, left)) {
    counts.set(line, (counts.get(line) ?? 0) + 1);
    left -= line.coversDays;
  }
  const taken = [...counts]
    .map(([line, count]) => ({ line, count }))
    .toSorted((a, b) => b.line.coversDays - a.line.coversDays);
  return { netMinor: at(lasts, days).price, taken };
}

/** A line that covers more than is left covers all of it. */
function at(lasts: readonly Last[], days: number): Last {
  const last = lasts[Math.max(0, days)];
  if (last === undefined) throw new RangeError(`${days} days are not priced.`);
  return last;
}
