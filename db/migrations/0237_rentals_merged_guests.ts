// Guests who had been merged with a customer of the live side before sides were kept go with them.
import { type Kysely, sql } from 'kysely';

/** Migration 0224 marked them by their bookings; whoever they lead to could not be merged any more. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.customer disable trigger customer_side`.execute(db);
  await sql`update rentals.customer c set is_sandbox = s.is_sandbox, version = c.version + 1
    from rentals.customer s
    where s.id = c.merged_into and s.is_sandbox <> c.is_sandbox`.execute(db);
  await sql`alter table rentals.customer enable trigger customer_side`.execute(db);
}
