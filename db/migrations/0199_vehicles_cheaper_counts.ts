// Free vehicles are counted cheaper: bounds computed once a question, and no settings to change.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceFreeVehicles(db);
  await replaceCountFree(db);
}

/**
 * As migration 0108 made it. Its conditions took the period apart for every probe of every vehicle,
 * which cost as much as the probes: now `w` holds the bounds (offset 0: once, not a vehicle).
 */
async function replaceFreeVehicles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.free_vehicles(
      p_branch_out text, p_branch_in text, p_class text, p_during tstzrange
    ) returns table (vehicle_id uuid, idle interval) language sql stable as $$
      select v.id,
        least(w.starts - last.ends, interval '30 days')
          + least((select lower(s.during) from vehicles.span s
              where s.vehicle_id = v.id and s.grip <> 'released'
                and lower(s.during) >= w.ends
                and lower(s.during) < w.ends + interval '30 days'
              order by lower(s.during) limit 1) - w.ends, interval '30 days')
      from (
        -- A fortnight before it is asked first: few vehicles rest for longer.
        select lower(p_during) as starts, upper(p_during) as ends,
          lower(p_during) - interval '14 days' as near
        offset 0
      ) w
      cross join vehicles.vehicle v
      cross join lateral (
        select coalesce(
          (select upper(s.during) from vehicles.span s
            where s.vehicle_id = v.id and s.grip <> 'released' and lower(s.during) < w.ends
              and lower(s.during) >= w.near
            order by lower(s.during) desc limit 1),
          (select upper(s.during) from vehicles.span s
            where s.vehicle_id = v.id and s.grip <> 'released' and lower(s.during) < w.ends
            order by lower(s.during) desc limit 1)) as ends
        -- Offset 0: asked once, though it is used twice.
        offset 0
      ) last
      where v.branch_id = p_branch_out and v.class_id = p_class and v.status = 'in_service'
        and v.id not in (select vehicles.moving_vehicles(p_branch_out))
        -- CASE, so that only vehicles that look free are asked the rest, by index.
        and case
          when last.ends > w.starts then false
          when exists (select from vehicles.hold h where h.vehicle_id = v.id
              and h.lifted_at is null and h.severity = 'hard')
            and vehicles.blocking_hold(v.id, p_during) is not null then false
          when p_branch_in <> p_branch_out
            and vehicles.next_place(v.id, w.ends) <> p_branch_in then false
          when w.starts > now() + interval '26 hours' then true
          else coalesce((
            select upper(o.during) >= now() + make_interval(mins => o.turnaround_minutes)
              or w.starts
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

/**
 * As migration 0144 made it, but as part of the statement that calls it: a function that sets its
 * own search path spent more on that than on the query around the count. The caller plans by index
 * (`readInOneTrip`).
 */
async function replaceCountFree(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.count_free(
      p_branch_out text, p_branch_in text, p_class text, p_from timestamptz, p_to timestamptz
    ) returns table (class_id text, free int) language sql stable as $$
      select c.id, (select count(*)::int
        from vehicles.free_vehicles(p_branch_out, b.id, c.id, b.during))
      from (
        -- Offset 0: the period is computed once, not for every vehicle.
        select i.id, tstzrange(p_from, p_to + make_interval(mins => i.turnaround_minutes)) as during
        from vehicles.branch i where i.id = p_branch_in
          and exists (select from vehicles.branch o where o.id = p_branch_out) offset 0
      ) b cross join vehicles.class c
      where p_class is null or c.id = p_class
      order by c.id
    $$`.execute(db);
}
