// Payers stay on their side of the sandbox too, also those who are named after the booking.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger rental_side_kept on rentals.rental`.execute(db);
  await sql`create trigger rental_side_kept before update on rentals.rental
    for each row when ((old.branch_id, old.return_branch_id, old.customer_id, old.payer_id)
      is distinct from (new.branch_id, new.return_branch_id, new.customer_id, new.payer_id))
    execute function rentals.guard_rental_side()`.execute(db);
  await guardShares(db);
}

/** As in migration 0164, and nobody of the sandbox pays for a vehicle of the live fleet. */
async function guardShares(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.guard_payer_shares() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_branch text;
    begin
      select r.branch_id into v_branch from rental r
        where r.id = coalesce(new.rental_id, old.rental_id)
          and r.status in ('requested', 'reserved', 'active') for share;
      if not found then
        raise exception 'The payers of a rental that is over do not change.'
          using errcode = 'check_violation', constraint = 'payer_share_before_return';
      end if;
      if exists (select from customer c where c.id = new.payer_id and c.is_sandbox)
          and not vehicles.is_sandbox(v_branch) then
        raise exception 'Rental % would be on both sides of the sandbox.', new.rental_id
          using errcode = 'check_violation', constraint = 'rental_on_one_side';
      end if;
      return coalesce(new, old);
    end $$`.execute(db);
}
