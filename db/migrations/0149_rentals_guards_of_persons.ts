// Guards that a review missed: payers, erased and merged records, and doubts that an amendment cures.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await guardPayers(db);
  await keepErased(db);
  await createHoursAgreed(db);
}

/** Who pays for a rental obeys the same wall as who rents: also when the payer is changed later. */
async function guardPayers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_customer() returns trigger language plpgsql as $$
    declare
      v_customer uuid;
      v_merged uuid;
      v_blocked boolean;
      is_new_payer boolean := tg_nargs > 0;
    begin
      foreach v_customer in array array_remove(
        array[case when not is_new_payer then new.customer_id end, new.payer_id], null) loop
        select c.merged_into, exists (select from rentals.customer_block b
            where b.customer_id = coalesce(c.merged_into, c.id) and b.lifted_at is null
              and (b.until is null or b.until > now()))
          into v_merged, v_blocked
          from rentals.customer c where c.id = v_customer;
        if v_blocked then
          raise exception 'Customer % is blocked.', v_customer
            using errcode = 'check_violation', constraint = 'rental_customer_blocked',
              detail = v_customer::text;
        end if;
        if v_merged is not null and (tg_op = 'INSERT' or is_new_payer) then
          raise exception 'Customer % is merged into %.', v_customer, v_merged
            using errcode = 'check_violation', constraint = 'rental_customer_merged',
              detail = v_merged::text;
        end if;
      end loop;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_payer_changed before update of payer_id on rentals.rental
    for each row when (new.payer_id is not null and new.payer_id is distinct from old.payer_id)
    execute function rentals.refuse_customer('payer')`.execute(db);
}

/**
 * Nothing personal comes back to who was erased, where no erasure would look again; and what is told
 * of a merged record belongs to the one that stands. Resealing only replaces what is there.
 */
async function keepErased(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_late_details() returns trigger language plpgsql as $$
    begin
      if (new.email is distinct from old.email and new.email is not null)
        or (new.phone is distinct from old.phone and new.phone is not null)
        or (new.tax_id is distinct from old.tax_id and new.tax_id is not null)
        or (new.name <> old.name and new.name <> 'Erased')
        or (new.licence_number is not null and old.licence_number is null) then
        raise exception 'Customer % is erased or merged.', old.id
          using errcode = 'check_violation', constraint = 'customer_details_kept_away';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger customer_details_kept_away before update on rentals.customer
    for each row when (old.contacts_erased_at is not null or old.merged_into is not null)
    execute function rentals.refuse_late_details()`.execute(db);
}

/** An amendment agrees on both handovers anew: what was told against the old ones is over. */
async function createHoursAgreed(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function events.hours_agreed(p_rental uuid) returns void
    language sql security definer set search_path = events, pg_temp as $$
      delete from outside_hours where rental_id = p_rental
    $$`.execute(db);
  const agreed = ['events.hours_agreed(uuid)'];
  await ownedBy(db, 'events_rw', agreed);
  await publishedTo(db, 'rentals_rw', agreed);
}
