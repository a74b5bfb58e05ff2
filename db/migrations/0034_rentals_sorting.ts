// The orders in which lists are asked for: names, due and pick-up times.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index customer_name on rentals.customer (name, id)`.execute(db);
  await sql`create index rental_due on rentals.rental (due_at, id)`.execute(db);
  await sql`create index rental_pick_up on rentals.rental (pick_up_at, id)`.execute(db);
}
