// Fuel that is missing at the return, in eighths of a tank or twentieths of a battery.
import { roundHalfAwayFromZero } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import { lineOf, type PriceLine } from './line.ts';
import { type FuelUse, type QuoteRequest, refused } from './request.ts';

const STEPS = { tank: 8, battery: 20 } as const;
const UNITS = { tank: 'eighth', battery: 'twentieth' } as const;

/**
 * The floor is taken once, on the difference; fuller than before earns nothing (golden prices,
 * convention 9; decisions.md 32). A prepaid tank is charged whole, and nothing comes back.
 */
export function fuelLines({ plan, fuel: used = [] }: QuoteRequest): readonly PriceLine[] {
  const { fuel } = plan;
  if (fuel === undefined) return [];
  const uses = 'kind' in used ? [used] : used;
  if (fuel.policy === 'prepaid') {
    const [use] = uses;
    const capacity = use?.capacity ?? fuel.tank;
    const isBattery = use?.kind === 'battery';
    const unitMinor = (isBattery ? (fuel.kWhMinor ?? 0) : fuel.unitMinor) * capacity;
    const draft = { quantity: 1, unit: 'rental', unitMinor, basis: { capacity } } as const;
    return [lineOf(plan, { code: 'fuel.prepaid', ...draft }, fuel)];
  }
  const lines = uses.flatMap((use) => usedLines(plan, fuel, use));
  return lines.length === 0 ? [] : [...lines, ...serviceLines(plan, fuel)];
}

/** Once a rental, however many of its vehicles came back with less (decisions.md 32). */
function serviceLines(plan: RatePlan, fuel: NonNullable<RatePlan['fuel']>): readonly PriceLine[] {
  const { serviceMinor: unitMinor = 0 } = fuel;
  if (unitMinor === 0) return [];
  const once = { quantity: 1, unit: 'rental', unitMinor, basis: {} } as const;
  return [lineOf(plan, { code: 'fuel.service', ...once }, fuel)];
}

function usedLines(
  plan: RatePlan,
  fuel: NonNullable<RatePlan['fuel']>,
  use: FuelUse,
): readonly PriceLine[] {
  if (use.hasReceipt === true) return [];
  const which = use.segment === undefined ? {} : { segment: use.segment };
  const steps = stepsUsed(use);
  const unitPrice = use.kind === 'tank' ? fuel.unitMinor : fuel.kWhMinor;
  if (unitPrice === undefined) {
    throw refused('fuel', 'The rate plan has no price for charging a battery.');
  }
  if (steps === 0) return [];
  const capacity = use.capacity ?? fuel.tank;
  const priced = stepPrice(steps, STEPS[use.kind], capacity * unitPrice, UNITS[use.kind]);
  const basis = { steps, capacity, unitPriceMinor: unitPrice, ...which };
  return [lineOf(plan, { code: 'fuel.used', ...priced, basis }, fuel)];
}

function stepsUsed({ kind, out, back, scale }: FuelUse): number {
  return Math.max(0, Math.floor((STEPS[kind] * (out - back)) / scale));
}

/** By the step where a step has a whole price; otherwise rounded once, on all of them. */
function stepPrice(steps: number, ofAll: number, fullMinor: number, unit: 'eighth' | 'twentieth') {
  if (fullMinor % ofAll === 0) return { quantity: steps, unit, unitMinor: fullMinor / ofAll };
  const unitMinor = roundHalfAwayFromZero(steps * fullMinor, ofAll);
  return { quantity: 1, unit: 'rental', unitMinor } as const;
}
