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
  /** Of the documents that the caller sees: a customer sees no other payer's. */
  readonly netMinor: number;
  readonly totalMinor: number;
  /** The primary payer's, or the first one; null where the cycle added nothing. */
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  /** Unpaid from then on, the rental is in arrears. */
  readonly payableBy: string | null;
  readonly openMinor: number;
  readonly documents: readonly CycleDocument[];
};

export type CycleDocument = {
  readonly payerId: string;
  readonly netMinor: number;
  readonly totalMinor: number;
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly payableBy: string;
  readonly openMinor: number;
};

type Row = Pick<
  BilledCycle,
  'cycle' | 'serviceFrom' | 'serviceTo' | 'taxPoint' | 'currency' | 'documents'
>;

export function billedCycles(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly BilledCycle[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Row>`
      select b.cycle, b.service_from as "serviceFrom", b.service_to as "serviceTo",
        b.tax_point as "taxPoint", b.currency,
        coalesce(jsonb_agg(jsonb_build_object('payerId', d.payer_id, 'totalMinor', d.total_minor,
            'netMinor', (select sum((v->>'baseMinor')::bigint)::bigint
              from jsonb_array_elements(d.vat) v),
            'invoiceId', d.invoice_id, 'invoiceNumber', d.invoice_number,
            'payableBy', to_jsonb(d.payable_by),
            'openMinor', accounting.open_amount(d.invoice_id)) order by d.invoice_id)
          filter (where d.payer_id is not null), '[]') as documents
      from rentals.billed_cycle b left join rentals.cycle_document d using (rental_id, cycle)
      where b.rental_id = ${rentalId} group by b.rental_id, b.cycle order by b.cycle`.execute(tx);
    return rows.map(summed);
  });
}

function summed({ documents: told, ...cycle }: Row): BilledCycle {
  const documents = told.map((one) => ({
    ...one,
    payableBy: new Date(one.payableBy).toISOString(),
  }));
  const sum = (of: (one: CycleDocument) => number) =>
    documents.reduce((total, one) => total + of(one), 0);
  const [first] = documents;
  return {
    ...cycle,
    netMinor: sum((one) => one.netMinor),
    totalMinor: sum((one) => one.totalMinor),
    invoiceId: first?.invoiceId ?? null,
    invoiceNumber: first?.invoiceNumber ?? null,
    payableBy: documents.map(({ payableBy }) => payableBy).toSorted()[0] ?? null,
    openMinor: sum((one) => one.openMinor),
    documents,
  };
}
