// Prices a rental by its plan: lines that explain themselves, VAT once a rate, totals that sum.
import { addMinor, type Minor, multiplyRatio } from './money.ts';
import { type Duration, durationOf, epochMs } from './pricing/duration.ts';
import { FEE_CODES, type Fee, type FeeCode } from './pricing/fees.ts';
import { type TimePrice, timePrice } from './pricing/time.ts';
import type { CoverCode, RatePlan } from './rate-plan.ts';

export { type Duration, durationOf } from './pricing/duration.ts';
export { dayCover, extraHours, timePrice } from './pricing/time.ts';

export type PriceLineCode = `time.${CoverCode | 'hour'}` | FeeCode;

/** `quantity × unitMinor = netMinor`, always. */
export type PriceLine = {
  readonly code: PriceLineCode;
  readonly quantity: number;
  readonly unitMinor: Minor;
  /** The figures behind the quantity, for whoever explains it in a language. */
  readonly basis: Readonly<Record<string, number>>;
  readonly netMinor: Minor;
  readonly vatRateBp: number;
};

/** All net lines of one rate: the base of one VAT amount. */
export type VatShare = {
  readonly rateBp: number;
  readonly baseMinor: Minor;
  readonly vatMinor: Minor;
};

/** Amounts are minor units of `currency`; the total is net + VAT. */
export type Quote = {
  readonly currency: string;
  readonly planId: string;
  readonly planVersion: number;
  readonly duration: Duration;
  readonly lines: readonly PriceLine[];
  readonly netMinor: Minor;
  readonly vat: readonly VatShare[];
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
};

export type QuoteRequest = {
  readonly plan: RatePlan;
  readonly pickUpAt: string;
  readonly returnAt: string;
  /** Net, in the plan's currency, taxed like the hire. */
  readonly fees?: readonly Fee[] | undefined;
};

/**
 * What a rental costs between two instants (ISO 8601 with an offset), however it got there: nothing
 * is remembered. For a fixed pick-up a later return never costs less (decisions.md 8). Throws
 * `invalid-time`, and `due-not-later` when the return comes before the pick-up.
 */
export function quote({ plan, pickUpAt, returnAt, fees = [] }: QuoteRequest): Quote {
  const duration = durationOf(pickUpAt, returnAt, plan);
  const time = timeLines(timePrice(duration, plan), duration, plan);
  const lines = [...time, ...fees.map((fee) => feeLine(fee, plan))];
  const vat = vatOf(lines);
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const vatMinor = addMinor(...vat.map((share) => share.vatMinor));
  return {
    currency: plan.currency,
    planId: plan.id,
    planVersion: plan.version,
    duration,
    lines,
    netMinor,
    vat,
    vatMinor,
    totalMinor: addMinor(netMinor, vatMinor),
  };
}

/**
 * What an extension adds to the total: the difference of the two totals, never a credit
 * (decisions.md 12), because a longer cover can be the cheaper one.
 */
export function extensionCharge(
  old: Pick<Quote, 'totalMinor'>,
  extended: Pick<Quote, 'totalMinor'>,
): Minor {
  return Math.max(0, extended.totalMinor - old.totalMinor);
}

/**
 * The price of a rental that is to end later: the whole of it re-rated from the pick-up minute by
 * the plan it was booked with, never below the price so far (decisions.md 12). Without `fees` those
 * that were booked stay.
 */
export function extensionQuote({
  booked,
  ...request
}: QuoteRequest & { readonly booked: Quote }): Quote {
  const rerated = quote({ ...request, fees: request.fees ?? feesOf(booked) });
  return extensionCharge(booked, rerated) === 0 ? keepPrice(booked, rerated) : rerated;
}

/**
 * The price at the return, by actual time. A late return is re-rated like an extension; an early
 * one, or one on time, too, but never above the price booked. A vehicle that was handed out before
 * its booked pick-up may even be back before it: that costs the minimum (decisions.md 7 and 12).
 */
export function finalQuote({
  booked,
  dueAt,
  ...request
}: QuoteRequest & { readonly booked: Quote; readonly dueAt: string }): Quote {
  const { pickUpAt, returnAt } = request;
  if (epochMs(returnAt) > epochMs(dueAt)) return extensionQuote({ booked, ...request });
  const isBeforePickUp = epochMs(returnAt) < epochMs(pickUpAt);
  const fees = request.fees ?? feesOf(booked);
  const rerated = quote({ ...request, fees, returnAt: isBeforePickUp ? pickUpAt : returnAt });
  return rerated.totalMinor > booked.totalMinor ? keepPrice(booked, rerated) : rerated;
}

/** The amounts stay, the day counts are those of the time that is priced. */
function keepPrice(booked: Quote, { duration }: Quote): Quote {
  return { ...booked, duration };
}

/**
 * The time lines, longest cover first. They lead every quote and invoice; coverages, extras,
 * drivers, fees, mileage and fuel follow in that order (golden prices, convention 14).
 */
function timeLines(
  { taken, hours }: TimePrice,
  { wholeDays, excessMinutes }: Duration,
  plan: RatePlan,
): readonly PriceLine[] {
  const { vatRateBp } = plan;
  const covers = taken.map(
    ({ line, count }): PriceLine => ({
      code: `time.${line.code}`,
      quantity: count,
      unitMinor: line.priceMinor,
      basis: { coversDays: count * line.coversDays, wholeDays, excessMinutes },
      netMinor: count * line.priceMinor,
      vatRateBp,
    }),
  );
  if (hours === 0) return covers;
  const hourLine: PriceLine = {
    code: 'time.hour',
    quantity: hours,
    unitMinor: plan.hourMinor,
    basis: { wholeDays, excessMinutes },
    netMinor: hours * plan.hourMinor,
    vatRateBp,
  };
  return [...covers, hourLine];
}

/** The fees that a quote has, to be charged again when its time is re-rated. */
export function feesOf({ lines }: Pick<Quote, 'lines'>): readonly Fee[] {
  return lines.flatMap(({ code, netMinor }) => {
    const known = FEE_CODES.find((fee) => fee === code);
    return known === undefined ? [] : [{ code: known, netMinor }];
  });
}

function feeLine({ code, netMinor }: Fee, { vatRateBp }: RatePlan): PriceLine {
  return { code, quantity: 1, unitMinor: netMinor, basis: {}, netMinor, vatRateBp };
}

/** VAT once a rate on the sum of its lines, not by line (EN 16931 BR-CO-17, decisions.md 11). */
function vatOf(lines: readonly PriceLine[]): readonly VatShare[] {
  const rates = [...new Set(lines.map((line) => line.vatRateBp))];
  return rates.map((rateBp) => {
    const ofRate = lines.filter((line) => line.vatRateBp === rateBp);
    const baseMinor = addMinor(...ofRate.map((line) => line.netMinor));
    return { rateBp, baseMinor, vatMinor: multiplyRatio(baseMinor, rateBp, 10_000) };
  });
}
