// Disputes that no books can take, such as those in another currency: kept, and left to a person.
import { type Kysely, sql } from 'kysely';

/** Without its first entry a dispute has no later one: what it did is booked by hand. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.dispute alter column opened_entry_id drop not null`.execute(db);
  await sql`alter table rentals.dispute drop constraint dispute_posted`.execute(db);
  await sql`alter table rentals.dispute add constraint dispute_posted
    check ((state in ('won', 'written_off') and opened_entry_id is not null)
      = (ended_entry_id is not null))`.execute(db);
}
