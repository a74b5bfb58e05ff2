// One price: the lines of each concern in their order, VAT once a rate, totals that sum.
import type { Minor } from '../money.ts';
import { coverageLines, driverLines, extraLines } from './coverages.ts';
import { type Duration, durationOf } from './duration.ts';
import { fuelLines } from './fuel.ts';
import { inOrder, type PriceLine } from './line.ts';
import { mileageLines } from './mileage.ts';
import { percentageLines } from './percentages.ts';
import { handoverLines, oneWayLines, surchargeLines } from './places.ts';
import type { Choices, QuoteRequest } from './request.ts';
import { timeLines } from './time-lines.ts';
import { atPlaceOfSupply, settled, type VatShare } from './vat.ts';

/** Amounts are minor units of `currency`; the total is net + VAT. */
export type Quote = {
  readonly currency: string;
  readonly planId: string;
  readonly planVersion: number;
  readonly duration: Duration;
  readonly lines: readonly PriceLine[];
  readonly netMinor: Minor;
  readonly vat: readonly VatShare[];
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
  /** What was taken beside the vehicle, for when the rental is priced again; absent for nothing. */
  readonly chosen?: Choices | undefined;
};

/**
 * What a rental costs between two instants (ISO 8601 with an offset), however it got there: nothing
 * is remembered. For a fixed pick-up a later return never costs less (decisions.md 8), distance,
 * fuel and the VAT switch aside. Throws `invalid-time`, `due-not-later` when the return comes before
 * the pick-up, and `value-refused` for what the plan does not offer.
 */
export function quote(request: QuoteRequest): Quote {
  const { plan, pickUpAt, returnAt, clock, longTerm } = request;
  const duration = durationOf(pickUpAt, returnAt, plan, clock);
  const base = [
    ...timeLines(request, duration),
    ...coverageLines(request, duration),
    ...extraLines(request, duration),
    ...driverLines(request, duration),
    ...oneWayLines(request),
    ...handoverLines(request),
    ...surchargeLines(request, duration),
    ...mileageLines(request, duration),
    ...fuelLines(request),
  ];
  const lines = inOrder([...base, ...percentageLines(base, request)]);
  const choices = choicesOf(request);
  return {
    currency: plan.currency,
    planId: plan.id,
    planVersion: plan.version,
    duration,
    ...settled(atPlaceOfSupply(lines, plan, duration, longTerm), plan),
    ...(choices !== undefined && { chosen: choices }),
  };
}

const CHOICES = [
  'returnBranchId',
  'extras',
  'coverages',
  'drivers',
  'surcharges',
  'rate',
  'promotion',
  'utilisationBp',
  'longTerm',
  'distance',
] as const satisfies readonly (keyof Choices)[];

/** The branch belongs to them where a price hangs on it: a way, or what the branch charges. */
function choicesOf(request: QuoteRequest): Choices | undefined {
  const { plan, branchId, returnBranchId } = request;
  const charges = [...(plan.surcharges ?? []), ...(plan.percentageFees ?? [])];
  const hangs =
    returnBranchId !== undefined ||
    charges.some(({ branches }) => branchId !== undefined && branches?.includes(branchId));
  const keys = hangs ? (['branchId', ...CHOICES] as const) : CHOICES;
  const given = keys.filter((key) => request[key] !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((key) => [key, request[key]])) as Choices;
}
