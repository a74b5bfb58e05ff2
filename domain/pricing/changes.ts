// A price that changes on the way: extensions in their modes, late and early returns.
import type { Minor } from '../money.ts';
import { multiplyRatio } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { ExtensionMode } from '../rate-plan-terms.ts';
import { durationOf } from './duration.ts';
import { FEE_CODES, type Fee } from './fees.ts';
import { epochMs, MINUTE_MS } from './instant.ts';
import { asPriced, inOrder, lineOf, type PriceLine, partOf, sumOf } from './line.ts';
import { measured, unmeasured } from './measured.ts';
import { percentageLines } from './percentages.ts';
import { oneWayLines } from './places.ts';
import { type Quote, quote } from './quote.ts';
import type { Choices, QuoteRequest } from './request.ts';
import { timeLines } from './time-lines.ts';
import { atPlaceOfSupply, settled } from './vat.ts';

type Rerating = QuoteRequest & { readonly booked: Quote };
type Extension = Rerating & {
  /** When the rental was due so far; extra days need it, and re-rate the whole without it. */
  readonly dueAt?: string | undefined;
  /** Extra days are priced by the version that is valid at the extension (decisions.md 10). */
  readonly planNow?: RatePlan | undefined;
};

/**
 * What an extension adds to the total: the difference of the two totals, never a credit
 * (decisions.md 12), because a longer cover can be the cheaper one.
 */
export function extensionCharge(
  old: Pick<Quote, 'totalMinor'>,
  extended: Pick<Quote, 'totalMinor'>,
): Minor {
  return Math.max(0, extended.totalMinor - old.totalMinor);
}

/**
 * The price of a rental that is to end later, never below the price so far (decisions.md 12). The
 * plan's mode prices its time: re-rated whole, or the time booked and the days beyond it, at the
 * booked price a day or as a rental of their own. What was chosen, and without `fees` those that
 * were booked, stay; all else is re-rated. A weekend line is re-rated whole in every mode.
 */
export function extensionQuote({ booked, dueAt, planNow, ...given }: Extension): Quote {
  const request: QuoteRequest = {
    ...booked.chosen,
    ...given,
    fees: given.fees ?? feesOf(booked),
  };
  const rerated = quote(request);
  const mode = request.plan.extension ?? 'new-total';
  const time = timeBeyond(mode, { booked, dueAt, planNow, ...request }, rerated);
  const extended = time === null ? rerated : withTime(rerated, time, request);
  return extensionCharge(booked, extended) === 0 ? keepPrice(booked, rerated) : extended;
}

/** The time booked and the time added, or null where the whole is re-rated. */
function timeBeyond(
  mode: ExtensionMode,
  { booked, dueAt, planNow, ...request }: Extension,
  rerated: Quote,
): readonly PriceLine[] | null {
  if (mode === 'new-total' || booked.lines.some(({ code }) => code === 'time.weekend')) return null;
  const before = booked.lines.filter((line) => partOf(line) === 'time').map(asPriced);
  if (mode === 'old-total') {
    const days = rerated.duration.chargedDays - booked.duration.chargedDays;
    return days > 0 ? [...before, extraDaysAtBookedPrice(before, days, booked, request)] : before;
  }
  if (dueAt === undefined) return null;
  const added: QuoteRequest = {
    ...request,
    plan: planNow ?? request.plan,
    pickUpAt: dueAt,
  };
  const { pickUpAt, returnAt, plan, clock } = added;
  return [...before, ...timeLines(added, durationOf(pickUpAt, returnAt, plan, clock))];
}

function extraDaysAtBookedPrice(
  before: readonly PriceLine[],
  days: number,
  { duration: { chargedDays } }: Quote,
  { plan }: QuoteRequest,
): PriceLine {
  const bookedMinor = sumOf(before);
  const basis = { days, bookedDays: chargedDays, bookedMinor };
  const exact = (bookedMinor * days) % chargedDays === 0 && bookedMinor % chargedDays === 0;
  const priced = exact
    ? ({ quantity: days, unit: 'day', unitMinor: bookedMinor / chargedDays } as const)
    : ({
        quantity: 1,
        unit: 'rental',
        unitMinor: multiplyRatio(bookedMinor, days, chargedDays),
      } as const);
  return lineOf(plan, { code: 'time.extension', ...priced, basis });
}

/**
 * The same time with other things taken beside it (decisions.md 10). Its lines stay, whatever an
 * extension made of them, unless another rate or promotion is `named`.
 */
export function rechosenQuote({
  booked,
  named,
  ...given
}: Rerating & { readonly named: Partial<Choices> }): Quote {
  const request = { ...booked.chosen, ...named, ...given, fees: given.fees ?? feesOf(booked) };
  const rerated = quote(request);
  if ('rate' in named || 'promotion' in named) return rerated;
  const time = booked.lines.filter((line) => partOf(line) === 'time').map(asPriced);
  return withTime(rerated, time, request);
}

/** The same rental with other lines of time, and what is computed on them anew. */
function withTime(rerated: Quote, time: readonly PriceLine[], request: QuoteRequest): Quote {
  const base = [...time, ...otherParts(rerated)];
  const lines = [...base, ...percentageLines(base, request)];
  const { plan, longTerm } = request;
  return resettled(rerated, atPlaceOfSupply(lines, plan, rerated.duration, longTerm), plan);
}

