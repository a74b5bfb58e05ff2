// Money of rentals that no document took: deposits that are held, and payments beyond documents.
import { sql } from 'kysely';
import type { PayBack } from '../../domain/rental.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

/** Amounts in minor units of `currency`, by the legal entity's clock. */
export type HeldMoney = {
  readonly rentalId: string;
  readonly number: string;
  readonly status: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly customerId: string;
  readonly currency: string;
  /** As security deposits, in money: no hold on a card. */
  readonly depositMinor: number;
  /** On receivables beyond all of its documents: to be refunded, or for a document to come. */
  readonly unappliedMinor: number;
  /** Nobody will ask for it any more: it goes back. */
  readonly toPayBack: boolean;
  readonly since: string;
  /** Whole days since then. */
  readonly days: number;
};

type HeldFilter = {
  readonly entityId?: string | undefined;
  readonly branchId?: string | undefined;
  readonly toPayBack?: boolean | undefined;
};

/** A rental of these will not need it; one that came back has its last documents still to come. */
const OVER = sql`('closed', 'cancelled', 'no_show', 'declined', 'expired')`;

/** Of the rental `t`, for reads of rentals: a `PayBack` where it is over and money of it is here. */
export const payBackOf = sql<PayBack | null>`(select jsonb_build_object(
    'amountMinor', m.deposit_minor + m.unapplied_minor,
    'paymentId', (select p.id from accounting.payment p where p.rental_id = t.id
      and p.refunded_minor < p.amount_minor
      and (p.purpose = 'deposit') = (m.deposit_minor > 0) order by p.id limit 1),
    'prepaymentId', (select p.id from rentals.prepayment p where p.rental_id = t.id
      and p.refunded_minor < p.amount_minor and p.tender <> 'deposit'
      and m.deposit_minor = 0 order by p.id limit 1))
  from accounting.rental_money m where m.rental_id = t.id and t.status in ${OVER}
    and m.deposit_minor + m.unapplied_minor > 0)`;

const DAYS = sql`(now() at time zone e.time_zone)::date - (m.since at time zone e.time_zone)::date`;

const FROM = sql`accounting.rental_money m
  join rentals.rental r on r.id = m.rental_id
  join accounting.legal_entity e on e.id = m.entity_id`;

function matching({ entityId, branchId, toPayBack }: HeldFilter) {
  return [
    entityId && sql`m.entity_id = ${entityId}`,
    branchId && sql`r.branch_id = ${branchId}`,
    toPayBack !== undefined && sql`(r.status in ${OVER}) = ${toPayBack}`,
    sql`(m.deposit_minor <> 0 or m.unapplied_minor <> 0)`,
  ].filter((condition) => typeof condition === 'object');
}

export function listHeldMoney(
  db: Db,
  acting: Acting,
  filter: HeldFilter & PageRequest,
): Promise<Page<HeldMoney>> {
  const conditions = matching(filter);
  if (filter.after !== undefined) conditions.push(sql`m.rental_id > ${filter.after}`);
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<HeldMoney>`select m.rental_id as "rentalId", r.number, r.status,
        m.entity_id as "entityId", r.branch_id as "branchId", r.customer_id as "customerId",
        e.functional_currency as currency, m.deposit_minor as "depositMinor",
        m.unapplied_minor as "unappliedMinor", r.status in ${OVER} as "toPayBack", m.since,
        ${DAYS} as days
      from ${FROM} where ${sql.join(conditions, sql` and `)}
      order by m.rental_id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

/** What a legal entity holds as deposits, by age; the sum is its account’s balance (2120). */
export type HeldAgeing = {
  readonly entityId: string;
  readonly currency: string;
  readonly depositMinor: number;
  readonly to30Minor: number;
  readonly to60Minor: number;
  readonly to90Minor: number;
  readonly over90Minor: number;
  readonly unappliedMinor: number;
  /** Of both, what is to go back. */
  readonly toPayBackMinor: number;
};

/** Of what the caller sees: the whole entity’s for whoever works at every branch. */
export function heldAgeing(
  db: Db,
  acting: Acting,
  filter: HeldFilter,
): Promise<readonly HeldAgeing[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<HeldAgeing>`
      select h."entityId", h.currency, sum(h.deposit)::bigint as "depositMinor",
        coalesce(sum(h.deposit) filter (where h.days <= 30), 0)::bigint as "to30Minor",
        coalesce(sum(h.deposit) filter (where h.days between 31 and 60), 0)::bigint as "to60Minor",
        coalesce(sum(h.deposit) filter (where h.days between 61 and 90), 0)::bigint as "to90Minor",
        coalesce(sum(h.deposit) filter (where h.days > 90), 0)::bigint as "over90Minor",
        sum(h.unapplied)::bigint as "unappliedMinor",
        coalesce(sum(h.deposit + h.unapplied) filter (where h.over), 0)::bigint
          as "toPayBackMinor"
      from (select m.entity_id as "entityId", e.functional_currency as currency,
          m.deposit_minor as deposit, m.unapplied_minor as unapplied,
          r.status in ${OVER} as over, ${DAYS} as days
        from ${FROM} where ${sql.join(matching(filter), sql` and `)}) h
      group by 1, 2 order by 1`.execute(tx);
    return rows;
  });
}
