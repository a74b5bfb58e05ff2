// A consent to delayed charges that came with a check-out ends when that check-out is undone.
import { type Kysely, sql } from 'kysely';

/** Any other stays: documents may have been charged on its word. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_consent() returns trigger
    language plpgsql set search_path = rentals, pg_temp as $$
    begin
      if not exists (select from rental where id = old.rental_id and status = 'active'
          and checked_out_at = old.consented_at) then
        raise exception 'The consent of rental % did not come with its check-out.', old.rental_id
          using errcode = 'check_violation', constraint = 'consent_ends_with_its_check_out';
      end if;
      return old;
    end $$`.execute(db);
  await sql`alter function rentals.guard_consent() owner to forecourt_owner`.execute(db);
  await sql`create trigger consent_ends_with_its_check_out
    before delete on rentals.delayed_charge_consent
    for each row execute function rentals.guard_consent()`.execute(db);
  await sql`grant delete on rentals.delayed_charge_consent to rentals_rw`.execute(db);
}
