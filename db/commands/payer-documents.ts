// The last documents of a rental by payer: one for each share, or one for all where none were set.
import { sql } from 'kysely';
import { documentsByPayer, type PayerDocument, type PayerShare } from '../../domain/payer-share.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { type IssuedInvoice, issueInvoice, type NewInvoice } from './accounting.ts';

type Charge = Omit<NewInvoice['quote'], 'currency'>;
type Line = Charge['lines'][number];

/** In the order of their positions; none where the rental's payer pays all. */
export async function payerSharesOf(tx: Tx, rentalId: string): Promise<readonly PayerShare[]> {
  const { rows } = await sql<PayerShare>`select payer_id as "payerId", kind, covers,
      percent_bp as "percentBp", voucher_net_minor as "voucherNetMinor",
      is_primary as "isPrimary"
    from rentals.payer_share s join rentals.payer_split p using (rental_id, version)
    where rental_id = ${rentalId} order by position`.execute(tx);
  return rows;
}

/** What the primary payer's document says: prepayments and deposits are that payer's. */
export async function primaryCharge(
  tx: Tx,
  rentalId: string,
  charge: Charge | null,
): Promise<Charge | null> {
  if (charge === null) return null;
  const shares = await payerSharesOf(tx, rentalId);
  if (shares.length === 0) return charge;
  return documentsOf(charge, shares).find(({ share }) => share.isPrimary) ?? null;
}

/** Whose document that is; where no shares were set, the rental's payer. */
export async function primaryPayer(
  tx: Tx,
  { id, payer_id, customer_id }: Pick<RentalRow, 'id' | 'payer_id' | 'customer_id'>,
): Promise<string> {
  const primary = (await payerSharesOf(tx, id)).find((share) => share.isPrimary);
  return primary?.payerId ?? payer_id ?? customer_id;
}

/**
 * Issues the invoices of all payers, each with a number of its own; the rental keeps the primary's, or
 * the first one's. Null where nobody owes anything, as after a discount of the whole price. Call it
 * last, as `issueInvoice`.
 */
export async function issueByPayer(tx: Tx, invoice: NewInvoice): Promise<IssuedInvoice | null> {
  const shares = await payerSharesOf(tx, invoice.rentalId);
  if (shares.length === 0) {
    return invoice.quote.totalMinor === 0 ? null : issueInvoice(tx, invoice);
  }
  const { currency } = invoice.quote;
  const issued: IssuedInvoice[] = [];
  for (const { share, ...amounts } of documentsOf(invoice.quote, shares)) {
    const { prepaid = [], ...rest } = invoice;
    issued.push(
      await issueInvoice(tx, {
        ...rest,
        key: share.isPrimary ? invoice.key : `${invoice.key}/${share.payerId}`,
        customerId: share.payerId,
        quote: { ...amounts, currency },
        prepaid: share.isPrimary ? prepaid : [],
      }),
    );
  }
  return issued[0] ?? null;
}

function documentsOf(
  { lines, netMinor, vat, vatMinor, totalMinor }: Charge,
  shares: readonly PayerShare[],
): readonly PayerDocument<Line>[] {
  return documentsByPayer({ lines, netMinor, vat, vatMinor, totalMinor }, shares);
}
