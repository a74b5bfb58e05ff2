// Reads of the ledger: invoices and a rental's entries, all from posted rows.
import { sql } from 'kysely';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

/** Reads act for nobody: what may be read is the role's to say. */
const READER = 'system:api';

export type Invoice = {
  readonly id: string;
  readonly number: string;
  readonly kind: number;
  readonly entityId: string;
  readonly branchId: string | null;
  readonly customerId: string;
  readonly rentalId: string | null;
  readonly entryId: string;
  readonly currency: string;
  /** Local date of the legal entity, `YYYY-MM-DD`; also the posting date. */
  readonly issueDate: string;
  /** The last day to pay it; null for what is no invoice, and was not told before it was kept. */
  readonly payableBy: string | null;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  readonly netMinor: number;
  readonly vatMinor: number;
  readonly totalMinor: number;
  /** Of a credit note, the invoice that it takes back. */
  readonly precedingId: string | null;
  /** Invoiced before by prepayment invoices, and so not to be paid again. */
  readonly prepaidMinor: number;
};

export type InvoiceLine = {
  readonly lineNo: number;
  readonly code: string;
  readonly descriptionKey: string;
  readonly quantity: number;
  readonly unitMinor: number;
  readonly netMinor: number;
  readonly vatRateBp: number;
};

export type InvoiceTax = {
  readonly rateBp: number;
  readonly baseMinor: number;
  readonly vatMinor: number;
};

export type InvoiceDocument = Invoice & {
  readonly lines: readonly InvoiceLine[];
  readonly vat: readonly InvoiceTax[];
  readonly creditNotes: readonly CreditNoteOf[];
} & Settlement;

/** What it made the customer owe, and how much of that is settled and open. */
export type Settlement = {
  readonly dueMinor: number;
  readonly settledMinor: number;
  readonly openMinor: number;
};

export type CreditNoteOf = Pick<Invoice, 'id' | 'number' | 'issueDate' | 'totalMinor'>;

const HEADER = sql`i.id, i.number, i.kind, i.entity_id as "entityId", i.branch_id as "branchId",
  i.customer_id as "customerId", i.rental_id as "rentalId", i.entry_id as "entryId", i.currency,
  i.issue_date as "issueDate", i.payable_by as "payableBy", i.service_from as "serviceFrom", i.service_to as "serviceTo",
  i.net_minor as "netMinor", i.vat_minor as "vatMinor", i.total_minor as "totalMinor",
  i.preceding_id as "precedingId",
  (i.prepaid_net_minor + i.prepaid_vat_minor)::bigint as "prepaidMinor"`;

export function invoiceById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<InvoiceDocument | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Invoice>`select ${HEADER} from accounting.invoice i
      where i.id = ${id}`.execute(tx);
    const invoice = rows[0];
    if (invoice === undefined) return undefined;
    const parts = { lines: await linesOf(tx, id), vat: await taxesOf(tx, id) };
    const settlement = await settlementOf(tx, id);
    return { ...invoice, ...parts, ...settlement, creditNotes: await creditNotesOf(tx, id) };
  });
}

async function settlementOf(tx: Tx, id: string): Promise<Settlement> {
  const { rows } = await sql<Settlement>`select due_minor as "dueMinor",
      settled_minor as "settledMinor", due_minor - settled_minor as "openMinor"
    from accounting.open_item where invoice_id = ${id}`.execute(tx);
  return rows[0] ?? { dueMinor: 0, settledMinor: 0, openMinor: 0 };
}

async function creditNotesOf(tx: Tx, invoiceId: string): Promise<readonly CreditNoteOf[]> {
  const { rows } = await sql<CreditNoteOf>`select id, number, issue_date as "issueDate",
      total_minor as "totalMinor"
    from accounting.invoice where preceding_id = ${invoiceId} order by id`.execute(tx);
  return rows;
}

