// A reading from the dash is planned once: a person is waiting for the keys.
import { type Kysely, sql } from 'kysely';

/**
 * Migration 0087 left the functions of readings out, because batches are planned for their sets. A
 * single reading spent half of its time on that. What a function sets holds for what it calls.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter function vehicles.record_dash_reading(uuid, int, int, timestamptz, text)
    set enable_seqscan = off`.execute(db);
  await sql`alter function vehicles.record_dash_reading(uuid, int, int, timestamptz, text)
    set plan_cache_mode = force_generic_plan`.execute(db);
}
