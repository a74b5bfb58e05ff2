// The weekend line: one price for a rental that lies inside the plan's local weekend.
import type { Minor } from '../money.ts';
import { multiplyRatio } from '../money.ts';
import { localMinutes } from './clock.ts';
import type { Duration } from './duration.ts';
import { epochMs } from './instant.ts';
import type { PriceLine } from './line.ts';
import { lineOf } from './line.ts';
import type { QuoteRequest } from './request.ts';
import { type Tariff, WHOLE_BP } from './tariff.ts';

const WEEK_MINUTES = 7 * 1_440;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MINUTES = 4 * 1_440;

/**
 * The line when it is offered and costs less than `otherwiseMinor`. Grace counts at the end of the
 * window only (golden prices, convention 5); a rental that is longer is priced as if there were none.
 */
export function weekendLine(
  { plan, pickUpAt, returnAt, clock }: QuoteRequest,
  { wholeDays, excessMinutes }: Duration,
  tariff: Tariff,
  otherwiseMinor: Minor,
): PriceLine | null {
  const { weekend } = plan;
  const { percentBp, isNegotiated } = tariff(0);
  if (weekend === undefined || clock === undefined || isNegotiated) return null;
  const window = modulo(weekend.until - weekend.from, WEEK_MINUTES);
  const start = localMinutes(clock, epochMs(pickUpAt));
  const after = modulo(start - FIRST_MONDAY_MINUTES - weekend.from, WEEK_MINUTES);
  const end = after + localMinutes(clock, epochMs(returnAt)) - start;
  if (after > window || end > window + plan.graceMinutes) return null;
  const unitMinor = multiplyRatio(weekend.priceMinor, percentBp, WHOLE_BP);
  if (unitMinor >= otherwiseMinor) return null;
  const basis = { wholeDays, excessMinutes, otherwiseMinor };
  return lineOf(plan, { code: 'time.weekend', quantity: 1, unit: 'weekend', unitMinor, basis });
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
