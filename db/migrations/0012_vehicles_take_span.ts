// Finding and taking a vehicle: which are free, which fits best, and the published take_span.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FREE_VEHICLES = 'vehicles.free_vehicles(text, text, tstzrange)';
const STILL_IN_POOL = 'vehicles.still_in_pool(uuid, text, text)';
const PLACE_SPAN = 'vehicles.place_span(uuid, boolean)';
const TAKE_SPAN = 'vehicles.take_span(uuid, text, text, text, timestamptz, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createFreeVehicles(db);
  await createStillInPool(db);
  await createPlaceSpan(db);
  await createTakeSpan(db);
  await ownedBy(db, 'vehicles_rw', [FREE_VEHICLES, STILL_IN_POOL, PLACE_SPAN, TAKE_SPAN]);
  await publishedTo(db, 'api_read', [FREE_VEHICLES]);
  await publishedTo(db, 'rentals_rw', [TAKE_SPAN]);
  await sql`grant usage on schema vehicles to rentals_rw`.execute(db);
}

/**
 * The vehicles of a pool that are free for all of `p_during`, with the idle time (at most 30 days a
 * side) that taking each would leave around it. A vehicle that is out past its due time counts as
 * out for two hours and a turnaround more, whether or not its span was rolled yet.
 */
async function createFreeVehicles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.free_vehicles(p_branch text, p_class text, p_during tstzrange)
    returns table (vehicle_id uuid, idle interval) language sql stable as $$
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
      where v.branch_id = p_branch and v.class_id = p_class and v.status = 'in_service'
        and case
          when upper(last.during) > lower(p_during) then false
          when lower(p_during) > now() + interval '26 hours' then true
          -- CASE and a scalar subquery, so that only vehicles that look free are asked, by index.
          else coalesce((
            select upper(o.during) >= now() + make_interval(mins => o.turnaround_minutes)
              or lower(p_during)
                >= now() + interval '2 hours' + make_interval(mins => o.turnaround_minutes)
            from vehicles.span o where o.vehicle_id = v.id and o.grip = 'out'), true)
        end
    $$`.execute(db);
}

/**
 * Holds a vehicle's place in its pool until the transaction ends: who would move it to another branch
 * or class, or take it out of service, waits and then sees the span, or has gone first.
 */
async function createStillInPool(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.still_in_pool(p_vehicle uuid, p_branch text, p_class text)
    returns boolean language plpgsql set search_path = vehicles, pg_temp as $$
    begin
      perform from vehicle
      where id = p_vehicle and branch_id = p_branch and class_id = p_class
        and status = 'in_service' for share;
      return found;
    end $$`.execute(db);
}

/**
 * Gives an unassigned span the best fitting free vehicle; null when none is left. `p_here` leaves out
 * vehicles whose keys are with somebody, however early they are due.
 */
async function createPlaceSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.place_span(p_span uuid, p_here boolean default false)
    returns uuid language plpgsql
    set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_candidate uuid;
    begin
      select * into strict v_span from span where id = p_span;
      for v_candidate in
        select f.vehicle_id from free_vehicles(v_span.branch_out, v_span.class_id, v_span.during) f
        where not p_here or not exists (
          select from span o where o.vehicle_id = f.vehicle_id and o.grip = 'out')
        order by f.idle, f.vehicle_id
      loop
        continue when not still_in_pool(v_candidate, v_span.branch_out, v_span.class_id);
        begin
          update span set vehicle_id = v_candidate, grip = 'tentative', over_limit_reason = null
          where id = p_span;
          return v_candidate;
        exception when exclusion_violation then
          null; -- taken meanwhile: the next one
        end;
      end loop;
      return null;
    end $$`.execute(db);
}

/**
 * Takes the least fragmenting free vehicle of a class for [from, to + turnaround) and answers the
 * branch's terms with it. Lost races move on to the next vehicle. A repeat for the same rental
 * answers what it has. Json: {vehicleId | null, existing, unknown: 'branch' | 'class' | null,
 * entityId, noShowGraceMinutes, overdueGraceMinutes, reminderMinutes}.
 */
async function createTakeSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.take_span(
      p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_out branch;
      v_turnaround int;
      v_during tstzrange;
      v_vehicle uuid;
      v_candidate uuid;
      v_candidates uuid[];
      v_busy uuid[] := '{}';
      v_terms jsonb;
    begin
      -- Two runs of one request at once: the second waits and finds the first one's span.
      perform pg_advisory_xact_lock(hashtextextended(p_ref::text, 0));
      select * into v_out from branch where id = p_branch_out;
      if not found then return jsonb_build_object('unknown', 'branch'); end if;
      select turnaround_minutes into v_turnaround from branch where id = p_branch_in;
      if not found then return jsonb_build_object('unknown', 'branch'); end if;
      perform from class where id = p_class;
      if not found then return jsonb_build_object('unknown', 'class'); end if;
      v_terms := jsonb_build_object('entityId', v_out.entity_id,
        'noShowGraceMinutes', v_out.no_show_grace_minutes,
        'overdueGraceMinutes', v_out.overdue_grace_minutes,
        'reminderMinutes', v_out.return_reminder_minutes, 'unknown', null);
      select vehicle_id into v_vehicle from span where kind = 'rental' and ref = p_ref;
      if found then
        return v_terms || jsonb_build_object('vehicleId', v_vehicle, 'existing', true);
      end if;
      v_during := tstzrange(p_from, p_to + make_interval(mins => v_turnaround));
      v_candidates := array(
        select f.vehicle_id from free_vehicles(p_branch_out, p_class, v_during) f
        order by f.idle, f.vehicle_id);
      for v_pass in 1..2 loop
        foreach v_candidate in array v_candidates loop
          -- Another transaction is about to take this one: come back to it last, do not queue.
          if v_pass = 1
            and not pg_try_advisory_xact_lock(hashtextextended(v_candidate::text, 1)) then
            v_busy := v_busy || v_candidate;
            continue;
          end if;
          continue when not still_in_pool(v_candidate, p_branch_out, p_class);
          insert into span (kind, ref, class_id, branch_out, branch_in, during,
            turnaround_minutes, vehicle_id, grip)
          values ('rental', p_ref, p_class, p_branch_out, p_branch_in, v_during, v_turnaround,
            v_candidate, 'tentative') on conflict do nothing;
          if found then
            return v_terms || jsonb_build_object('vehicleId', v_candidate, 'existing', false);
          end if;
        end loop;
        v_candidates := v_busy;
      end loop;
      return v_terms || jsonb_build_object('vehicleId', null, 'existing', false);
    end $$`.execute(db);
}
