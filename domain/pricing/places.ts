// What places charge: the one-way fee, surcharges a charged day, and fees for handovers.
import type { DaySurcharge } from '../rate-plan-terms.ts';
import type { Duration } from './duration.ts';
import { capped, lineOf, type PriceLine } from './line.ts';
import { chosen, type QuoteRequest, refused } from './request.ts';
import { grossOf } from './vat.ts';

/** Once, by the way it goes. Throws `value-refused` for a way that is not offered. */
export function oneWayLines({
  plan,
  branchId,
  returnBranchId = branchId,
}: Pick<QuoteRequest, 'plan' | 'branchId' | 'returnBranchId'>): readonly PriceLine[] {
  const { oneWay } = plan;
  if (branchId === undefined || returnBranchId === branchId || oneWay === undefined) return [];
  const pair = oneWay.pairs.find(({ from, to }) => from === branchId && to === returnBranchId);
  const unitMinor = pair?.feeMinor ?? oneWay.defaultMinor;
  if (unitMinor === null) {
    throw refused('returnBranchId', 'The rate plan offers no rental from there to there.');
  }
  if (unitMinor === 0) return [];
  const draft = { code: 'one-way', quantity: 1, unit: 'rental', unitMinor, basis: {} } as const;
  return [lineOf(plan, draft, oneWay)];
}

/** Those of the pick-up branch and those that are named, in the plan's order. */
export function surchargeLines(
  request: QuoteRequest,
  { chargedDays }: Duration,
): readonly PriceLine[] {
  const { plan } = request;
  checkNamed(request);
  return (plan.surcharges ?? []).filter(applies(request)).map((surcharge) => {
    const { code, dailyMinor: unitMinor, maxDays = chargedDays, maxMinor } = surcharge;
    const quantity = Math.min(chargedDays, maxDays);
    const draft = { quantity, unit: 'day', unitMinor, basis: { chargedDays } } as const;
    return capped(lineOf(plan, { code: `surcharge.${code}`, ...draft }, surcharge), maxMinor);
  });
}

/** True for what the pick-up branch charges, and for what the request names. */
export function applies({ branchId = '', surcharges = [] }: QuoteRequest) {
  return ({ code, branches = [] }: Pick<DaySurcharge, 'code' | 'branches'>): boolean =>
    surcharges.includes(code) || branches.includes(branchId);
}

function checkNamed({ plan, surcharges = [] }: QuoteRequest): void {
  const known = [...(plan.surcharges ?? []), ...(plan.percentageFees ?? [])];
  for (const code of surcharges) chosen(known, code, 'surcharges');
}

/** Out-of-hours fees come net from their branch; where prices include VAT they take it in. */
export function handoverLines({ plan, fees = [] }: QuoteRequest): readonly PriceLine[] {
  return fees.map(({ code, netMinor }) => {
    const unitMinor = plan.pricesInclude === 'vat' ? grossOf(netMinor, plan.vatRateBp) : netMinor;
    return lineOf(plan, { code, quantity: 1, unit: 'rental', unitMinor, basis: {} });
  });
}
