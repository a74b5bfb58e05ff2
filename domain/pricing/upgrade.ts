// A better class that is paid for: what it costs more than the booked one, for the rest.
import { DomainError } from '../errors.ts';
import type { Minor } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Clock } from './clock.ts';
import { asPriced, inOrder, partOf, sumOf } from './line.ts';
import { percentageLines } from './percentages.ts';
import { handoverLines } from './places.ts';
import { type Quote, quote } from './quote.ts';
import type { QuoteRequest } from './request.ts';
import { settled } from './vat.ts';

type Rest = { readonly from: string; readonly until: string; readonly clock?: Clock | undefined };

/**
 * The difference of the two classes' prices for the time alone, net and never below nothing, as if it
 * were a rental of its own from the exchange on (decisions.md 30). By the plans' own prices: rates
 * and promotions are agreed for the booked class. Throws `currency-mismatch`.
 */
export function upgradeDifference(
  booked: RatePlan,
  given: RatePlan,
  { from: pickUpAt, until: returnAt, clock }: Rest,
): Minor {
  if (booked.currency !== given.currency) {
    throw new DomainError('currency-mismatch', 'The better class is priced in another currency.', {
      planCurrency: booked.currency,
      upgradeCurrency: given.currency,
    });
  }
  const [before = 0, after = 0] = [booked, given].map((plan) =>
    sumOf(
      quote({ plan, pickUpAt, returnAt, clock }).lines.filter((line) => partOf(line) === 'time'),
    ),
  );
  return Math.max(0, after - before);
}

/** The price with that much for the upgrade, and all else as it was; 0 takes it out. */
export function withUpgrade(priced: Quote, netMinor: Minor, request: QuoteRequest): Quote {
  const { plan } = request;
  const others = priced.lines
    .filter(({ code, basis }) => code !== 'fee.upgrade' && basis['baseMinor'] === undefined)
    .map(asPriced);
  const fees = netMinor === 0 ? [] : [{ code: 'fee.upgrade', netMinor } as const];
  const base = [...others, ...handoverLines({ ...request, fees })];
  const lines = inOrder([...base, ...percentageLines(base, request)]);
  return { ...priced, ...settled(lines, plan) };
}
