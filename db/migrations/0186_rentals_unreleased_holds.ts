// A replaced hold that the gateway would not let go waits for a person, and for the next one's way.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // One that is flagged ends with its time: it does not keep another one from being replaced.
  await sql`drop index rentals.authorisation_one_replaced`.execute(db);
  await sql`create unique index authorisation_one_replaced
    on rentals.authorisation (rental_id, purpose)
    where state = 'open' and replaced_by is not null and attention is null`.execute(db);
}
