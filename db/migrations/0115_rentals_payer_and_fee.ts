// Who pays a rental, and what it costs when it does not take place.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The fee is gross, never above what was booked, and stands on a document of its own.
  await sql`
    alter table rentals.rental
      add column payer_id uuid references rentals.customer,
      add column fee_minor bigint,
      add constraint rental_fee_within_total check (fee_minor between 0 and total_minor),
      add constraint rental_fee_did_not_take_place
        check (fee_minor is null or status in ('cancelled', 'no_show')),
      add constraint rental_fee_is_invoiced
        check (coalesce(fee_minor, 0) = 0 or invoice_id is not null)`.execute(db);
  await sql`create index rental_by_payer on rentals.rental (payer_id, id)
    where payer_id is not null`.execute(db);
}
