// The names that an invoice's document shows beside its figures, and where its bytes lie.
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
  /** Of a credit note, the invoice that it corrects (EN 16931 BT-25, BT-26). */
  readonly preceding: { readonly number: string; readonly issueDate: string } | null;
};

/** For an invoice that the caller was shown. */
export function invoiceNames(db: Db, id: string): Promise<InvoiceNames | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<InvoiceNames>`select e.name as issuer, e.time_zone as zone,
        c.name as customer, c.tax_id as "customerTaxId", c.language, r.number as "rentalNumber",
        (select jsonb_build_object('number', p.number, 'issueDate', p.issue_date)
          from accounting.invoice p where p.id = i.preceding_id) as preceding
      from accounting.invoice i
      join accounting.legal_entity e on e.id = i.entity_id
      join rentals.customer c on c.id = i.customer_id
      left join rentals.rental r on r.id = i.rental_id
      where i.id = ${id}`.execute(tx);
    return rows[0];
  });
}

export type InvoiceFile = { readonly language: 'en' | 'de'; readonly sha256: string };

/** In that language, else the one that was written first; undefined until it is written. */
export function invoiceFile(
  db: Db,
  id: string,
  language: InvoiceFile['language'] | undefined,
): Promise<InvoiceFile | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<InvoiceFile>`select language, sha256 from rentals.invoice_file
      where invoice_id = ${id} and language = coalesce(${language ?? null}::text, language)
      order by written_at, language limit 1`.execute(tx);
    return rows[0];
  });
}
