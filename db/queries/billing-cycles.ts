// Reads of what long rentals were billed while they were open.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';

/** Amounts in minor units of `currency`; instants ISO 8601 in UTC, dates of the legal entity. */
export type BilledCycle = {
  readonly cycle: number;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  /** Its last day. */
  readonly taxPoint: string;
  readonly currency: string;
  readonly netMinor: number;
  readonly totalMinor: number;
  /** Null where the cycle added nothing. */
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  /** Unpaid from then on, the rental is in arrears. */
  readonly payableBy: string | null;
  readonly openMinor: number;
};

export function billedCycles(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly BilledCycle[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<BilledCycle>`
      select cycle, service_from as "serviceFrom", service_to as "serviceTo",
        tax_point as "taxPoint", currency, total_minor as "totalMinor", invoice_id as "invoiceId",
        (select coalesce(sum((v->>'baseMinor')::bigint), 0)::bigint
          from jsonb_array_elements(vat) v) as "netMinor",
        invoice_number as "invoiceNumber", payable_by as "payableBy",
        coalesce(accounting.open_amount(invoice_id), 0) as "openMinor"
      from rentals.billed_cycle where rental_id = ${rentalId} order by cycle`.execute(tx);
    return rows;
  });
}
