// The documents of invoices: the bytes that were first written of one, once a language.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import type { InvoiceFile } from '../queries/invoice-names.ts';
import { fileNamed, noteFileRemovals } from './file-removals.ts';

const WRITER = 'system:documents';

type Written = InvoiceFile & {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly sizeBytes: number;
  /** What stands in it of the customer. */
  readonly customer: string;
  readonly customerTaxId: string | null;
};

/**
 * The bytes lie in the object store already. Of two who write at once, the first one's counts.
 * Undefined, and nothing is kept, when the customer was erased or changed since it was read.
 */
export function keepInvoiceFile(db: Db, file: Written): Promise<InvoiceFile | undefined> {
  const { invoiceId, language, customerId, sha256, sizeBytes } = file;
  return transact(db, 'rentals_rw', WRITER, async (tx) => {
    // Whoever erases the customer waits, or has been waited for.
    const { rows: same } = await sql`select from rentals.customer
      where id = ${customerId} and name = ${file.customer}
        and tax_id is not distinct from ${file.customerTaxId}::text for share`.execute(tx);
    if (same.length === 0) {
      await noteFileRemovals(tx, [sha256]);
      return undefined;
    }
    await sql`insert into rentals.invoice_file
        (invoice_id, language, customer_id, sha256, size_bytes)
      values (${invoiceId}, ${language}, ${customerId}, ${sha256}, ${sizeBytes})
      on conflict do nothing`.execute(tx);
    const { rows } = await sql<InvoiceFile>`select language, sha256 from rentals.invoice_file
      where invoice_id = ${invoiceId} and language = ${language}`.execute(tx);
    if (rows[0]?.sha256 === sha256) await fileNamed(tx, sha256);
    return rows[0];
  });
}
