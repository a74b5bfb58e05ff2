// The price of time: the cheapest lines that cover the days, or those and a few hours.
import { type Minor, multiplyRatio } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Duration } from './duration.ts';
import { type Offer, type Tariff, tariffOf, WHOLE_BP } from './tariff.ts';

/** Lines bought, longest first, and what they cost together. */
export type Cover = {
  readonly netMinor: Minor;
  readonly taken: readonly { readonly line: Offer; readonly count: number }[];
};

/** What the minutes after the last whole day cost: started hours, or a part of the day's price. */
export type ExtraTime = {
  readonly hours: number;
  readonly hourMinor: Minor;
  /** Of the day's price; 0 when hours are charged. */
  readonly percentBp: number;
  readonly netMinor: Minor;
};

export type TimePrice = Cover & { readonly extra: ExtraTime };

const HOUR_MINUTES = 60;
const NOTHING: ExtraTime = { hours: 0, hourMinor: 0, percentBp: 0, netMinor: 0 };

/** A plan's own tariff, without season, utilisation or negotiated rate. */
function plainTariff(plan: RatePlan, days: number): Tariff {
  const { seasons: _, ...rest } = plan;
  return tariffOf({ plan: rest, pickUpAt: '1970-01-01T00:00:00Z' }, days);
}

/**
 * A(n), the cheapest lines that cover at least `days` days: a line may be bought and not used up,
 * so a longer rental is never cheaper (decisions.md 8). Of equal prices the one of fewest lines.
 */
export function dayCover(days: number, plan: RatePlan): Cover {
  return coverOf(days, cheapest(days, plainTariff(plan, days)));
}

/**
 * H(e), what the minutes after the last whole day cost: at most that day, `null` where only a whole
 * day is offered (decisions.md 7). Hours count from the end of the last day, not of the grace.
 */
export function extraTime(
  excessMinutes: number,
  wholeDays: number,
  plan: RatePlan,
  tariff: Tariff = plainTariff(plan, 1),
): ExtraTime | null {
  if (excessMinutes <= plan.graceMinutes) return NOTHING;
  if (excessMinutes >= plan.extraDayThresholdMinutes) return null;
  const { hourMinor, offers } = tariff(wholeDays);
  const dayMinor = Math.min(...offers.map((offer) => offer.priceMinor));
  if (plan.partDays !== undefined) {
    const part = plan.partDays.findLast(({ fromMinutes }) => fromMinutes <= excessMinutes);
    const percentBp = part?.percentBp ?? 0;
    const netMinor = multiplyRatio(dayMinor, percentBp, WHOLE_BP);
    return { ...NOTHING, percentBp, netMinor };
  }
  const hours = Math.ceil(excessMinutes / HOUR_MINUTES);
  return { hours, hourMinor, percentBp: 0, netMinor: Math.min(dayMinor, hours * hourMinor) };
}

/**
 * The smaller of A(W) + H(e) and A(W + 1); under a day the minimum (decisions.md 7). Of equal
 * prices the days win: the renter may keep the vehicle longer. So hours at the day's price are
 * never taken, and what hours cost is always their number times the hour price.
 */
export function timePrice(
  { minutes, wholeDays, excessMinutes }: Pick<Duration, 'minutes' | 'wholeDays' | 'excessMinutes'>,
  plan: RatePlan,
  tariff: Tariff = plainTariff(plan, wholeDays + 1),
): TimePrice {
  const steps = cheapest(wholeDays + 1, tariff);
  const nextDay: TimePrice = { ...coverOf(wholeDays + 1, steps), extra: NOTHING };
  if (wholeDays === 0) {
    if (plan.minimum === 'day') return nextDay;
    const hours = Math.max(1, Math.ceil(minutes / HOUR_MINUTES));
    const { hourMinor } = tariff(0);
    const netMinor = hours * hourMinor;
    if (netMinor >= nextDay.netMinor) return nextDay;
    return { netMinor, taken: [], extra: { hours, hourMinor, percentBp: 0, netMinor } };
  }
  const used = coverOf(wholeDays, steps);
  const extra = extraTime(excessMinutes, wholeDays, plan, tariff);
  if (extra?.netMinor === 0) return { ...used, extra: NOTHING };
  if (extra === null || nextDay.netMinor <= used.netMinor + extra.netMinor) return nextDay;
  return { ...used, netMinor: used.netMinor + extra.netMinor, extra };
}

/** The cheapest way so far: its price, its pieces, the line bought last and where that began. */
type Step = {
  readonly price: Minor;
  readonly pieces: number;
  readonly line: Offer | null;
  readonly start: number;
};
/** Index n: lines that end exactly there, and, for the last two, that reach at least there. */
type Steps = {
  readonly exact: readonly (Step | undefined)[];
  readonly atLeast: readonly (Step | undefined)[];
};

/**
 * Lines are bought one after another, each at the prices of the day on which it starts
 * (decisions.md 10). What covers n + 1 days covers n, so A(n) never falls.
 */
function cheapest(days: number, tariff: Tariff): Steps {
  const first: Step = { price: 0, pieces: 0, line: null, start: 0 };
  const exact: (Step | undefined)[] = [first];
  const atLeast: (Step | undefined)[] = [first];
  for (let start = 0; start < days; start += 1) {
    const here = exact[start];
    if (here === undefined) continue;
    for (const line of tariff(start).offers) {
      const price = here.price + line.priceMinor;
      const pieces = here.pieces + 1;
      const end = start + line.coversDays;
      if (end <= days && isBetter(price, pieces, exact[end])) {
        exact[end] = { price, pieces, line, start };
      }
      for (let n = Math.max(start + 1, days - 1); n <= Math.min(end, days); n += 1) {
        if (isBetter(price, pieces, atLeast[n])) atLeast[n] = { price, pieces, line, start };
      }
    }
  }
  return { exact, atLeast };
}

function isBetter(price: Minor, pieces: number, known: Step | undefined): boolean {
  if (known === undefined || price < known.price) return true;
  return price === known.price && pieces < known.pieces;
}

function known(step: Step | undefined): Step {
  if (step === undefined) throw new RangeError('A plan without a day line prices no day.');
  return step;
}

function coverOf(days: number, { exact, atLeast }: Steps): Cover {
  const last = known(atLeast[days]);
  const counts = new Map<Offer, { line: Offer; count: number }>();
  for (let step = last; step.line !== null; step = known(exact[step.start])) {
    const so = counts.get(step.line);
    counts.set(step.line, { line: step.line, count: (so?.count ?? 0) + 1 });
  }
  // Found from the last to the first: told in the order in which they are used.
  const taken = [...counts.values()]
    .toReversed()
    .toSorted((a, b) => b.line.coversDays - a.line.coversDays);
  return { netMinor: last.price, taken };
}
