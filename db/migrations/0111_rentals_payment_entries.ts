// Payments that moved money name their entry: neither row is there without the other.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.payment_attempt add column entry_id uuid unique`.execute(db);
  // Not of those that were settled before payments were posted: those rows never change.
  await sql`alter table rentals.payment_attempt add constraint payment_attempt_posted
    check ((kind in ('capture', 'refund') and state = 'done') = (entry_id is not null))
    not valid`.execute(db);
}
