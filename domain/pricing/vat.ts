// VAT once a rate on the sum of its lines, on net prices or taken out of gross ones.
import { addMinor, type Minor, multiplyRatio, roundHalfAwayFromZero } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Duration } from './duration.ts';
import type { PriceLine } from './line.ts';
import type { LongTermVat } from './request.ts';

/** All net lines of one rate: the base of one VAT amount. */
export type VatShare = {
  readonly rateBp: number;
  readonly baseMinor: Minor;
  readonly vatMinor: Minor;
};

export type Settled = {
  readonly lines: readonly PriceLine[];
  readonly netMinor: Minor;
  readonly vat: readonly VatShare[];
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
};

const WHOLE_BP = 10_000;
/** Short-term hire of means of transport (Directive 2006/112 Art. 56): up to 30 × 24 hours. */
const SHORT_TERM_MINUTES = 30 * 1_440;

/** Not by line (EN 16931 BR-CO-17, decisions.md 11). */
export function settled(taxed: readonly PriceLine[], plan: RatePlan): Settled {
  const rates = [...new Set(taxed.map((line) => line.vatRateBp))];
  const isGross = plan.pricesInclude === 'vat';
  const lines = isGross ? netOfGross(taxed, rates) : taxed;
  const vat = rates.map((rateBp): VatShare => {
    const ofRate = lines.filter((line) => line.vatRateBp === rateBp);
    const baseMinor = addMinor(...ofRate.map((line) => line.netMinor));
    if (!isGross)
      return { rateBp, baseMinor, vatMinor: multiplyRatio(baseMinor, rateBp, WHOLE_BP) };
    const grossMinor = addMinor(...ofRate.map((line) => line.grossMinor ?? 0));
    return { rateBp, baseMinor, vatMinor: grossMinor - baseMinor };
  });
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const vatMinor = addMinor(...vat.map((share) => share.vatMinor));
  return { lines, netMinor, vat, vatMinor, totalMinor: addMinor(netMinor, vatMinor) };
}

/** net = gross − round(gross × r / (1 + r)) on the sum, split to the lines by largest remainder. */
function netOfGross(lines: readonly PriceLine[], rates: readonly number[]): readonly PriceLine[] {
  const nets = new Map<PriceLine, Minor>();
  for (const rateBp of rates) {
    const ofRate = lines.filter((line) => line.vatRateBp === rateBp);
    const gross = addMinor(...ofRate.map((line) => line.netMinor));
    const vat = multiplyRatio(gross, rateBp, WHOLE_BP + rateBp);
    const shares = signedShares(
      gross - vat,
      ofRate.map((line) => line.netMinor),
    );
    for (const [index, line] of ofRate.entries()) nets.set(line, shares[index] ?? 0);
  }
  return lines.map((line) => ({
    ...line,
    netMinor: nets.get(line) ?? 0,
    grossMinor: line.netMinor,
  }));
}

/** As `allocate`, but discounts are parts below zero: the parts still sum to `total`. */
function signedShares(total: Minor, parts: readonly Minor[]): readonly Minor[] {
  const whole = addMinor(...parts);
  if (whole === 0) return parts;
  const exact = parts.map((part) => {
    const product = BigInt(total) * BigInt(part);
    const below = product / BigInt(whole);
    const floor = below * BigInt(whole) > product ? below - 1n : below;
    return { floor, remainder: product - floor * BigInt(whole) };
  });
  let left = total - Number(exact.reduce((sum, { floor }) => sum + floor, 0n));
  const byRemainder = exact
    .map(({ remainder }, index) => ({ remainder, index }))
    .toSorted((a, b) => Number(b.remainder - a.remainder) || a.index - b.index);
  const favoured = new Set<number>();
  for (const { index } of byRemainder) {
    if (left === 0) break;
    favoured.add(index);
    left -= 1;
  }
  return exact.map(({ floor }, index) => Number(floor) + (favoured.has(index) ? 1 : 0));
}

export function grossOf(netMinor: Minor, rateBp: number): Minor {
  return netMinor + roundHalfAwayFromZero(netMinor * rateBp, WHOLE_BP);
}

/** Alone or with the contracts right before it. The first contract stays short (decisions.md 19). */
export function isLongTerm({ minutes }: Pick<Duration, 'minutes'>, before = 0): boolean {
  return before + minutes > SHORT_TERM_MINUTES;
}

/** What is asked for goes before what the plan is sold with. */
export function longTermOf(
  { longTermVatRateBp: vatRateBp }: RatePlan,
  asked: LongTermVat | undefined,
): LongTermVat | undefined {
  return asked ?? (vatRateBp === undefined ? undefined : { vatRateBp });
}

/** The hire of more than 30 days is taxed at the customer's place, what has a rate of its own not. */
export function atPlaceOfSupply(
  lines: readonly PriceLine[],
  plan: RatePlan,
  duration: Duration,
  asked: LongTermVat | undefined,
): readonly PriceLine[] {
  const longTerm = longTermOf(plan, asked);
  if (longTerm === undefined || !isLongTerm(duration, longTerm.precedingMinutes)) return lines;
  const { vatRateBp } = longTerm;
  return lines.map((line) => (line.vatRateBp === plan.vatRateBp ? { ...line, vatRateBp } : line));
}
