// Fees and extras as a per cent of named parts of the rental; none is in any base, its own included.
import { multiplyRatio } from '../money.ts';
import type { Basis, Taxed } from '../rate-plan-terms.ts';
import { lineOf, type PriceLine, type PriceLineCode, partOf, sumOf } from './line.ts';
import { applies } from './places.ts';
import { chosen, type QuoteRequest } from './request.ts';
import { WHOLE_BP } from './tariff.ts';

/** Each rounded by itself, half away from zero (golden prices, convention 10). */
export function percentageLines(
  base: readonly PriceLine[],
  request: QuoteRequest,
): readonly PriceLine[] {
  const { plan, extras = [] } = request;
  const items = extras.flatMap(({ code, count }) => {
    const extra = chosen(plan.extras, code, 'extras');
    if (extra.kind !== 'percentage') return [];
    return [percentage(`extra.${code}`, extra, count, base, request)];
  });
  const fees = (plan.percentageFees ?? [])
    .filter(applies(request))
    .map((fee) => percentage(`percentage.${fee.code}`, fee, 1, base, request));
  return [...items, ...fees].filter(({ netMinor }) => netMinor !== 0);
}

type Term = Taxed & { readonly percentBp: number; readonly basis: Basis };

function percentage(
  code: PriceLineCode,
  term: Term,
  quantity: number,
  base: readonly PriceLine[],
  { plan }: QuoteRequest,
): PriceLine {
  const { percentBp } = term;
  const baseMinor = sumOf(base.filter((line) => isIn(term.basis, line)));
  const unitMinor = multiplyRatio(baseMinor, percentBp, WHOLE_BP);
  const basis = { percentBp, baseMinor };
  return lineOf(plan, { code, quantity, unit: 'rental', unitMinor, basis }, term);
}

function isIn(basis: Basis, line: PriceLine): boolean {
  const part = partOf(line);
  return part !== undefined && (basis === 'total' || basis.includes(part));
}