async function linesOf(tx: Tx, invoiceId: string): Promise<readonly InvoiceLine[]> {
  const { rows } = await sql<InvoiceLine>`select line_no as "lineNo", code,
      description_key as "descriptionKey", quantity, unit_minor as "unitMinor",
      net_minor as "netMinor", vat_rate_bp as "vatRateBp"
    from accounting.invoice_line where invoice_id = ${invoiceId} order by line_no`.execute(tx);
  return rows;
}

async function taxesOf(tx: Tx, invoiceId: string): Promise<readonly InvoiceTax[]> {
  const { rows } = await sql<InvoiceTax>`select rate_bp as "rateBp", base_minor as "baseMinor",
      vat_minor as "vatMinor"
    from accounting.invoice_tax where invoice_id = ${invoiceId} order by rate_bp desc`.execute(tx);
  return rows;
}

export type InvoiceFilter = PageRequest & {
  readonly entityId?: string | undefined;
  readonly branchId?: string | undefined;
  readonly rentalId?: string | undefined;
  readonly customerId?: string | undefined;
  /** Issued on or after, and before: local dates of the entity. */
  readonly issuedFrom?: string | undefined;
  readonly issuedBefore?: string | undefined;
  /** Open past its last day to pay, or not. */
  readonly overdue?: boolean | undefined;
};

const OVERDUE = sql`exists (select from accounting.open_item o
  join accounting.legal_entity e on e.id = o.entity_id
  where o.invoice_id = i.id and o.settled_minor < o.due_minor
    and o.payable_by < (now() at time zone e.time_zone)::date)`;

/** Headers only, in the order in which they were asked for (that of their ids). */
export function listInvoices(
  db: Db,
  acting: Acting,
  filter: InvoiceFilter,
): Promise<Page<Invoice>> {
  const conditions = [
    filter.entityId && sql`i.entity_id = ${filter.entityId}`,
    filter.branchId && sql`i.branch_id = ${filter.branchId}`,
    filter.rentalId && sql`i.rental_id = ${filter.rentalId}`,
    filter.customerId && sql`i.customer_id = ${filter.customerId}`,
    filter.issuedFrom && sql`i.issue_date >= ${filter.issuedFrom}`,
    filter.issuedBefore && sql`i.issue_date < ${filter.issuedBefore}`,
    filter.overdue !== undefined && sql`${OVERDUE} = ${filter.overdue}`,
    filter.after && sql`i.id > ${filter.after}`,
    sql`true`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Invoice>`select ${HEADER} from accounting.invoice i
      where ${sql.join(conditions, sql` and `)}
      order by i.id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

/** A leg of a posted entry: debit above zero, credit below. */
export type EntryLine = {
  readonly account: string;
  readonly name: string;
  readonly currency: string;
  readonly amountMinor: number;
  readonly baseMinor: number;
};

export type Entry = {
  readonly id: string;
  readonly entityId: string;
  readonly month: string;
  readonly postingDate: string;
  readonly effectiveAt: string;
  readonly source: string;
  readonly reverses: string | null;
  readonly createdAt: string;
  readonly lines: readonly EntryLine[];
};

/** What a rental caused in the ledger, in the order of posting. */
export function entriesOfRental(db: Db, rentalId: string): Promise<readonly Entry[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<Entry>`select e.id, e.entity_id as "entityId", p.month,
        e.posting_date as "postingDate", e.effective_at as "effectiveAt", e.source, e.reverses,
        e.created_at as "createdAt",
        (select jsonb_agg(jsonb_build_object('account', a.code, 'name', a.name,
            'currency', l.currency, 'amountMinor', l.amount, 'baseMinor', l.base_amount)
            order by l.line_no)
          from accounting.line l join accounting.account a on a.id = l.account_id
          where l.entry_id = e.id) as lines
      from accounting.entry e join accounting.period p on p.id = e.period_id
      where e.rental_id = ${rentalId} order by e.id`.execute(tx);
    return rows;
  });
}
