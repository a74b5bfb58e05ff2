// Cycles of split payers: what each payer's documents still are to charge of a price, or give back.
import { addMinor, allocate, type Minor } from './money.ts';
import { ownerOf, type PayerShare } from './payer-share.ts';
import { asPriced, inOrder, lineOf, type PriceLine, type PriceLineCode } from './pricing/line.ts';
import { type Settled, settled } from './pricing/vat.ts';
import type { RatePlan } from './rate-plan.ts';

/** In the price basis of the plan: gross where its prices include VAT. */
export type CycleLine = {
  readonly code: string;
  readonly vatRateBp: number;
  readonly amountMinor: Minor;
};

export type PayerLine = CycleLine & { readonly payerId: string };

type Group = {
  readonly code: string;
  readonly vatRateBp: number;
  readonly priceMinor: Minor;
  readonly billed: readonly PayerLine[];
};

type Parts = readonly { readonly payerId: string; readonly minor: Minor }[];

const WHOLE_BP = 10_000;

/**
 * What was billed stays its payer's; only what the price changed since is split, by the shares of now
 * (decisions.md 28). With `billed`, all lines sum to the price, whatever payers and rates were before;
 * a rate's sum of one payer is below zero where its documents charge too much. What a voucher covers
 * is left out: it has one document of its own.
 */
export function restsByPayer(
  price: readonly CycleLine[],
  billed: readonly PayerLine[],
  shares: readonly PayerShare[],
): readonly PayerLine[] {
  const rests = groupsOf(price, billed).flatMap((group) => restsOf(group, shares));
  return coveredByOthers(rests, billed);
}

/** Time is one, with its discounts: weeks take the place of days from one cycle to the next. */
export function cycleCode(code: string): string {
  return /^(time|discount)(\.|$)/.test(code) ? 'time' : code;
}

/** One for each code and rate. */
function groupsOf(price: readonly CycleLine[], billed: readonly PayerLine[]): readonly Group[] {
  const codes = new Set([...price, ...billed].map((line) => cycleCode(line.code)));
  return [...codes].flatMap((code) => {
    const own = price.filter((line) => cycleCode(line.code) === code);
    const before = billed.filter((line) => cycleCode(line.code) === code);
    const rates = [...new Set(own.map((line) => line.vatRateBp))];
    const [first = before.at(-1)?.vatRateBp ?? 0] = rates;
    // Billed at a rate that is none of them now: it counts with the first.
    const rateOf = (line: PayerLine) => (rates.includes(line.vatRateBp) ? line.vatRateBp : first);
    return (rates.length === 0 ? [first] : rates).map((vatRateBp) => ({
      code,
      vatRateBp,
      priceMinor: sumOf(own.filter((line) => line.vatRateBp === vatRateBp)),
      billed: before.filter((line) => rateOf(line) === vatRateBp),
    }));
  });
}

function restsOf(group: Group, shares: readonly PayerShare[]): readonly PayerLine[] {
  const { code, vatRateBp, priceMinor, billed } = group;
  const change = priceMinor - sumOf(billed);
  const back = givenBack(billed, change);
  const rest = change - addMinor(...back.map(({ minor }) => minor));
  const parts = [...back, ...splitOf(rest, code, shares)];
  const others = billed.filter((line) => line.vatRateBp !== vatRateBp);
  // Another rate than before: the whole is taken back at the old one and charged at the new one.
  const moved = others.flatMap((line) => [
    { ...line, amountMinor: -line.amountMinor },
    { ...line, vatRateBp },
  ]);
  const lines = parts.map(({ payerId, minor }) => ({
    ...{ payerId, code, vatRateBp, amountMinor: minor },
  }));
  return summed([...lines, ...moved.map((line) => ({ ...line, code }))]);
}

/** To those who were charged, in proportion, and no more than they were; as what they were given. */
function givenBack(billed: readonly PayerLine[], change: Minor): Parts {
  const payers = [...new Set(billed.map(({ payerId }) => payerId))];
  const sign = Math.sign(change);
  const had = payers.map((payerId) => Math.max(0, -sign * sumOf(ofPayer(billed, payerId))));
  const most = addMinor(...had);
  if (most === 0) return [];
  const minors = allocate(sign * Math.min(Math.abs(change), most), had);
  return payers.map((payerId, index) => ({ payerId, minor: minors[index] ?? 0 }));
}

/** Towards zero, so that the primary payer's rest has the sign of the whole. */
function splitOf(minor: Minor, code: string, shares: readonly PayerShare[]): Parts {
  const owner = ownerOf({ code }, shares);
  if (owner?.kind === 'voucher') return [];
  if (owner !== undefined) return [{ payerId: owner.payerId, minor }];
  const parts = shares
    .filter((share) => !share.isPrimary && share.percentBp > 0)
    .map((share) => ({
      payerId: share.payerId,
      minor: Math.trunc((minor * share.percentBp) / WHOLE_BP),
    }));
  const primary = shares.find(({ isPrimary }) => isPrimary);
  if (primary === undefined) return parts;
  const rest = minor - addMinor(...parts.map((part) => part.minor));
  return [...parts, { payerId: primary.payerId, minor: rest }];
}

