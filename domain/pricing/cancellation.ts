// What a rental costs that does not take place: cancelled before its pick-up, or nobody came.
import { type Minor, multiplyRatio } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import { epochMs, MINUTE_MS } from './instant.ts';
import { type Quote, quote } from './quote.ts';
import type { QuoteRequest } from './request.ts';
import type { VatShare } from './vat.ts';

/**
 * Gross, never above the booked total; exactly `lateMinutes` before the pick-up is late
 * (decisions.md 18). After the pick-up time it is a no-show instead: null. 0 where the plan has
 * no such term.
 */
export function cancellationFee(
  { cancellation }: Pick<RatePlan, 'cancellation'>,
  booked: Pick<Quote, 'totalMinor'>,
  pickUpAt: string,
  cancelledAt: string,
): Minor | null {
  const beforeMs = epochMs(pickUpAt) - epochMs(cancelledAt);
  if (beforeMs < 0) return null;
  if (cancellation === undefined) return 0;
  const { earlyMinor, lateMinor, lateMinutes } = cancellation;
  const feeMinor = beforeMs > lateMinutes * MINUTE_MS ? earlyMinor : lateMinor;
  return Math.min(feeMinor, booked.totalMinor);
}

/** Gross: one day of hire alone, without a tank that nobody drove; never above the booked total. */
export function noShowFee(
  request: Pick<QuoteRequest, 'plan' | 'pickUpAt' | 'clock' | 'rate' | 'utilisationBp'>,
  booked: Pick<Quote, 'totalMinor'>,
): Minor {
  const oneDay = new Date(epochMs(request.pickUpAt) + 1_440 * MINUTE_MS).toISOString();
  const { fuel: _fuel, ...plan } = request.plan;
  return Math.min(quote({ ...request, plan, returnAt: oneDay }).totalMinor, booked.totalMinor);
}

const WHOLE_BP = 10_000;

/** A gross fee as a document has it: its VAT is taken out of it, rounded half away from zero. */
export function feeAmounts(grossMinor: Minor, rateBp: number) {
  const vatMinor = multiplyRatio(grossMinor, rateBp, WHOLE_BP + rateBp);
  const netMinor = grossMinor - vatMinor;
  const vat: readonly VatShare[] = [{ rateBp, baseMinor: netMinor, vatMinor }];
  return { netMinor, vat, vatMinor, totalMinor: grossMinor };
}
