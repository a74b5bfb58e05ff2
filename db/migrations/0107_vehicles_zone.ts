// Prices go by the local dates of the branch where the rental begins.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const ZONE = 'vehicles.zone_of(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.zone_of(p_branch text) returns text
    language sql stable security definer
    set search_path = vehicles, pg_temp set enable_seqscan = off
    set plan_cache_mode = force_generic_plan as $$
      select time_zone from branch where id = p_branch
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [ZONE]);
  await publishedTo(db, 'rentals_rw', [ZONE]);
}
