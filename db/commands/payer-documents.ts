// The last documents of a rental by payer: one for each share, or one for all where none were set.
import { sql } from 'kysely';
import { documentsByPayer, type PayerDocument, type PayerShare } from '../../domain/payer-share.ts';
import type { Payer } from '../../domain/payments/deposit.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { type IssuedInvoice, issueInvoice, type NewInvoice } from './accounting.ts';
import { securedBy } from './rental-money.ts';

type Charge = Omit<NewInvoice['quote'], 'currency'>;
type Line = Charge['lines'][number];

/** In the order of their positions; none where the rental's payer pays all. */
export async function payerSharesOf(tx: Tx, rentalId: string): Promise<readonly PayerShare[]> {
  const { rows } = await sql<PayerShare>`select payer_id as "payerId", kind, covers,
      percent_bp as "percentBp", voucher_net_minor as "voucherNetMinor",
      covered_minor as "coveredMinor", payment_days as "paymentDays", is_primary as "isPrimary"
    from rentals.payer_share s join rentals.payer_split p using (rental_id, version)
    where rental_id = ${rentalId} order by position`.execute(tx);
  return rows;
}

/** What the primary payer's document says: that payer is the one who prepays. */
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
 * Whose money is held as a security deposit, and so whose documents it pays: the renter's, as cash
 * always is, unless another payer's card was captured and none of the renter's.
 */
export async function depositorOf(
  tx: Tx,
  row: Pick<RentalRow, 'id' | 'payer_id' | 'customer_id'>,
): Promise<string> {
  const { rows } = await sql<{ payer: Payer }>`select payer from rentals.authorisation
    where rental_id = ${row.id} and purpose = 'deposit' and state = 'captured'
    order by created_at`.execute(tx);
  const [first] = rows;
  if (first === undefined || rows.some(({ payer }) => payer === 'renter')) return row.customer_id;
  const secured = await securedBy(tx, { rentalId: row.id, payer: first.payer });
  const primary = await primaryPayer(tx, row);
  return secured.includes(primary) ? primary : (secured[0] ?? row.customer_id);
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
        paymentDays: share.paymentDays,
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
