// What a voucher covers at most: time that a renter adds later is not the broker's to pay.
import { type Kysely, sql } from 'kysely';

/** Net, at the public price of when it was set; null for those of before, which cover their lines. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.payer_share
    add column covered_minor bigint,
    add constraint payer_share_covered
      check (covered_minor is null or covered_minor > 0 and kind = 'voucher')`.execute(db);
  await replaceBooked(db);
}

/** As in migration 0208, with what a voucher covers. */
async function replaceBooked(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.booked_for(p_customers uuid[], p_currency text)
    returns table (booked_minor bigint, held_minor bigint, billed_minor bigint, price jsonb,
      shares jsonb)
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
          coalesce((select sum(d.total_minor) from cycle_document d
            where d.rental_id = r.id and d.payer_id = any (p_customers)), 0)::bigint,
          case when s.of is not null then r.price end, s.of
        from open join rental r using (id), lateral (
          select jsonb_agg(jsonb_build_object('payerId', s.payer_id, 'kind', s.kind,
              'covers', s.covers, 'percentBp', s.percent_bp,
              'voucherNetMinor', s.voucher_net_minor, 'coveredMinor', s.covered_minor,
              'isPrimary', s.is_primary, 'paymentDays', s.payment_days)
              order by s.position) as of
          from payer_split p join payer_share s using (rental_id, version)
          where p.rental_id = r.id) s
        where r.currency = p_currency;
    end $$`.execute(db);
}
