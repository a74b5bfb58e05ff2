// A hold that is being released or captured secures nothing more.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.deposit_secured(p_rental uuid) returns bigint
    language sql stable set search_path = rentals, pg_temp as $$
      select coalesce((select sum(amount_minor) from authorisation a where rental_id = p_rental
          and purpose = 'deposit' and state = 'open' and replaced_by is null
          and valid_until > now() and not exists (select from payment_attempt p
            where p.authorisation_id = a.id and p.state = 'unknown'
              and p.kind in ('release', 'capture'))), 0)::bigint
        + coalesce((select sum(amount_minor) from deposit_waiver
          where rental_id = p_rental), 0)::bigint
    $$`.execute(db);
}
