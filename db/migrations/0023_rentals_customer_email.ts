// Customers sign in by a link to their address, so a customer is found by it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index customer_email on rentals.customer (lower(email))
    where email is not null`.execute(db);
}
