// A long rental billed while it is open: when its cycles end, and what each adds to the price.
import type { Minor } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import { feesOf } from './changes.ts';
import { type Clock, localMinutes } from './clock.ts';
import { epochMs, MINUTE_MS } from './instant.ts';
import { asPriced, lineOf, type PriceLine, partOf, sumOf } from './line.ts';
import { unmeasured } from './measured.ts';
import { type Quote, quote } from './quote.ts';
import type { LongTermVat, QuoteRequest } from './request.ts';
import { longTermOf, type Settled, settled, type VatShare } from './vat.ts';

export type CycleAmount = {
  /** The end of the cycle, in UTC. */
  readonly until: string;
  readonly netMinor: Minor;
  /** The time lines of it. */
  readonly timeMinor: Minor;
};

type Term = Pick<QuoteRequest, 'pickUpAt' | 'returnAt' | 'clock'>;

/** `days` of 24 hours each, or to the first of each month at local midnight. */
export type CycleLength = { readonly days: number } | 'month';

const DAY_MS = 1_440 * MINUTE_MS;

/** The end of the cycle of that number, from 1 on, in UTC. */
export function cycleEnd(
  { pickUpAt, clock = [] }: { readonly pickUpAt: string; readonly clock?: Clock | undefined },
  cycle: CycleLength,
  number: number,
): string {
  const from = epochMs(pickUpAt);
  const end = cycle === 'month' ? monthAfter(from, number) : from + number * cycle.days * DAY_MS;
  return new Date(end).toISOString();

  function monthAfter(start: number, months: number): number {
    const local = new Date(localMinutes(clock, start) * MINUTE_MS);
    const midnight = Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months, 1);
    const guess = midnight - (localMinutes(clock, midnight) * MINUTE_MS - midnight);
    return midnight - (localMinutes(clock, guess) * MINUTE_MS - guess);
  }
}

/** The ends of all cycles of a term; the last may be short. */
export function cycleEnds(term: Term, cycle: CycleLength): readonly string[] {
  const until = epochMs(term.returnAt);
  const ends: string[] = [];
  for (let number = 1; ; number += 1) {
    const end = cycleEnd(term, cycle, number);
    if (epochMs(end) >= until) return [...ends, new Date(until).toISOString()];
    ends.push(end);
  }
}

/**
 * Each cycle's amount is the price up to its end without what was invoiced before, so that all
 * cycles sum to one price (decisions.md 12). What is measured at the return, distance and fuel, is
 * of the last one.
 */
export function cycleAmounts(
  { distance, fuel, ...request }: QuoteRequest,
  ends: readonly string[],
): readonly CycleAmount[] {
  let [invoicedNet, invoicedTime] = [0, 0];
  return ends.map((until, index) => {
    const measured = index === ends.length - 1 ? { distance, fuel } : {};
    const { netMinor, lines } = quote({ ...request, ...measured, returnAt: until });
    const timeMinor = sumOf(lines.filter((line) => partOf(line) === 'time'));
    const amount = {
      until,
      netMinor: netMinor - invoicedNet,
      timeMinor: timeMinor - invoicedTime,
    };
    [invoicedNet, invoicedTime] = [netMinor, timeMinor];
    return amount;
  });
}

type UnderWay = Omit<QuoteRequest, 'returnAt'> & {
  readonly booked: Quote;
  readonly dueAt: string;
  /** The end of the cycle. */
  readonly until: string;
};

/**
 * What a rental that is out costs up to the end of a cycle, without what is measured at its return
 * and without a fee for that. Never above the price agreed while it is not due; from then on never
 * below it.
 */
export function priceUpTo({ booked, dueAt, until, ...given }: UnderWay): Quote {
  const { distance: _distance, fuel: _fuel, ...timed } = { ...booked.chosen, ...given };
  const agreedFees = given.fees ?? feesOf(booked);
  const fees = agreedFees.filter(({ code }) => code !== 'fee.out-of-hours-return');
  const switched = longTermOf(timed.plan, timed.longTerm);
  const longTerm = switched && asAgreed(switched, until, dueAt);
  const request = { ...timed, fees, longTerm, returnAt: until };
  const rerated = quote(request);
  const agreed = unmeasured(booked, request);
  const isOver = rerated.totalMinor > agreed.totalMinor;
  return isOver === epochMs(until) > epochMs(dueAt) ? rerated : agreed;
}

/** The place of supply goes by the whole term that was agreed (decisions.md 19), not by one cycle. */
function asAgreed(longTerm: LongTermVat, until: string, dueAt: string): LongTermVat {
  const ahead = Math.max(0, (epochMs(dueAt) - epochMs(until)) / MINUTE_MS);
  return { ...longTerm, precedingMinutes: (longTerm.precedingMinutes ?? 0) + ahead };
}

/** What goes on the next document: charged, or given back; null for nothing of either. */
export type Unbilled = { readonly charge: Settled | null; readonly credit: Settled | null };

/**
 * A price less what earlier documents charge of it, by rate: the lines of the price, and one line
 * that deducts what was billed. Taxed as one document (decisions.md 11), so that only the net amounts
 * of all documents, or the gross ones where the plan's prices include VAT, sum to the price. Rates of
 * which too much was billed become a credit, below zero (decisions.md 19).
 */
export function unbilled(price: Quote, plan: RatePlan, billed: readonly VatShare[]): Unbilled {
  if (billed.length === 0) return { charge: price, credit: null };
  const lines = [...price.lines.map(asPriced), ...billed.map((share) => deduction(plan, share))];
  const restOf = (rateBp: number) => sumOf(lines.filter((line) => line.vatRateBp === rateBp));
  const part = (belongs: (restMinor: Minor) => boolean) => {
    const own = lines.filter((line) => belongs(restOf(line.vatRateBp)));
    return own.length === 0 ? null : settled(own, plan);
  };
  return { charge: part((rest) => rest > 0), credit: part((rest) => rest < 0) };
}

function deduction(plan: RatePlan, { rateBp, baseMinor, vatMinor }: VatShare): PriceLine {
  const unitMinor = -(plan.pricesInclude === 'vat' ? baseMinor + vatMinor : baseMinor);
  const draft = { code: 'billed', quantity: 1, unit: 'rental', unitMinor, basis: {} } as const;
  return lineOf(plan, draft, { vatRateBp: rateBp });
}

/** What documents charge in all, by rate. */
export function sharesOf(documents: readonly (readonly VatShare[])[]): readonly VatShare[] {
  const all = documents.flat();
  return [...new Set(all.map(({ rateBp }) => rateBp))].map((rateBp) => {
    const own = all.filter((share) => share.rateBp === rateBp);
    const sum = (of: (share: VatShare) => Minor) => own.reduce((total, one) => total + of(one), 0);
    return { rateBp, baseMinor: sum((s) => s.baseMinor), vatMinor: sum((s) => s.vatMinor) };
  });
}
