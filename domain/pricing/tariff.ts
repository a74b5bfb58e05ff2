// What time costs on each day of a rental: season, utilisation, bands and negotiated lines resolved.
import { type Minor, multiplyRatio } from '../money.ts';
import type { CoverLine, RatePlan } from '../rate-plan.ts';
import type { NegotiatedRate, Season } from '../rate-plan-terms.ts';
import { dayOf, localDay } from './clock.ts';
import { epochMs, MINUTE_MS } from './instant.ts';
import { chosen, type QuoteRequest } from './request.ts';

/** A cover as offered on a day; `what` is the season or negotiated rate that prices it. */
export type Offer = CoverLine & { readonly what?: string };

export type DayRates = {
  readonly offers: readonly Offer[];
  readonly hourMinor: Minor;
  /** Of the plan's prices: 10,000 is the plan's own. */
  readonly percentBp: number;
  /** Negotiated lines stand alone: neither season nor weekend moves them. */
  readonly isNegotiated: boolean;
};

/** What is offered to a block that starts so many whole days after the pick-up. */
export type Tariff = (block: number) => DayRates;

export const WHOLE_BP = 10_000;
const DAY_MS = 1_440 * MINUTE_MS;

type Asked = Pick<QuoteRequest, 'plan' | 'pickUpAt' | 'clock' | 'rate' | 'utilisationBp'>;

/** For rentals of up to `days` blocks. Throws `value-refused` for a rate that the plan lacks. */
export function tariffOf(asked: Asked, days: number): Tariff {
  const { plan, pickUpAt, clock = [], utilisationBp } = asked;
  const rate = asked.rate === undefined ? undefined : chosen(plan.rates, asked.rate, 'rate');
  if (rate?.lines !== undefined) {
    const negotiated = negotiatedRates(rate, plan);
    return () => negotiated;
  }
  const stepBp = utilisationStep(plan, utilisationBp);
  const ordinary = dayRates(plan, undefined, stepBp, days);
  const { seasons = [] } = plan;
  if (seasons.length === 0) return () => ordinary;
  const start = epochMs(pickUpAt);
  const priced = seasons.map((season) => ({
    from: dayOf(season.from),
    to: dayOf(season.to),
    rates: dayRates(plan, season, stepBp, days),
  }));
  return (block) => {
    const day = localDay(clock, start + block * DAY_MS);
    return priced.find(({ from, to }) => from <= day && day <= to)?.rates ?? ordinary;
  };
}

function negotiatedRates(rate: NegotiatedRate, { hourMinor }: RatePlan): DayRates {
  const offers = (rate.lines ?? []).map((line): Offer => ({ ...line, what: rate.code }));
  const ownHour = rate.hourMinor ?? hourMinor;
  return { offers, hourMinor: ownHour, percentBp: WHOLE_BP, isNegotiated: true };
}

/** The highest step that is reached. */
function utilisationStep({ utilisation = [] }: RatePlan, utilisationBp = 0): number {
  const reached = utilisation.filter(({ fromBp }) => fromBp <= utilisationBp);
  return reached.reduce((best, step) => (step.fromBp >= best.fromBp ? step : best), {
    fromBp: 0,
    percentBp: WHOLE_BP,
  }).percentBp;
}

function dayRates(
  plan: RatePlan,
  season: Season | undefined,
  stepBp: number,
  days: number,
): DayRates {
  const seasonBp = season?.percentBp ?? WHOLE_BP;
  const scale = (minor: Minor) => scaled(minor, seasonBp, stepBp);
  const named = season === undefined ? {} : { what: season.code };
  const lines = (season?.lines ?? plan.lines).map(
    (line): Offer => ({ ...line, priceMinor: scale(line.priceMinor), ...named }),
  );
  // Lines of a season of its own are its whole price list.
  const bands = season?.lines === undefined ? bandOffers(plan, scale, days) : [];
  return {
    offers: [...lines, ...bands.map((band) => ({ ...band, ...named }))],
    hourMinor: scale(season?.hourMinor ?? plan.hourMinor),
    percentBp: (seasonBp * stepBp) / WHOLE_BP,
    isNegotiated: false,
  };
}

function scaled(minor: Minor, seasonBp: number, stepBp: number): Minor {
  if (seasonBp === WHOLE_BP && stepBp === WHOLE_BP) return minor;
  return multiplyRatio(minor, seasonBp * stepBp, WHOLE_BP * WHOLE_BP);
}

/**
 * Bands as covers (decisions.md 8): k days at the rate for k days, which a shorter rental may buy
 * too. Only lengths that are asked for, and the first of each band, can ever be cheapest.
 */
function bandOffers(
  { bands = [] }: RatePlan,
  scale: (minor: Minor) => Minor,
  days: number,
): readonly Offer[] {
  return bands.flatMap(({ fromDays, dayMinor }, index) => {
    const before = bands[index + 1]?.fromDays ?? Number.POSITIVE_INFINITY;
    const last = Math.max(fromDays, Math.min(before - 1, days));
    const unitMinor = scale(dayMinor);
    return Array.from({ length: last - fromDays + 1 }, (_, more): Offer => {
      const coversDays = fromDays + more;
      return { code: 'band', priceMinor: coversDays * unitMinor, coversDays };
    });
  });
}
