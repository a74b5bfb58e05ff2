// Where vehicles will be, and which of them can take a period: free, there, and not held.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const READ = [
  'vehicles.moving_vehicles(text)',
  'vehicles.place_before(uuid, timestamptz)',
  'vehicles.place_at(uuid, timestamptz)',
  'vehicles.next_place(uuid, timestamptz)',
  'vehicles.idle_around(uuid, tstzrange)',
  'vehicles.is_back_by(uuid, timestamptz)',
  'vehicles.belongs(uuid, text, text, tstzrange)',
  'vehicles.fits(uuid, text, text, tstzrange)',
  'vehicles.free_vehicles(text, text, text, tstzrange)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPlaces(db);
  await createFits(db);
  await createFreeVehicles(db);
  await replaceCountFree(db);
  await ownedBy(db, 'vehicles_rw', READ);
  await publishedTo(db, 'api_read', READ);
}

/** A span that is over has moved its vehicle already: the vehicle's own row tells where it is. */
async function createPlaces(db: Kysely<unknown>): Promise<void> {
  // Those with a span that leaves the branch or arrives there; who is long back does no harm.
  await sql`
    create function vehicles.moving_vehicles(p_branch text) returns setof uuid
    language sql stable as $$
      select m.vehicle_id from vehicles.span m
      where m.branch_in <> m.branch_out and m.vehicle_id is not null and m.grip <> 'released'
        and m.branch_out = p_branch and upper(m.during) > now() - interval '30 days'
      union all
      select m.vehicle_id from vehicles.span m
      where m.branch_in <> m.branch_out and m.vehicle_id is not null and m.grip <> 'released'
        and m.branch_in = p_branch and upper(m.during) > now() - interval '30 days'
    $$`.execute(db);
  await sql`
    create function vehicles.place_before(p_vehicle uuid, p_at timestamptz) returns text
    language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce(
        (select case when s.grip = 'out' or upper(s.during) > now() then s.branch_in end
          from span s
          where s.vehicle_id = p_vehicle and s.grip <> 'released'
            and s.kind not in ('block', 'maintenance') and lower(s.during) < p_at
          order by lower(s.during) desc limit 1),
        (select o.branch_in from span o
          where o.vehicle_id = p_vehicle and o.grip = 'out' and lower(o.during) < p_at),
        (select branch_id from vehicle where id = p_vehicle))
    $$`.execute(db);
  // Who is under way from one branch to another still counts where it left.
  await sql`
    create function vehicles.place_at(p_vehicle uuid, p_at timestamptz) returns text
    language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce(
        (select s.branch_out from span s
          where s.vehicle_id = p_vehicle and s.grip <> 'released'
            and s.kind not in ('block', 'maintenance') and s.during @> p_at),
        place_before(p_vehicle, p_at))
    $$`.execute(db);
  await sql`
    create function vehicles.next_place(p_vehicle uuid, p_at timestamptz) returns text
    language sql stable set search_path = vehicles, pg_temp as $$
      select s.branch_out from span s
      where s.vehicle_id = p_vehicle and s.grip <> 'released'
        and s.kind not in ('block', 'maintenance') and lower(s.during) >= p_at
      order by lower(s.during) limit 1
    $$`.execute(db);
}

