// Who is erased drives nothing: not named meanwhile, and no keys go out to them.
import { type Kysely, sql } from 'kysely';

/**
 * As in migration 0123, but that the drivers' records are locked before they are looked at: an erasure
 * locks them too, so one of the two waits for the other and finds what it did. An update, which has
 * its row already, does not wait for them: it would stand in the way of the erasure that it waits for.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_driver() returns trigger language plpgsql as $$
    declare
      v_drivers uuid[];
      v_refused uuid;
    begin
      if tg_table_name = 'rental_driver' then
        v_drivers := array[new.customer_id];
      else
        v_drivers := array(select d.customer_id from rentals.rental_driver d
          where d.rental_id = new.id and d.ended_at is null);
      end if;
      if tg_op = 'INSERT' or tg_table_name = 'rental' then
        perform from rentals.customer c where c.id = any (v_drivers) order by c.id for share;
      end if;
      select c.id into v_refused from rentals.customer c
      where c.id = any (v_drivers) and c.contacts_erased_at is not null
      limit 1;
      if v_refused is not null then
        raise exception 'Customer % is erased.', v_refused
          using errcode = 'check_violation', constraint = 'rental_driver_erased',
            detail = v_refused::text;
      end if;
      select c.id into v_refused from rentals.customer c
      where c.id = any (v_drivers) and exists (select from rentals.customer_block b
          where b.customer_id = coalesce(c.merged_into, c.id) and b.lifted_at is null
            and (b.until is null or b.until > now()))
      limit 1;
      if v_refused is not null then
        raise exception 'Customer % is blocked.', v_refused
          using errcode = 'check_violation', constraint = 'rental_customer_blocked',
            detail = v_refused::text;
      end if;
      return new;
    end $$`.execute(db);
}
