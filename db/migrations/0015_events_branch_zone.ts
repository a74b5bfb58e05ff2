// The read models count by a branch's local day, so the consumers may read its time zone.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`grant usage on schema vehicles to events_rw`.execute(db);
  await sql`grant select (id, time_zone) on vehicles.branch to events_rw`.execute(db);
}
