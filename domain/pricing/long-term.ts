// A contract that goes on where others ended: the same amounts, taxed as the long hire that they are.
import type { RatePlan } from '../rate-plan.ts';
import { asPriced } from './line.ts';
import { type Quote, quote } from './quote.ts';
import type { QuoteRequest } from './request.ts';
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

/**
 * The price as if nothing came before it, for a hire that did not begin after all: its amounts stay,
 * each line is taxed as it would be quoted. `request` is what the price was quoted for.
 */
export function withoutOthers(priced: Quote, request: QuoteRequest): Quote {
  const { longTerm, ...taken } = priced.chosen ?? {};
  if (longTerm?.precedingMinutes === undefined) return priced;
  const chosen = { ...taken, longTerm: { vatRateBp: longTerm.vatRateBp } };
  const { lines } = quote({ ...chosen, ...request });
  const rates = new Map(lines.map(({ code, vatRateBp }) => [code, vatRateBp]));
  const taxed = priced.lines.map((line) => ({
    ...asPriced(line),
    vatRateBp: rates.get(line.code) ?? line.vatRateBp,
  }));
  return { ...priced, ...settled(taxed, request.plan), chosen };
}
