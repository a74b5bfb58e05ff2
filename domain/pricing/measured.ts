// What is measured at the return, distance and fuel: it comes on top of the price by time.

import { fuelLines } from './fuel.ts';
import { asPriced, inOrder, type PriceLine, partOf } from './line.ts';
import { mileageLines } from './mileage.ts';
import { percentageLines } from './percentages.ts';
import type { Quote } from './quote.ts';
import type { QuoteRequest } from './request.ts';
import { atPlaceOfSupply, settled } from './vat.ts';

/** The price without what was estimated of it; a prepaid tank is none of that. */
export function unmeasured(priced: Quote, request: QuoteRequest): Quote {
  const kept = priced.lines.filter((line) => !isMeasured(line));
  return kept.length === priced.lines.length ? priced : withBase(priced, kept, request);
}

/** The same with the request's distance and fuel; percentages of the distance are taken anew. */
export function measured(priced: Quote, request: QuoteRequest): Quote {
  const isPrepaid = request.plan.fuel?.policy === 'prepaid';
  const used = [
    ...mileageLines(request, priced.duration),
    ...(isPrepaid ? [] : fuelLines(request)),
  ];
  return used.length === 0 ? priced : withBase(priced, [...priced.lines, ...used], request);
}

function isMeasured(line: PriceLine): boolean {
  const part = partOf(line);
  return part === 'mileage' || (part === 'fuel' && line.code !== 'fuel.prepaid');
}

function withBase(priced: Quote, lines: readonly PriceLine[], request: QuoteRequest): Quote {
  const { plan, longTerm } = request;
  const base = lines.filter(({ basis }) => basis['baseMinor'] === undefined).map(asPriced);
  const all = inOrder([...base, ...percentageLines(base, request)]);
  return { ...priced, ...settled(atPlaceOfSupply(all, plan, priced.duration, longTerm), plan) };
}
