// What counts against a customer's credit: of all that customer's records, at every branch.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const EXPOSURE = 'accounting.exposure_of(uuid[], text)';
const BOOKED = 'rentals.booked_for(uuid[], text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceExposure(db);
  await createBooked(db);
  await ownedBy(db, 'accounting_rw', [EXPOSURE]);
  await ownedBy(db, 'rentals_rw', [BOOKED]);
  await publishedTo(db, 'rentals_rw', [EXPOSURE]);
}

/** As before, of several records: what was merged into a customer owes what it owed. */
async function replaceExposure(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.exposure_of(uuid, text)`.execute(db);
  await sql`
    create function accounting.exposure_of(p_customers uuid[], p_currency text) returns bigint
    language plpgsql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(o.due_minor - o.settled_minor), 0) from open_item o
          where o.customer_id = any (p_customers) and o.currency = p_currency
            and o.settled_minor < o.due_minor)
        - (select coalesce(sum(l.base_minor + l.vat_minor), 0)
          from invoice i, taxes_left(i.id) l
          where i.customer_id = any (p_customers) and i.currency = p_currency and i.kind = 386);
    end $$`.execute(db);
}

/**
 * Rentals that are not over and that they pay, alone or beside others: what is booked, less what
 * cycles charged; what a valid hold of their own has of it; price and shares where payers are several.
 */
async function createBooked(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.booked_for(p_customers uuid[], p_currency text)
    returns table (booked_minor bigint, held_minor bigint, price jsonb, shares jsonb)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return query
        with open as (
          select r.id from rental r where r.payer_id = any (p_customers)
            and r.status in ('requested', 'reserved', 'active')
          union
          select r.id from rental r where r.customer_id = any (p_customers)
            and r.payer_id is null and r.status in ('requested', 'reserved', 'active')
          union
          select r.id from payer_share s join payer_split p using (rental_id, version)
            join rental r on r.id = s.rental_id
            where s.payer_id = any (p_customers)
              and r.status in ('requested', 'reserved', 'active'))
        select r.total_minor - coalesce((select sum(b.total_minor) from billed_cycle b
              where b.rental_id = r.id), 0)::bigint,
          coalesce((select sum(a.amount_minor) from authorisation a
            where a.rental_id = r.id and a.state = 'open' and a.replaced_by is null
              and a.valid_until > now()
              and (a.payer = 'renter') = (r.customer_id = any (p_customers))), 0)::bigint,
          case when s.of is not null then r.price end, s.of
        from open join rental r using (id), lateral (
          select jsonb_agg(jsonb_build_object('payerId', s.payer_id, 'kind', s.kind,
              'covers', s.covers, 'percentBp', s.percent_bp,
              'voucherNetMinor', s.voucher_net_minor, 'isPrimary', s.is_primary)
              order by s.position) as of
          from payer_split p join payer_share s using (rental_id, version)
          where p.rental_id = r.id) s
        where r.currency = p_currency;
    end $$`.execute(db);
}
