// Counting the free vehicles of a branch's classes, planned once per connection.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const COUNT_FREE = 'vehicles.count_free(text, text, timestamptz, timestamptz)';

/**
 * One row a class (or the one of `p_class`), none for an unknown branch. PL/pgSQL, because planning
 * the query anew takes half as long as running it; one plan suits all, since each finds its pool and
 * each vehicle's spans by index. It runs with the caller's rights.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.count_free(
      p_branch text, p_class text, p_from timestamptz, p_to timestamptz
    ) returns table (class_id text, free int)
    language plpgsql stable
    set search_path = vehicles, pg_temp set plan_cache_mode = force_generic_plan as $$
    begin
      return query
        select c.id, (select count(*)::int from vehicles.free_vehicles(b.id, c.id, b.during))
        from (
          -- Offset 0: the period is computed once, not for every vehicle.
          select id, tstzrange(p_from, p_to + make_interval(mins => turnaround_minutes)) as during
          from vehicles.branch where id = p_branch offset 0
        ) b cross join vehicles.class c
        where p_class is null or c.id = p_class
        order by c.id;
    end $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [COUNT_FREE]);
  await publishedTo(db, 'api_read', [COUNT_FREE]);
}
