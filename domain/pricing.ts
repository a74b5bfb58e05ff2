// Prices a rental by its plan: lines that explain themselves, VAT once a rate, totals that sum.
export { cancellationFee, feeAmounts, noShowFee } from './pricing/cancellation.ts';
export {
  extensionCharge,
  extensionQuote,
  feesOf,
  finalQuote,
  rechosenQuote,
} from './pricing/changes.ts';
export {
  type CycleLength,
  cycleAmounts,
  cycleEnd,
  cycleEnds,
  priceUpTo,
  sharesOf,
  unbilled,
} from './pricing/cycles.ts';
export { driversOf } from './pricing/drivers.ts';
export { durationOf } from './pricing/duration.ts';
export { type Quote, quote } from './pricing/quote.ts';
export type { Choices, QuoteRequest } from './pricing/request.ts';
export { dayCover, extraTime, timePrice } from './pricing/time.ts';
