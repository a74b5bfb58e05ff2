// Split payers: each pays whole lines or a share of the rest, and gets a document of its own.
import { addMinor, type Minor, multiplyRatio } from './money.ts';
import type { TaxShare } from './prepayment.ts';

export const PAYER_KINDS = ['renter', 'insurer', 'corporate', 'voucher'] as const;
export type PayerKind = (typeof PAYER_KINDS)[number];

export type PayerShare = {
  readonly payerId: string;
  readonly kind: PayerKind;
  /** Codes of lines, or their first part: `time`, `coverage.cdw`. */
  readonly covers: readonly string[];
  /** Of what is not assigned whole, in hundredths of a per cent. */
  readonly percentBp: number;
  /** Of a broker's voucher: what is invoiced instead of its lines, net. */
  readonly voucherNetMinor: Minor | null;
  /** What a voucher covers at most, net at the public price; without it, its lines whatever they cost. */
  readonly coveredMinor?: Minor | null | undefined;
  /** From the issue date of its documents on; left out, by the payer's own terms. */
  readonly paymentDays?: number | null | undefined;
  /** Has what nobody else pays. */
  readonly isPrimary: boolean;
};

type Line = { readonly code: string; readonly netMinor: Minor; readonly vatRateBp: number };
type Counted = Line & { readonly quantity: number; readonly grossMinor?: Minor };

/** A document's amounts in minor units. */
export type Amounts<L> = {
  readonly lines: readonly L[];
  readonly netMinor: Minor;
  readonly vat: readonly TaxShare[];
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
};

export type PayerDocument<L> = Amounts<L> & { readonly share: PayerShare };

type Drafts<L> = readonly { readonly share: PayerShare; readonly lines: readonly L[] }[];

const WHOLE_BP = 10_000;

/**
 * One document for each payer with something to pay (decisions.md 28, 43): whole lines first, then
 * shares of the other lines, remainders to the primary payer. Without a voucher net amounts and VAT
 * sum to the whole; a voucher is charged at its own net rate, and nobody else sees it: what its lines
 * cost beyond what it covers is for the others. None for a whole of nothing.
 */
export function documentsByPayer<L extends Counted>(
  whole: Amounts<L>,
  shares: readonly PayerShare[],
): readonly PayerDocument<L>[] {
  const all = beyondVouchers(whole.lines, shares);
  const drafts: Drafts<L> = shares.map((share) => ({
    share,
    lines: all.flatMap((line) => partOf(line, share, shares)),
  }));
  const isVoucher = ({ share }: Drafts<L>[number]) => share.kind === 'voucher';
  const ordinary = payable(drafts.filter((draft) => !isVoucher(draft)));
  const vouchers = drafts.filter(isVoucher).map(({ share, lines }) => ({
    share,
    lines: voucherLines(share, lines),
  }));
  const taxes = taxesOf(ordinary, whole.vat);
  return [
    ...ordinary.map((draft, index) => documentOf(draft, taxes[index] ?? [])),
    ...vouchers.map((draft) => documentOf(draft, taxOf(draft.lines))),
  ]
    .filter(({ lines }) => lines.length > 0)
    .toSorted((a, b) => Number(b.share.isPrimary) - Number(a.share.isPrimary));
}

/**
 * What the lines of a voucher cost beyond what it covers, from the last one back, becomes lines of
 * their own, `beyond.time`, at the same rate: no voucher reaches those.
 */
export function beyondVouchers<L extends Counted>(
  lines: readonly L[],
  shares: readonly PayerShare[],
): readonly L[] {
  return shares.reduce((all, share) => beyondVoucher(all, share, shares), lines);
}

function beyondVoucher<L extends Counted>(
  lines: readonly L[],
  share: PayerShare,
  shares: readonly PayerShare[],
): readonly L[] {
  const { kind, coveredMinor = null } = share;
  if (kind !== 'voucher' || coveredMinor === null) return lines;
  const isOwn = (line: L) => ownerOf(line, shares) === share;
  let beyond = coveredBy(lines, share, shares) - coveredMinor;
  // Net amounts out of gross ones move by a unit each with whatever else is booked.
  const rounding = lines.filter((line) => isOwn(line) && line.grossMinor !== undefined).length;
  if (beyond <= rounding) return lines;
  const fromLast = lines.toReversed().flatMap((line) => {
    const netMinor = isOwn(line) ? Math.min(beyond, line.netMinor) : 0;
    if (netMinor <= 0) return [line];
    beyond -= netMinor;
    const code = `beyond.${line.code.split('.')[0]}`;
    if (netMinor === line.netMinor) return [{ ...line, code }];
    const [kept, over] = cut(line, netMinor);
    return [{ ...over, code }, kept];
  });
  return fromLast.toReversed();
}

/** The net of the lines that a share has whole. */
export function coveredBy(
  lines: readonly Line[],
  share: PayerShare,
  shares: readonly PayerShare[],
): Minor {
  const own = lines.filter((line) => ownerOf(line, shares) === share);
  return addMinor(...own.map(({ netMinor }) => netMinor));
}

/** Who has a line whole; undefined where it is shared. */
export function ownerOf({ code }: Pick<Line, 'code'>, shares: readonly PayerShare[]) {
  return shares.find((share) => share.covers.some((one) => covers(one, code)));
}

