// Another class than the booked one: what a better one costs more for the rest, a lower one less.
import { DomainError } from '../errors.ts';
import { type Minor, multiplyRatio } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Clock } from './clock.ts';
import type { Fee } from './fees.ts';
import { asPriced, inOrder, partOf, sumOf } from './line.ts';
import { percentageLines } from './percentages.ts';
import { handoverLines } from './places.ts';
import { type Quote, quote } from './quote.ts';
import type { Choices, QuoteRequest } from './request.ts';
import { atPlaceOfSupply, settled } from './vat.ts';

type Rest = { readonly from: string; readonly until: string; readonly clock?: Clock | undefined };

/**
 * The difference of the two classes' prices for the time alone, net and never below nothing, as if it
 * were a rental of its own from the exchange on (decisions.md 30). By the plans' own prices: rates
 * and promotions are agreed for the booked class. Throws `currency-mismatch`.
 */
export function upgradeDifference(booked: RatePlan, given: RatePlan, rest: Rest): Minor {
  refuseOther(booked, given);
  return Math.max(0, timeOf(given, rest) - timeOf(booked, rest));
}

/**
 * What the time costs less in the lower class, net and never below nothing: the part of its price that
 * the plans' own prices differ by (decisions.md 30), so that who pays by a rate or a promotion gets
 * back that part of what it is by them. Throws `currency-mismatch`.
 */
export function downgradeDifference(
  booked: RatePlan,
  given: RatePlan,
  rest: Rest,
  { rate, promotion, utilisationBp }: Choices = {},
): Minor {
  refuseOther(booked, given);
  const [own, lower] = [timeOf(booked, rest), timeOf(given, rest)];
  if (lower >= own) return 0;
  const agreed = timeOf(booked, rest, { rate, promotion, utilisationBp });
  return multiplyRatio(agreed, own - lower, own);
}

function refuseOther(booked: RatePlan, given: RatePlan): void {
  if (booked.currency === given.currency) return;
  throw new DomainError('currency-mismatch', 'The other class is priced in another currency.', {
    planCurrency: booked.currency,
    upgradeCurrency: given.currency,
  });
}

function timeOf(plan: RatePlan, { from, until, clock }: Rest, choices: Choices = {}): Minor {
  const { lines } = quote({ ...choices, plan, pickUpAt: from, returnAt: until, clock });
  return sumOf(lines.filter((line) => partOf(line) === 'time'));
}

/** The price with that much for the upgrade, and all else as it was; 0 takes it out. */
export function withUpgrade(priced: Quote, netMinor: Minor, request: QuoteRequest): Quote {
  return withFee(priced, { code: 'fee.upgrade', netMinor }, request);
}

/** The price with so much less for the downgrade, and all else as it was; 0 takes it out. */
export function withDowngrade(priced: Quote, lessMinor: Minor, request: QuoteRequest): Quote {
  return withFee(priced, { code: 'fee.downgrade', netMinor: -lessMinor }, request);
}

function withFee(priced: Quote, fee: Fee, request: QuoteRequest): Quote {
  const { plan, longTerm } = request;
  const others = priced.lines
    .filter(({ code, basis }) => code !== fee.code && basis['baseMinor'] === undefined)
    .map(asPriced);
  const fees = fee.netMinor === 0 ? [] : [fee];
  const base = [...others, ...handoverLines({ ...request, fees })];
  const lines = inOrder([...base, ...percentageLines(base, request)]);
  return { ...priced, ...settled(atPlaceOfSupply(lines, plan, priced.duration, longTerm), plan) };
}
