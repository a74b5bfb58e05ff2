// A contract that goes on where others ended: the same amounts, taxed as the long hire that they are.
import type { RatePlan } from '../rate-plan.ts';
import { asPriced } from './line.ts';
import type { Quote } from './quote.ts';
import { atPlaceOfSupply, longTermOf, settled } from './vat.ts';

/**
 * The price with what came before it known, so that whatever prices it again knows that too. Only this
 * contract and later ones are long-term (decisions.md 19). Without a rate for that it stays.
 */
export function afterOthers(priced: Quote, plan: RatePlan, precedingMinutes: number): Quote {
  const asked = longTermOf(plan, priced.chosen?.longTerm);
  if (asked === undefined || precedingMinutes <= (asked.precedingMinutes ?? 0)) return priced;
  const longTerm = { ...asked, precedingMinutes };
  const lines = atPlaceOfSupply(priced.lines.map(asPriced), plan, priced.duration, longTerm);
  return { ...priced, ...settled(lines, plan), chosen: { ...priced.chosen, longTerm } };
}
