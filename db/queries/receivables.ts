// Reads of what customers owe: open documents, their age, and the payments that settled them.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { PAYMENT_COLUMNS, type Payment } from '../payment-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

/** Amounts in minor units of `currency`; the issue date is the legal entity's local one. */
export type OpenInvoice = {
  readonly invoiceId: string;
  readonly number: string;
  readonly entityId: string;
  readonly branchId: string | null;
  readonly customerId: string;
  readonly rentalId: string | null;
  readonly currency: string;
  readonly issueDate: string;
  /** The last day to pay it. */
  readonly payableBy: string;
  /** What it made the customer owe, and what of that is settled and open. */
  readonly dueMinor: number;
  readonly settledMinor: number;
  readonly openMinor: number;
  /** Whole days since it was to be paid, by the entity's clock; below zero before. */
  readonly days: number;
};

type ReceivablesFilter = {
  readonly entityId?: string | undefined;
  readonly branchId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly overdue?: boolean | undefined;
};

const DAYS = sql`((now() at time zone e.time_zone)::date - o.payable_by)`;

function matching(filter: ReceivablesFilter) {
  return [
    filter.entityId && sql`o.entity_id = ${filter.entityId}`,
    filter.branchId && sql`o.branch_id = ${filter.branchId}`,
    filter.customerId && sql`o.customer_id = ${filter.customerId}`,
    filter.overdue !== undefined && sql`(${DAYS} > 0) = ${filter.overdue}`,
    sql`o.settled_minor < o.due_minor`,
  ].filter((condition) => typeof condition === 'object');
}

export function listOpenInvoices(
  db: Db,
  acting: Acting,
  filter: ReceivablesFilter & PageRequest,
): Promise<Page<OpenInvoice>> {
  const conditions = matching(filter);
  if (filter.after !== undefined) conditions.push(sql`o.invoice_id > ${filter.after}`);
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<OpenInvoice>`select o.invoice_id as "invoiceId", i.number,
        o.entity_id as "entityId", o.branch_id as "branchId", o.customer_id as "customerId",
        o.rental_id as "rentalId", o.currency, o.issue_date as "issueDate",
        o.payable_by as "payableBy",
        o.due_minor as "dueMinor", o.settled_minor as "settledMinor",
        o.due_minor - o.settled_minor as "openMinor", ${DAYS} as days
      from accounting.open_item o join accounting.invoice i on i.id = o.invoice_id
        join accounting.legal_entity e on e.id = o.entity_id
      where ${sql.join(conditions, sql` and `)}
      order by o.invoice_id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

/** A customer's open amounts by the days since each was to be paid; `onAccountMinor` nets none of them. */
export type Ageing = {
  readonly entityId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly openMinor: number;
  readonly notDueMinor: number;
  readonly to30Minor: number;
  readonly to60Minor: number;
  readonly to90Minor: number;
  readonly over90Minor: number;
  readonly onAccountMinor: number;
};

/** `after` is the customer's id; those of several entities come together. */
export function ageing(
  db: Db,
  acting: Acting,
  filter: ReceivablesFilter & PageRequest,
): Promise<Page<Ageing>> {
  const conditions = matching(filter);
  if (filter.after !== undefined) conditions.push(sql`o.customer_id > ${filter.after}`);
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Ageing>`
      select a."entityId", a."customerId", a.currency, sum(a.open)::bigint as "openMinor",
        coalesce(sum(a.open) filter (where a.days < 0), 0)::bigint as "notDueMinor",
        coalesce(sum(a.open) filter (where a.days between 0 and 30), 0)::bigint as "to30Minor",
        coalesce(sum(a.open) filter (where a.days between 31 and 60), 0)::bigint as "to60Minor",
        coalesce(sum(a.open) filter (where a.days between 61 and 90), 0)::bigint as "to90Minor",
        coalesce(sum(a.open) filter (where a.days > 90), 0)::bigint as "over90Minor",
        coalesce((select m.amount_minor from accounting.money_on_account m
          where m.entity_id = a."entityId" and m.customer_id = a."customerId"), 0)
          as "onAccountMinor"
      from (select o.entity_id as "entityId", o.customer_id as "customerId", o.currency,
          o.due_minor - o.settled_minor as open, ${DAYS} as days
        from accounting.open_item o join accounting.legal_entity e on e.id = o.entity_id
        where ${sql.join(conditions, sql` and `)}) a
      group by 1, 2, 3 order by 2, 1 limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

export type PaymentFilter = PageRequest & {
  readonly invoiceId?: string | undefined;
  readonly rentalId?: string | undefined;
  readonly customerId?: string | undefined;
};

export function listPayments(
  db: Db,
  acting: Acting,
  filter: PaymentFilter,
): Promise<Page<Payment>> {
  const conditions = [
    filter.invoiceId && sql`invoice_id = ${filter.invoiceId}`,
    filter.rentalId && sql`rental_id = ${filter.rentalId}`,
    filter.customerId && sql`customer_id = ${filter.customerId}`,
    filter.after && sql`id > ${filter.after}`,
    sql`true`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Payment>`select ${PAYMENT_COLUMNS} from accounting.payment
      where ${sql.join(conditions, sql` and `)} order by id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}
