// Travel times are kept by people: each has a version, which counts its changes.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table vehicles.travel_time add column version int not null default 1`.execute(db);
}
