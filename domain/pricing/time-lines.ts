// The lines that time is charged by, longest cover first, and the discounts that are taken off it.
import { multiplyRatio } from '../money.ts';
import { dayOf, localDay } from './clock.ts';
import type { Duration } from './duration.ts';
import { epochMs } from './instant.ts';
import { lineOf, type PriceLine, sumOf } from './line.ts';
import { chosen, type QuoteRequest, refused } from './request.ts';
import { type Offer, tariffOf, WHOLE_BP } from './tariff.ts';
import { type ExtraTime, timePrice } from './time.ts';
import { weekendLine } from './weekend.ts';

/** Time, and what a negotiated rate and a promotion take off it. */
export function timeLines(request: QuoteRequest, duration: Duration): readonly PriceLine[] {
  const { plan } = request;
  const tariff = tariffOf(request, duration.wholeDays + 1);
  const { taken, extra, netMinor } = timePrice(duration, plan, tariff);
  const weekend = weekendLine(request, duration, tariff, netMinor);
  if (weekend !== null) return withDiscounts([weekend], request);
  const covers = taken.map(({ line, count }) => coverLine(line, count, duration, request));
  return withDiscounts([...covers, ...extraLines(extra, duration, request)], request);
}

/** A band is told by its day price: k days at the rate for k days. */
function coverLine(
  { code, what, priceMinor, coversDays }: Offer,
  count: number,
  { wholeDays, excessMinutes }: Duration,
  { plan }: QuoteRequest,
): PriceLine {
  const basis = { coversDays: count * coversDays, wholeDays, excessMinutes };
  const isBand = code === 'band';
  return lineOf(plan, {
    code: `time.${code}`,
    ...(what !== undefined && { what }),
    quantity: isBand ? count * coversDays : count,
    unit: isBand ? 'day' : code,
    unitMinor: isBand ? priceMinor / coversDays : priceMinor,
    basis,
  });
}

function extraLines(
  { hours, hourMinor, percentBp, netMinor }: ExtraTime,
  { wholeDays, excessMinutes }: Duration,
  { plan }: QuoteRequest,
): readonly PriceLine[] {
  const basis = { wholeDays, excessMinutes };
  if (hours > 0) {
    const priced = { quantity: hours, unit: 'hour', unitMinor: hourMinor } as const;
    return [lineOf(plan, { code: 'time.hour', ...priced, basis })];
  }
  if (netMinor === 0) return [];
  const priced = { quantity: 1, unit: 'day', unitMinor: netMinor } as const;
  return [lineOf(plan, { code: 'time.part-day', ...priced, basis: { ...basis, percentBp } })];
}

/** The rate's discount first, the promotion's on what is left; never more than there is. */
function withDiscounts(time: readonly PriceLine[], request: QuoteRequest): readonly PriceLine[] {
  const { plan } = request;
  const lines = [...time];
  const rate = request.rate === undefined ? undefined : chosen(plan.rates, request.rate, 'rate');
  if (rate !== undefined) {
    const { code, kind, discountBp = 0 } = rate;
    const off = share(lines, discountBp);
    if (off > 0) lines.push(discount(`discount.${kind}`, code, off, request, discountBp));
  }
  const promotion = promotionOf(request);
  if (promotion !== undefined) {
    const { code, discountBp = 0, amountMinor } = promotion;
    const off = Math.min(amountMinor ?? share(lines, discountBp), sumOf(lines));
    if (off > 0) lines.push(discount('discount.promotion', code, off, request, discountBp));
  }
  return lines;
}

function share(lines: readonly PriceLine[], discountBp: number): number {
  return multiplyRatio(sumOf(lines), discountBp, WHOLE_BP);
}

function discount(
  code: `discount.${'corporate' | 'agent' | 'promotion'}`,
  what: string,
  offMinor: number,
  { plan }: QuoteRequest,
  discountBp: number,
): PriceLine {
  const priced = { quantity: 1, unit: 'rental', unitMinor: -offMinor } as const;
  return lineOf(plan, { code, what, ...priced, basis: discountBp > 0 ? { discountBp } : {} });
}

/** Throws `value-refused` for one that does not exist, or not for this pick-up or booking. */
function promotionOf(request: QuoteRequest) {
  const { plan, pickUpAt, clock = [], bookedOn, rate } = request;
  if (request.promotion === undefined) return undefined;
  const promotion = chosen(plan.promotions, request.promotion, 'promotion');
  const { code, pickUpFrom, pickUpTo, bookUntil, withRate } = promotion;
  const day = localDay(clock, epochMs(pickUpAt));
  const isInTime =
    dayOf(pickUpFrom) <= day &&
    day <= dayOf(pickUpTo) &&
    (bookUntil === undefined || bookedOn === undefined || bookedOn <= bookUntil);
  if (!isInTime) throw refused('promotion', 'The promotion is not for these dates.', code);
  if (rate !== undefined && !withRate) {
    throw refused('promotion', 'The promotion does not combine with a negotiated rate.', code);
  }
  return promotion;
}