/** Neither time nor percentages: an extra that is a per cent has a base. */
function otherParts({ lines }: Quote): readonly PriceLine[] {
  return lines
    .filter((line) => partOf(line) !== 'time' && line.basis['baseMinor'] === undefined)
    .map(asPriced);
}

function resettled(of: Quote, lines: readonly PriceLine[], plan: RatePlan): Quote {
  return { ...of, ...settled(inOrder(lines), plan) };
}

type Return = Rerating & {
  readonly dueAt: string;
  /** Where it came back, when that is not the branch agreed: the one-way fee is that way's. */
  readonly returnedTo?: string | undefined;
};

/**
 * The price at the return, by actual time. A late return is re-rated like an extension to a new
 * total; an early one too, unless the plan keeps prices, but never above the price booked. A vehicle
 * that was handed out before its booked pick-up may even be back before it: that costs the minimum
 * (decisions.md 7 and 12). Coming back elsewhere, distance and fuel, and fees for a changed or a late
 * return, come on top, once: the booked price is no cap of theirs.
 */
export function finalQuote({ booked, dueAt, returnedTo, ...given }: Return): Quote {
  const request = { ...booked.chosen, ...given, fees: given.fees ?? feesOf(booked) };
  const agreed = request.returnBranchId ?? request.branchId;
  const isElsewhere = returnedTo !== undefined && returnedTo !== agreed;
  const { distance: _distance, fuel: _fuel, ...timed } = request;
  const byTime = priceByTime(timed, unmeasured(booked, timed), dueAt);
  const there = isElsewhere ? movedTo(returnedTo, byTime, timed) : byTime;
  return withReturnFees(measured(there, request), { ...request, dueAt, isElsewhere });
}

function movedTo(returnBranchId: string, priced: Quote, request: QuoteRequest): Quote {
  const there = { ...request, returnBranchId };
  const time = priced.lines.filter((line) => partOf(line) === 'time').map(asPriced);
  const others = otherParts(priced).filter(({ code }) => code !== 'one-way');
  const base = [...time, ...others, ...oneWayLines(there)];
  return resettled(priced, [...base, ...percentageLines(base, there)], request.plan);
}

function priceByTime(request: QuoteRequest, booked: Quote, dueAt: string): Quote {
  const { pickUpAt, returnAt, plan } = request;
  const isLate = epochMs(returnAt) > epochMs(dueAt);
  const isBeforePickUp = epochMs(returnAt) < epochMs(pickUpAt);
  const rerated = quote({ ...request, returnAt: isBeforePickUp ? pickUpAt : returnAt });
  if (isLate) return rerated.totalMinor > booked.totalMinor ? rerated : keepPrice(booked, rerated);
  if (plan.earlyReturn === 'keep') return keepPrice(booked, rerated);
  // Days that an extension priced by themselves are not re-rated by coming back as agreed.
  const isAsAgreed =
    (plan.extension ?? 'new-total') !== 'new-total' &&
    rerated.duration.chargedDays === booked.duration.chargedDays;
  return isAsAgreed || rerated.totalMinor > booked.totalMinor
    ? keepPrice(booked, rerated)
    : rerated;
}

/** Rule 8: more than so early, more than so late, or elsewhere. */
function withReturnFees(
  priced: Quote,
  {
    plan,
    returnAt,
    dueAt,
    isElsewhere,
  }: QuoteRequest & {
    readonly dueAt: string;
    readonly isElsewhere: boolean;
  },
): Quote {
  const { returnChange, lateReturn } = plan;
  const lateMinutes = (epochMs(returnAt) - epochMs(dueAt)) / MINUTE_MS;
  const fees: PriceLine[] = [];
  if (returnChange !== undefined) {
    const { feeMinor: unitMinor, earlierMinutes, laterMinutes } = returnChange;
    const isChanged = -lateMinutes > earlierMinutes || lateMinutes > laterMinutes || isElsewhere;
    const basis = { minutesLate: Math.trunc(lateMinutes) };
    const draft = { code: 'fee.return-change', quantity: 1, unit: 'rental', unitMinor } as const;
    if (isChanged) fees.push(lineOf(plan, { ...draft, basis }, returnChange));
  }
  if (lateReturn !== undefined && lateMinutes > lateReturn.afterMinutes) {
    const { dailyMinor: unitMinor, maxDays } = lateReturn;
    const quantity = Math.min(maxDays, Math.ceil(lateMinutes / 1_440));
    const draft = { code: 'fee.late-return', quantity, unit: 'day', unitMinor } as const;
    const basis = { minutesLate: Math.trunc(lateMinutes), maxDays };
    fees.push(lineOf(plan, { ...draft, basis }, lateReturn));
  }
  if (fees.length === 0) return priced;
  return resettled(priced, [...priced.lines.map(asPriced), ...fees], plan);
}

/** The amounts stay, the day counts are those of the time that is priced. */
function keepPrice(booked: Quote, { duration }: Quote): Quote {
  return { ...booked, duration };
}

/** The fees that a quote has, to be charged again when its time is re-rated. */
export function feesOf({ lines }: Pick<Quote, 'lines'>): readonly Fee[] {
  return lines.flatMap(({ code, netMinor }) => {
    const known = FEE_CODES.find((fee) => fee === code);
    return known === undefined ? [] : [{ code: known, netMinor }];
  });
}