/**
 * Nobody is given back more than he ever was charged, as for a lower class than the one that another
 * pays: what is beyond that lowers, at its rate, what the others are charged in all.
 */
function coveredByOthers(
  rests: readonly PayerLine[],
  billed: readonly PayerLine[],
): readonly PayerLine[] {
  const all = [...billed, ...rests];
  const places = [...new Map(all.map((line) => [keyOf(line), line])).values()];
  const minorOf = (place: Place) => sumOf(all.filter((line) => isAt(line, place)));
  const shifts = places.flatMap((short) => {
    const beyond = -minorOf(short);
    const others = places.filter((one) => one.vatRateBp === short.vatRateBp && minorOf(one) > 0);
    const [least] = rests
      .filter((line) => isAt(line, short))
      .toSorted((a, b) => a.amountMinor - b.amountMinor);
    if (beyond <= 0 || others.length === 0 || least === undefined) return [];
    const parts = allocate(-beyond, others.map(minorOf));
    return [
      { ...least, amountMinor: beyond },
      ...others.map(({ payerId }, n) => ({ ...least, payerId, amountMinor: parts[n] ?? 0 })),
    ];
  });
  return shifts.length === 0 ? rests : coveredByOthers(summed([...rests, ...shifts]), billed);
}

type Place = Pick<PayerLine, 'payerId' | 'vatRateBp'>;

function isAt(line: PayerLine, place: Place): boolean {
  return line.payerId === place.payerId && line.vatRateBp === place.vatRateBp;
}

function keyOf({ payerId, vatRateBp }: Place): string {
  return `${payerId}/${vatRateBp}`;
}

function ofPayer(lines: readonly PayerLine[], payerId: string): readonly PayerLine[] {
  return lines.filter((line) => line.payerId === payerId);
}

function sumOf(lines: readonly CycleLine[]): Minor {
  return addMinor(...lines.map(({ amountMinor }) => amountMinor));
}

/** One line for each payer, code and rate; none of nothing. */
function summed(lines: readonly PayerLine[]): readonly PayerLine[] {
  const sums = new Map<string, PayerLine>();
  for (const line of lines) {
    const key = `${keyOf(line)}/${line.code}`;
    const amountMinor = (sums.get(key)?.amountMinor ?? 0) + line.amountMinor;
    sums.set(key, { ...line, amountMinor });
  }
  return [...sums.values()].filter(({ amountMinor }) => amountMinor !== 0);
}

export type PayerRest = {
  readonly payerId: string;
  /** What the next document charges, and its lines in the basis of the plan; null for nothing. */
  readonly charge: Settled | null;
  readonly lines: readonly CycleLine[];
  /** Below zero: what documents charge too much at their rates; null for nothing. */
  readonly credit: Settled | null;
};

/** Taxed as the one document that each payer gets. */
export function documentsOfRests(
  rests: readonly PayerLine[],
  plan: RatePlan,
): readonly PayerRest[] {
  return [...new Set(rests.map(({ payerId }) => payerId))].map((payerId) => {
    const own = ofPayer(rests, payerId);
    const signOf = (line: PayerLine) => Math.sign(sumOf(own.filter((one) => isAt(one, line))));
    const part = (sign: 1 | -1) => own.filter((line) => signOf(line) === sign);
    const lines = part(1).map(({ payerId: _, ...line }) => line);
    return { payerId, lines, charge: taxed(lines, plan), credit: taxed(part(-1), plan) };
  });
}

/** A price as it is told in the basis of its plan. */
export function cycleLines(price: readonly PriceLine[]): readonly CycleLine[] {
  return price.map(asPriced).map(({ code, vatRateBp, netMinor }) => ({
    ...{ code, vatRateBp, amountMinor: netMinor },
  }));
}

/** Who pays all of it. */
export function solePayer(payerId: string): PayerShare {
  const none = { covers: [], percentBp: 0, voucherNetMinor: null } as const;
  return { ...none, payerId, kind: 'renter', isPrimary: true };
}

function taxed(lines: readonly CycleLine[], plan: RatePlan): Settled | null {
  if (lines.length === 0) return null;
  const priced = lines.map(({ code, vatRateBp, amountMinor: unitMinor }) => {
    const draft = { quantity: 1, unit: 'rental', unitMinor, basis: {} } as const;
    return lineOf(plan, { ...draft, code: code as PriceLineCode }, { vatRateBp });
  });
  return settled(inOrder(priced), plan);
}
