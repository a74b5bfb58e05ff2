// Counting the vehicles that are free for a rental that may end at another branch.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const BEFORE = 'vehicles.count_free(text, text, timestamptz, timestamptz)';
const COUNT_FREE = 'vehicles.count_free(text, text, text, timestamptz, timestamptz)';

/** As migration 0046 made it, with where the vehicles come back: their turnaround is that branch's. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop function ${sql.raw(BEFORE)}`.execute(db);
  await sql`
    create function vehicles.count_free(
      p_branch_out text, p_branch_in text, p_class text, p_from timestamptz, p_to timestamptz
    ) returns table (class_id text, free int)
    language plpgsql stable
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    begin
      return query
        select c.id, (select count(*)::int
          from vehicles.free_vehicles(p_branch_out, b.id, c.id, b.during))
        from (
          -- Offset 0: the period is computed once, not for every vehicle.
          select i.id, tstzrange(p_from, p_to + make_interval(mins => i.turnaround_minutes)) as during
          from vehicles.branch i where i.id = p_branch_in
            and exists (select from vehicles.branch o where o.id = p_branch_out) offset 0
        ) b cross join vehicles.class c
        where p_class is null or c.id = p_class
        order by c.id;
    end $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [COUNT_FREE]);
  await publishedTo(db, 'api_read', [COUNT_FREE]);
}
