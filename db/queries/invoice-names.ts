// The names that an invoice's document shows beside its figures.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

const READER = 'system:documents';

/** Personal: it leaves the process as a document only. */
export type InvoiceNames = {
  readonly issuer: string;
  /** Of the legal entity. */
  readonly zone: string;
  readonly customer: string;
  readonly customerTaxId: string | null;
  readonly language: string;
  readonly rentalNumber: string | null;
};

/** For an invoice that the caller was shown. */
export function invoiceNames(db: Db, id: string): Promise<InvoiceNames | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<InvoiceNames>`select e.name as issuer, e.time_zone as zone,
        c.name as customer, c.tax_id as "customerTaxId", c.language, r.number as "rentalNumber"
      from accounting.invoice i
      join accounting.legal_entity e on e.id = i.entity_id
      join rentals.customer c on c.id = i.customer_id
      left join rentals.rental r on r.id = i.rental_id
      where i.id = ${id}`.execute(tx);
    return rows[0];
  });
}
