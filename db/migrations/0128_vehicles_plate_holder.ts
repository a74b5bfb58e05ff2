// Published to rentals: which vehicle had a plate at an instant, wherever it works.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PLATE_HOLDER = 'vehicles.plate_holder(text, text, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  // At most one: two periods of one plate never overlap (plate_one_vehicle_at_a_time).
  await sql`
    create function vehicles.plate_holder(p_plate text, p_jurisdiction text, p_at timestamptz)
    returns uuid language sql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*'
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      select vehicle_id from plate where plate_key = vehicles.plate_key(p_plate)
        and jurisdiction = p_jurisdiction and valid @> p_at
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [PLATE_HOLDER]);
  await publishedTo(db, 'rentals_rw', [PLATE_HOLDER, 'vehicles.plate_key(text)']);
}
