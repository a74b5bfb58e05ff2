// Free vehicles are found by reading less: a probe's near past first, and the pool from its index.
import { type Kysely, sql } from 'kysely';

/**
 * PostgreSQL reads every row of an index page that a probe matches, then answers the first: "the
 * last span before then" read all that a vehicle had done in months. Few vehicles rest for a
 * fortnight, so the fortnight is asked first, and all of the past only when nothing is in it.
 */
const NEAR = "interval '14 days'";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index vehicles.vehicle_pool`.execute(db);
  // With the id, the pool is read without its rows.
  await sql`create index vehicle_pool on vehicles.vehicle (branch_id, class_id) include (id)
    where status = 'in_service'`.execute(db);
  await replaceFreeVehicles(db);
}

/** As migration 0046 made it, but for how the last span is found. */
async function replaceFreeVehicles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.free_vehicles(
      p_branch_out text, p_branch_in text, p_class text, p_during tstzrange
    ) returns table (vehicle_id uuid, idle interval) language sql stable as $$
      select v.id,
        least(lower(p_during) - last.ends, interval '30 days')
          + least((select lower(s.during) from vehicles.span s
              where s.vehicle_id = v.id and s.grip <> 'released'
                and lower(s.during) >= upper(p_during)
                and lower(s.during) < upper(p_during) + interval '30 days'
              order by lower(s.during) limit 1) - upper(p_during), interval '30 days')
      from vehicles.vehicle v
      cross join lateral (
        select coalesce(
          (select upper(s.during) from vehicles.span s
            where s.vehicle_id = v.id and s.grip <> 'released' and lower(s.during) < upper(p_during)
              and lower(s.during) >= lower(p_during) - ${sql.raw(NEAR)}
            order by lower(s.during) desc limit 1),
          (select upper(s.during) from vehicles.span s
            where s.vehicle_id = v.id and s.grip <> 'released' and lower(s.during) < upper(p_during)
            order by lower(s.during) desc limit 1)) as ends
        -- Offset 0: asked once, though it is used twice.
        offset 0
      ) last
      where v.branch_id = p_branch_out and v.class_id = p_class and v.status = 'in_service'
        and v.id not in (select vehicles.moving_vehicles(p_branch_out))
        -- CASE, so that only vehicles that look free are asked the rest, by index.
        and case
          when last.ends > lower(p_during) then false
          when exists (select from vehicles.hold h where h.vehicle_id = v.id
              and h.lifted_at is null and h.severity = 'hard')
            and vehicles.blocking_hold(v.id, p_during) is not null then false
          when p_branch_in <> p_branch_out
            and vehicles.next_place(v.id, upper(p_during)) <> p_branch_in then false
          when lower(p_during) > now() + interval '26 hours' then true
          else coalesce((
            select upper(o.during) >= now() + make_interval(mins => o.turnaround_minutes)
              or lower(p_during)
                >= now() + interval '2 hours' + make_interval(mins => o.turnaround_minutes)
            from vehicles.span o where o.vehicle_id = v.id and o.grip = 'out'), true)
        end
      union all
      -- Offset 0: only those few are asked, not the whole class.
      select c.id, vehicles.idle_around(c.id, p_during)
      from (
        select v.id from vehicles.vehicle v
        where v.id in (select vehicles.moving_vehicles(p_branch_out))
          and v.class_id = p_class and v.status = 'in_service' offset 0
      ) c where vehicles.fits(c.id, p_branch_out, p_branch_in, p_during)
    $$`.execute(db);
}
