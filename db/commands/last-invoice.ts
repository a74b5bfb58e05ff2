// What a rental's last document charges, after the invoices of its cycles, and what it gives back.
import { sql } from 'kysely';
import type { Creditable, CreditedLine } from '../../domain/credit-note.ts';
import type { Settled } from '../../domain/pricing/vat.ts';
import { type Quote, unbilled } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import type { NewInvoice } from './accounting.ts';
import { type Billed, billedSoFar } from './billing-cycles.ts';
import { asked } from './calendar.ts';
import { issueCreditNote } from './credit-notes.ts';
import { issueByPayer } from './payer-documents.ts';

export type LastDocument = {
  /** Null when earlier documents charge all of it. */
  readonly charge: Settled | null;
  /** Below zero, what they charge too much at its rates; null for nothing. */
  readonly credit: Settled | null;
  readonly billed: Billed;
};

/** Of a rental that was not billed in cycles, the whole price. */
export async function lastDocument(
  tx: Tx,
  row: RentalRow,
  plan: RatePlan,
  price: Quote,
): Promise<LastDocument> {
  const billed = await billedSoFar(tx, row.id);
  return { ...unbilled(price, plan, billed.shares), billed };
}

/**
 * Gives back what the cycles' invoices charge too much, the newest first, never more than is left of
 * them: what a person credited before was given back already. Call it last, as `issueCreditNote`.
 */
export async function creditCycles(
  tx: Tx,
  row: RentalRow,
  at: string,
  { credit, billed }: LastDocument,
): Promise<void> {
  const excess = new Map(credit?.vat.map(({ rateBp, baseMinor }) => [rateBp, -baseMinor]));
  for (const { invoiceId } of billed.invoices) {
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

/**
 * The invoice of the rest; without one, the last of the cycles is the last document, and null is none
 * at all. Call it last, as `issueInvoice`. A vehicle dropped before its last cycle ended is served no
 * longer than that.
 */
export async function issueLast(
  tx: Tx,
  { charge, billed }: LastDocument,
  { currency, ...invoice }: Omit<NewInvoice, 'quote'> & { readonly currency: string },
): Promise<{ readonly invoiceId: string; readonly number: string } | null> {
  const { serviceFrom, serviceTo } = invoice;
  const [newest] = billed.invoices;
  if (charge === null) return newest ?? null;
  const [from = serviceFrom] = [billed.until ?? serviceFrom, serviceTo].toSorted();
  const quote = { ...charge, currency };
  return (await issueByPayer(tx, { ...invoice, serviceFrom: from, quote })) ?? newest ?? null;
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
