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
  /** From the issue date of its documents on; left out, by the payer's own terms. */
  readonly paymentDays?: number | null | undefined;
  /** Has what nobody else pays. */
  readonly isPrimary: boolean;
};

type Line = { readonly code: string; readonly netMinor: Minor; readonly vatRateBp: number };

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
 * sum to the whole; a voucher is charged at its own net rate, and nobody else sees it. None for a whole
 * of nothing.
 */
export function documentsByPayer<L extends Line & { readonly quantity: number }>(
  whole: Amounts<L>,
  shares: readonly PayerShare[],
): readonly PayerDocument<L>[] {
  const drafts: Drafts<L> = shares.map((share) => ({
    share,
    lines: whole.lines.flatMap((line) => partOf(line, share, shares)),
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

function partOf<L extends Line & { readonly quantity: number }>(
  line: L,
  share: PayerShare,
  shares: readonly PayerShare[],
): readonly L[] {
  const owner = shares.find((one) => one.covers.some((code) => covers(code, line.code)));
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
