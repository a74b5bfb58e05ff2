// What a counter asks for all day, by index: who comes today, who is late, where a deposit needs somebody.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Only what is still to happen: small, however long the company's past is.
  await sql`create index rental_to_go_out on rentals.rental (branch_id, pick_up_at, id)
    where status = 'reserved'`.execute(db);
  await sql`create index rental_to_come_in on rentals.rental (return_branch_id, due_at, id)
    where status = 'active'`.execute(db);
  await sql`create index authorisation_attention on rentals.authorisation (rental_id)
    where state = 'open' and attention is not null`.execute(db);
}
