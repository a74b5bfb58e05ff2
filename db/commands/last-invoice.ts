// What a rental's last documents charge, after those of its cycles, and what they give back.
import { sql } from 'kysely';
import type { Creditable, CreditedLine } from '../../domain/credit-note.ts';
import type { PayerRest } from '../../domain/payer-cycles.ts';
import { documentsByPayer } from '../../domain/payer-share.ts';
import type { Settled } from '../../domain/pricing/vat.ts';
import { type Quote, unbilled } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { issueInvoice, type NewInvoice } from './accounting.ts';
import { asked } from './calendar.ts';
import { issueCreditNote } from './credit-notes.ts';
import { type Billed, billedSoFar, type Unbilled, unbilledOf } from './cycle-documents.ts';
import { issueByPayer } from './payer-documents.ts';
import { deductionFor } from './prepayments.ts';

export type LastDocument = {
  /** Null when earlier documents charge all of it. */
  readonly charge: Settled | null;
  /** Below zero, what they charge too much at its rates; null for nothing. */
  readonly credit: Settled | null;
  readonly billed: Billed;
  readonly price: Quote;
  /** Where cycles were billed and several pay: what is left for each. */
  readonly byPayer: Unbilled | null;
};

/** Of a rental that was not billed in cycles, the whole price. */
export async function lastDocument(
  tx: Tx,
  row: RentalRow,
  plan: RatePlan,
  price: Quote,
): Promise<LastDocument> {
  const billed = await billedSoFar(tx, row.id);
  const left = await unbilledOf(tx, row, { price, plan, billed });
  const byPayer = billed.cycles > 0 && left.shares.length > 0 ? left : null;
  return { ...unbilled(price, plan, billed.shares), billed, price, byPayer };
}

/**
 * Gives back what the cycles' invoices charge too much, to each payer what that one's do, the newest
 * first, never more than is left of them: what a person credited before was given back already. Call
 * it last, as `issueCreditNote`.
 */
export async function creditCycles(
  tx: Tx,
  row: RentalRow,
  at: string,
  { credit, billed, byPayer }: LastDocument,
): Promise<void> {
  if (byPayer === null) return creditFrom(tx, row, { at, credit, documents: billed.documents });
  for (const { payerId, credit: own } of byPayer.rests) {
    const documents = billed.documents.filter((one) => one.payerId === payerId);
    await creditFrom(tx, row, { at, credit: own, documents });
  }
}

type Credited = {
  readonly at: string;
  readonly credit: Settled | null;
  readonly documents: Billed['documents'];
};

async function creditFrom(
  tx: Tx,
  row: RentalRow,
  { at, credit, documents }: Credited,
): Promise<void> {
  const excess = new Map(credit?.vat.map(({ rateBp, baseMinor }) => [rateBp, -baseMinor]));
  for (const { invoiceId } of documents) {
    if ([...excess.values()].every((minor) => minor === 0)) return;
    const document = await asked<Creditable>(tx, sql`accounting.creditable(${invoiceId})`);
    const lines = [...excess].flatMap(([rateBp, minor]) => linesFor(document, rateBp, minor));
    if (lines.length === 0) continue;
    const key = `rental/${row.id}/final-credit/${invoiceId}`;
    await issueCreditNote(tx, { key, invoiceId, at, source: 'rental.final-credit', lines });
    for (const { lineNo, netMinor } of lines) {
      const rateBp = document.lines.find((line) => line.lineNo === lineNo)?.vatRateBp ?? 0;
      excess.set(rateBp, (excess.get(rateBp) ?? 0) - netMinor);
    }
  }
}

type Last = Omit<NewInvoice, 'quote'> & { readonly currency: string };
type Issued = { readonly invoiceId: string; readonly number: string };

/**
 * The invoices of the rest; without one, the last of the cycles is the last document, and null is none
 * at all. Call it last, as `issueInvoice`. A vehicle dropped before its last cycle ended is served no
 * longer than that.
 */
export async function issueLast(
  tx: Tx,
  { charge, billed, price, byPayer }: LastDocument,
  { currency, ...invoice }: Last,
): Promise<Issued | null> {
  const { serviceFrom, serviceTo } = invoice;
  const [newest = null] = billed.documents;
  const [from = serviceFrom] = [billed.until ?? serviceFrom, serviceTo].toSorted();
  if (byPayer !== null) {
    const issued = await issueRests(tx, byPayer, { ...invoice, currency, serviceFrom: from });
    const vouchers = await issueVouchers(tx, price, byPayer, { ...invoice, currency });
    return issued ?? newest ?? vouchers;
  }
  if (charge === null) return newest;
  const quote = { ...charge, currency };
  return (await issueByPayer(tx, { ...invoice, serviceFrom: from, quote })) ?? newest;
}

/** To each payer what that one's documents do not charge yet, less what that one prepaid. */
async function issueRests(tx: Tx, { rests, shares }: Unbilled, last: Last): Promise<Issued | null> {
  const issued: Issued[] = [];
  for (const { payerId, charge } of rests) {
    if (charge === null || charge.totalMinor === 0) continue;
    const prepaid = await deductionFor(tx, last.rentalId, payerId, charge.vat);
    issued.push(await issueTo(tx, { payerId, charge, prepaid }, shares, last));
  }
  return issued[0] ?? null;
}

/** A voucher is invoiced when the vehicle is back, whatever cycles it covered (decisions.md 43). */
async function issueVouchers(
  tx: Tx,
  { lines, netMinor, vat, vatMinor, totalMinor }: Quote,
  { shares }: Unbilled,
  last: Last,
): Promise<Issued | null> {
  const issued: Issued[] = [];
  for (const { share, ...charge } of documentsByPayer(
    { lines, netMinor, vat, vatMinor, totalMinor },
    shares,
  )) {
    if (share.kind !== 'voucher') continue;
    // Whoever has it now may have paid otherwise before, and have a document of that too.
    const own = { ...last, key: `${last.key}/voucher` };
    issued.push(await issueTo(tx, { payerId: share.payerId, charge, prepaid: [] }, shares, own));
  }
  return issued[0] ?? null;
}

type Due = Pick<PayerRest, 'payerId'> & {
  readonly charge: Settled;
  readonly prepaid: NonNullable<NewInvoice['prepaid']>;
};

function issueTo(
  tx: Tx,
  { payerId, charge, prepaid }: Due,
  shares: Unbilled['shares'],
  { currency, ...last }: Last,
): Promise<Issued> {
  const share = shares.find((one) => one.payerId === payerId);
  return issueInvoice(tx, {
    ...last,
    key: share?.isPrimary ? last.key : `${last.key}/${payerId}`,
    customerId: payerId,
    paymentDays: share?.paymentDays,
    quote: { ...charge, currency },
    prepaid,
  });
}

/** Of one rate; its deductions of earlier documents stay as they are. */
function linesFor(document: Creditable, rateBp: number, minor: number): readonly CreditedLine[] {
  const left = document.taxes.find((tax) => tax.rateBp === rateBp)?.leftBaseMinor ?? 0;
  let rest = Math.min(minor, left);
  return document.lines.flatMap(({ lineNo, leftMinor, vatRateBp }) => {
    const netMinor = vatRateBp === rateBp ? Math.min(leftMinor, rest) : 0;
    if (netMinor <= 0) return [];
    rest -= netMinor;
    return [{ lineNo, netMinor }];
  });
}