/** The rest, and `netMinor` of it; gross amounts in proportion. */
function cut<L extends Counted>(line: L, netMinor: Minor): readonly [L, L] {
  const grossMinor =
    line.grossMinor === undefined
      ? undefined
      : multiplyRatio(line.grossMinor, netMinor, line.netMinor);
  const rest = grossMinor === undefined ? undefined : addMinor(line.grossMinor ?? 0, -grossMinor);
  return [piece(line, line.netMinor - netMinor, rest), piece(line, netMinor, grossMinor)];
}

function piece<L extends Counted>(line: L, netMinor: Minor, grossMinor: Minor | undefined): L {
  const gross = grossMinor === undefined ? {} : { grossMinor };
  return { ...line, quantity: 1, unitMinor: grossMinor ?? netMinor, netMinor, ...gross };
}

function partOf<L extends Counted>(
  line: L,
  share: PayerShare,
  shares: readonly PayerShare[],
): readonly L[] {
  const owner = ownerOf(line, shares);
  if (owner !== undefined) return owner === share ? [line] : [];
  // Towards zero, so that the primary payer's rest has the sign of the line.
  const own = (one: PayerShare) => Math.trunc((line.netMinor * one.percentBp) / WHOLE_BP);
  const netMinor = share.isPrimary ? line.netMinor - addMinor(...shares.map(own)) : own(share);
  if (netMinor === 0) return [];
  if (netMinor === line.netMinor) return [line];
  return [{ ...line, quantity: 1, unitMinor: netMinor, netMinor }];
}

/**
 * Nobody gets a document of nothing, or below it: the primary payer has its lines, and whoever pays
 * most has the primary's. Before VAT is distributed, so that documents still sum to the whole.
 */
function payable<L extends Line>(drafts: Drafts<L>): Drafts<L> {
  const isEmpty = ({ lines }: Drafts<L>[number]) => taxOf(lines).every((tax) => !tax.baseMinor);
  const short = drafts.filter(({ lines }) => lines.length > 0 && grossOf(lines) <= 0);
  const from = short.find(({ share }) => !share.isPrimary) ?? short[0];
  if (from === undefined) return drafts;
  const others = drafts.filter((draft) => draft !== from);
  const [most] = others.toSorted((a, b) => grossOf(b.lines) - grossOf(a.lines));
  const primary = others.find(({ share }) => share.isPrimary);
  const to = primary ?? (isEmpty(from) || most?.lines.length === 0 ? undefined : most);
  return payable(
    others.map((draft) =>
      draft === to ? { ...draft, lines: [...draft.lines, ...from.lines] } : draft,
    ),
  );
}

function grossOf(lines: readonly Line[]): Minor {
  return addMinor(...taxOf(lines).flatMap((tax) => [tax.baseMinor, tax.vatMinor]));
}

/** Discounts are of time, and go with it. */
export function covers(code: string, lineCode: string): boolean {
  if (code === 'time' && lineCode.startsWith('discount.')) return true;
  return lineCode === code || lineCode.startsWith(`${code}.`);
}

/** One line, so that the document tells nothing of the renter's prices. */
function voucherLines<L extends Line>(share: PayerShare, lines: readonly L[]): readonly L[] {
  const [first] = lines;
  if (first === undefined) return [];
  const netMinor = share.voucherNetMinor ?? 0;
  return [{ ...first, code: 'voucher', quantity: 1, unitMinor: netMinor, netMinor }];
}

function taxOf(lines: readonly Line[]): readonly TaxShare[] {
  return [...new Set(lines.map((line) => line.vatRateBp))].map((rateBp) => {
    const baseMinor = baseAt(lines, rateBp);
    return { rateBp, baseMinor, vatMinor: multiplyRatio(baseMinor, rateBp, WHOLE_BP) };
  });
}

function baseAt(lines: readonly Line[], rateBp: number): Minor {
  return addMinor(...lines.filter((one) => one.vatRateBp === rateBp).map((one) => one.netMinor));
}

/**
 * VAT of each document on its own sum, with the units by which they miss the whole's VAT given to
 * those that were rounded furthest the other way: none is off by more than one unit.
 */
function taxesOf<L extends Line>(
  drafts: Drafts<L>,
  whole: readonly TaxShare[],
): readonly (readonly TaxShare[])[] {
  const own = drafts.map(({ lines }) => taxOf(lines).map((tax) => ({ ...tax })));
  for (const { rateBp, baseMinor, vatMinor } of whole) {
    const ofRate = own.flatMap((taxes) => taxes.filter((tax) => tax.rateBp === rateBp));
    // Lines that a voucher replaced took their VAT along.
    if (addMinor(...ofRate.map((tax) => tax.baseMinor)) !== baseMinor) continue;
    const missing = vatMinor - addMinor(...ofRate.map((tax) => tax.vatMinor));
    const step = Math.sign(missing);
    const lost = (tax: TaxShare) => step * (tax.baseMinor * rateBp - tax.vatMinor * WHOLE_BP);
    const furthest = ofRate.toSorted((a, b) => lost(b) - lost(a));
    for (const tax of furthest.slice(0, Math.abs(missing))) tax.vatMinor += step;
  }
  return own;
}

function documentOf<L extends Line>(
  { share, lines }: Drafts<L>[number],
  vat: readonly TaxShare[],
): PayerDocument<L> {
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const vatMinor = addMinor(...vat.map((tax) => tax.vatMinor));
  return { share, lines, netMinor, vat, vatMinor, totalMinor: addMinor(netMinor, vatMinor) };
}
