// Prepayments of a rental that costs less than was paid for it: the excess goes back by credit notes.
import { sql } from 'kysely';
import type { Creditable } from '../../domain/credit-note.ts';
import type { PrepaidLeft } from '../../domain/prepayment.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { asked } from './calendar.ts';
import { issueCreditNote } from './credit-notes.ts';
import { primaryCharge, primaryPayer } from './payer-documents.ts';
import { deductionFor, prepaidLeft } from './prepayments.ts';

type Change = { readonly row: RentalRow; readonly commandId: string; readonly at: string };

/**
 * Gives back, to be refunded, what the payer's invoice of that price would not deduct; the newest prepayment first.
 * Call it last, as `issueInvoice`.
 */
export async function creditExcess(
  tx: Tx,
  { row, commandId, at }: Change,
  price: Quote,
): Promise<void> {
  const { id: rentalId } = row;
  const payerId = await primaryPayer(tx, row);
  const left = (await prepaidLeft(tx, rentalId)).filter((one) => one.customerId === payerId);
  if (left.length === 0) return;
  const primary = await primaryCharge(tx, rentalId, price);
  const deducted = await deductionFor(tx, rentalId, payerId, primary?.vat ?? []);
  for (const invoiceId of new Set(left.map(({ prepaymentId }) => prepaymentId))) {
    const over = left.flatMap((one) => {
      const netMinor = one.baseMinor - netOf(deducted, one);
      return one.prepaymentId === invoiceId && netMinor > 0
        ? [{ rateBp: one.rateBp, netMinor }]
        : [];
    });
    if (over.length === 0) continue;
    const document = await asked<Creditable>(tx, sql`accounting.creditable(${invoiceId})`);
    const lines = over.map(({ rateBp, netMinor }) => {
      const line = document.lines.find(({ vatRateBp }) => vatRateBp === rateBp);
      if (line === undefined) throw new Error(`Prepayment ${invoiceId} has no line at ${rateBp}.`);
      return { lineNo: line.lineNo, netMinor };
    });
    const key = `rental/${rentalId}/excess/${commandId}/${invoiceId}`;
    await issueCreditNote(tx, { key, invoiceId, at, source: 'rental.unused-prepayment', lines });
  }
}

function netOf(deducted: readonly PrepaidLeft[], { prepaymentId, rateBp }: PrepaidLeft): number {
  const own = deducted.filter((d) => d.prepaymentId === prepaymentId && d.rateBp === rateBp);
  return own.reduce((sum, { baseMinor }) => sum + baseMinor, 0);
}
