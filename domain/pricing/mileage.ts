// Distance beyond the allowance: of all days together, of each day, or of periods of days.
import type { Mileage } from '../rate-plan-terms.ts';
import type { Duration } from './duration.ts';
import { lineOf, type PriceLine } from './line.ts';
import type { QuoteRequest } from './request.ts';

/**
 * Whole units of this rental only (golden prices, convention 8). Where days or periods have
 * allowances of their own, a single figure counts as spread evenly.
 */
export function mileageLines(
  { plan, distance }: QuoteRequest,
  { chargedDays }: Duration,
): readonly PriceLine[] {
  const { mileage } = plan;
  if (mileage === undefined || mileage.kind === 'unlimited' || distance === undefined) return [];
  const parts = typeof distance === 'number' ? [distance] : distance;
  const total = parts.reduce((sum, part) => sum + part, 0);
  const days = mileage.kind === 'daily' ? 1 : mileage.days;
  const allowed = mileage.included * Math.ceil(chargedDays / days);
  const isWhole = mileage.pooled || typeof distance === 'number';
  const over = isWhole ? Math.max(0, total - allowed) : overByPart(parts, days, mileage);
  if (over === 0) return [];
  const priced = { quantity: over, unit: mileage.unit, unitMinor: mileage.overMinor };
  const basis = { distance: total, allowed, chargedDays };
  return [lineOf(plan, { code: 'mileage.over', ...priced, basis }, mileage)];
}

/** Nothing of one part's allowance is left for another's. */
function overByPart(
  parts: readonly number[],
  days: number,
  { included }: Exclude<Mileage, { readonly kind: 'unlimited' }>,
): number {
  let over = 0;
  for (let first = 0; first < parts.length; first += days) {
    const driven = parts.slice(first, first + days).reduce((sum, part) => sum + part, 0);
    over += Math.max(0, driven - included);
  }
  return over;
}