async function createFits(db: Kysely<unknown>): Promise<void> {
  // Idle hours that a period would leave on both its sides, at most 30 days a side.
  await sql`
    create function vehicles.idle_around(p_vehicle uuid, p_during tstzrange) returns interval
    language sql stable as $$
      select least(lower(p_during) - (select upper(s.during) from vehicles.span s
            where s.vehicle_id = p_vehicle and s.grip <> 'released'
              and lower(s.during) < upper(p_during)
            order by lower(s.during) desc limit 1), interval '30 days')
          + least((select lower(s.during) from vehicles.span s
            where s.vehicle_id = p_vehicle and s.grip <> 'released'
              and lower(s.during) >= upper(p_during)
            order by lower(s.during) limit 1) - upper(p_during), interval '30 days')
    $$`.execute(db);
  // A vehicle past its due time counts as out for two hours and a turnaround, rolled or not.
  await sql`
    create function vehicles.is_back_by(p_vehicle uuid, p_from timestamptz) returns boolean
    language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce((
        select upper(o.during) >= now() + make_interval(mins => o.turnaround_minutes)
          or p_from >= now() + interval '2 hours' + make_interval(mins => o.turnaround_minutes)
        from span o where o.vehicle_id = p_vehicle and o.grip = 'out'), true)
    $$`.execute(db);
  // Whether a period may stand on the vehicle's itinerary, and no hard hold touches it.
  await sql`
    create function vehicles.belongs(
      p_vehicle uuid, p_branch_out text, p_branch_in text, p_during tstzrange
    ) returns boolean language sql stable set search_path = vehicles, pg_temp as $$
      select place_before(p_vehicle, lower(p_during)) = p_branch_out
        and coalesce(next_place(p_vehicle, upper(p_during)), p_branch_in) = p_branch_in
        and case when exists (select from hold h where h.vehicle_id = p_vehicle
          and h.lifted_at is null and h.severity = 'hard')
          then blocking_hold(p_vehicle, p_during) is null else true end
    $$`.execute(db);
  await sql`
    create function vehicles.fits(
      p_vehicle uuid, p_branch_out text, p_branch_in text, p_during tstzrange
    ) returns boolean language sql stable set search_path = vehicles, pg_temp as $$
      select not exists (select from span s where s.vehicle_id = p_vehicle
          and s.during && p_during and s.grip <> 'released')
        and belongs(p_vehicle, p_branch_out, p_branch_in, p_during)
        and is_back_by(p_vehicle, lower(p_during))
    $$`.execute(db);
}

/**
 * The vehicles of a pool that can take all of `p_during`, with the idle time that taking each would
 * leave around it: those that stay at the branch by one probe each, those that leave it or will
 * arrive there by their itinerary.
 */
async function createFreeVehicles(db: Kysely<unknown>): Promise<void> {
  await sql`drop function vehicles.count_free(text, text, timestamptz, timestamptz)`.execute(db);
  await sql`drop function vehicles.free_vehicles(text, text, tstzrange)`.execute(db);
  await sql`
    create function vehicles.free_vehicles(
      p_branch_out text, p_branch_in text, p_class text, p_during tstzrange
    ) returns table (vehicle_id uuid, idle interval) language sql stable as $$
      select v.id,
        least(lower(p_during) - upper(last.during), interval '30 days')
          + least((select lower(s.during) from vehicles.span s
              where s.vehicle_id = v.id and s.grip <> 'released'
                and lower(s.during) >= upper(p_during)
              order by lower(s.during) limit 1) - upper(p_during), interval '30 days')
      from vehicles.vehicle v
      left join lateral (
        select s.during from vehicles.span s
        where s.vehicle_id = v.id and s.grip <> 'released' and lower(s.during) < upper(p_during)
        order by lower(s.during) desc limit 1
      ) last on true
      where v.branch_id = p_branch_out and v.class_id = p_class and v.status = 'in_service'
        and v.id not in (select vehicles.moving_vehicles(p_branch_out))
        -- CASE, so that only vehicles that look free are asked the rest, by index.
        and case
          when upper(last.during) > lower(p_during) then false
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

/** As migration 0017 made it, for rentals that return where they start. */
async function replaceCountFree(db: Kysely<unknown>): Promise<void> {
  const COUNT_FREE = 'vehicles.count_free(text, text, timestamptz, timestamptz)';
  await sql`
    create function vehicles.count_free(
      p_branch text, p_class text, p_from timestamptz, p_to timestamptz
    ) returns table (class_id text, free int)
    language plpgsql stable
    set search_path = vehicles, pg_temp set plan_cache_mode = force_generic_plan as $$
    begin
      return query
        select c.id,
          (select count(*)::int from vehicles.free_vehicles(b.id, b.id, c.id, b.during))
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
