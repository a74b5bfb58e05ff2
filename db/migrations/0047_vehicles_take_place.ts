// Taking a vehicle for a rental or a held quote: best fit, at the place where it will be.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const TAKE = 'vehicles.take(text, uuid, text, text, text, timestamptz, timestamptz, timestamptz)';
const TAKE_SPAN = 'vehicles.take_span(uuid, text, text, text, timestamptz, timestamptz)';
const KEEP_PLACE = 'vehicles.keep_place(uuid, text, text, text, tstzrange)';
const PLACE_SPAN = 'vehicles.place_span(uuid, boolean, tstzrange)';
const TERMS = 'vehicles.terms_of(text, text, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createKeepPlace(db);
  await replacePlaceSpan(db);
  await createTerms(db);
  await createTake(db);
  await replaceTakeSpan(db);
  await ownedBy(db, 'vehicles_rw', [KEEP_PLACE, PLACE_SPAN, TERMS, TAKE, TAKE_SPAN]);
  await publishedTo(db, 'rentals_rw', [TAKE_SPAN]);
}

/**
 * Holds a vehicle in its class and itinerary until the transaction ends, and looks again. Who would
 * withdraw, hold or move it waits and then sees the span, or has gone first. Spans that stay at a
 * branch do not disturb each other; one that leaves it is alone.
 */
async function createKeepPlace(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.keep_place(
      p_vehicle uuid, p_branch_out text, p_branch_in text, p_class text, p_during tstzrange
    ) returns boolean language plpgsql set search_path = vehicles, pg_temp as $$
    begin
      if p_branch_out = p_branch_in then
        perform from vehicle
        where id = p_vehicle and class_id = p_class and status = 'in_service' for share;
      else
        perform from vehicle
        where id = p_vehicle and class_id = p_class and status = 'in_service' for no key update;
      end if;
      -- A statement of its own: it sees what was committed while the row was waited for.
      return found and belongs(p_vehicle, p_branch_out, p_branch_in, p_during);
    end $$`.execute(db);
}

/**
 * Gives a span without a vehicle the best fitting free one, for `p_during` if that is named; null
 * when none is left. `p_here` leaves out vehicles that are not at the branch now.
 */
async function replacePlaceSpan(db: Kysely<unknown>): Promise<void> {
  await sql`drop function vehicles.place_span(uuid, boolean)`.execute(db);
  await sql`
    create function vehicles.place_span(
      p_span uuid, p_here boolean default false, p_during tstzrange default null
    ) returns uuid language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_candidate uuid;
    begin
      select * into strict v_span from span where id = p_span;
      v_during := coalesce(p_during, v_span.during);
      for v_candidate in
        select f.vehicle_id
        from free_vehicles(v_span.branch_out, v_span.branch_in, v_span.class_id, v_during) f
        where not p_here or (
          not exists (select from span o where o.vehicle_id = f.vehicle_id and o.grip = 'out')
          and exists (select from vehicle v
            where v.id = f.vehicle_id and v.branch_id = v_span.branch_out))
        order by f.idle, f.vehicle_id
      loop
        continue when not keep_place(v_candidate, v_span.branch_out, v_span.branch_in,
          v_span.class_id, v_during);
        begin
          update span set vehicle_id = v_candidate, grip = 'tentative', during = v_during,
            over_limit_reason = null
          where id = p_span;
          return v_candidate;
        exception when exclusion_violation then
          null; -- taken meanwhile: the next one
        end;
      end loop;
      return null;
    end $$`.execute(db);
}

/** The branch's terms that a rental freezes, `unknown` when a branch or the class is not there. */
async function createTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.terms_of(p_class text, p_branch_out text, p_branch_in text)
    returns jsonb language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce((
        select jsonb_build_object('entityId', o.entity_id,
          'noShowGraceMinutes', o.no_show_grace_minutes,
          'overdueGraceMinutes', o.overdue_grace_minutes,
          'reminderMinutes', o.return_reminder_minutes,
          'turnaroundMinutes', i.turnaround_minutes, 'existing', false,
          'unknown', case when c.id is null then 'class' end)
        from branch o join branch i on i.id = p_branch_in left join class c on c.id = p_class
        where o.id = p_branch_out), jsonb_build_object('unknown', 'branch'))
    $$`.execute(db);
}

/** Lost races move on to the next vehicle. A repeat for the same kind and ref answers what it has. */
async function createTake(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.take(
      p_kind text, p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz, p_held_until timestamptz
    ) returns jsonb language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_terms jsonb;
      v_turnaround int;
      v_during tstzrange;
      v_vehicle uuid;
      v_candidate uuid;
      v_candidates uuid[];
      v_busy uuid[] := '{}';
    begin
      -- Two runs of one request at once: the second waits and finds the first one's span.
      perform pg_advisory_xact_lock(hashtextextended(p_ref::text, 0));
      v_terms := terms_of(p_class, p_branch_out, p_branch_in);
      if v_terms ->> 'unknown' is not null then return v_terms; end if;
      select vehicle_id into v_vehicle from span where kind = p_kind and ref = p_ref;
      if found then
        return v_terms || jsonb_build_object('vehicleId', v_vehicle, 'existing', true);
      end if;
      v_turnaround := v_terms ->> 'turnaroundMinutes';
      v_during := tstzrange(p_from, p_to + make_interval(mins => v_turnaround));
      v_candidates := array(
        select f.vehicle_id from free_vehicles(p_branch_out, p_branch_in, p_class, v_during) f
        order by f.idle, f.vehicle_id);
      for v_pass in 1..2 loop
        foreach v_candidate in array v_candidates loop
          -- Another transaction is about to take this one: come back to it last, do not queue.
          if v_pass = 1
            and not pg_try_advisory_xact_lock(hashtextextended(v_candidate::text, 1)) then
            v_busy := v_busy || v_candidate;
            continue;
          end if;
          continue when not keep_place(v_candidate, p_branch_out, p_branch_in, p_class, v_during);
          insert into span (kind, ref, class_id, branch_out, branch_in, during,
            turnaround_minutes, vehicle_id, grip, held_until)
          values (p_kind, p_ref, p_class, p_branch_out, p_branch_in, v_during, v_turnaround,
            v_candidate, 'tentative', p_held_until) on conflict do nothing;
          if found then
            return v_terms || jsonb_build_object('vehicleId', v_candidate);
          end if;
        end loop;
        v_candidates := v_busy;
      end loop;
      return v_terms || jsonb_build_object('vehicleId', null, 'full', true);
    end $$`.execute(db);
}

/**
 * Step 1 of a reservation: the least fragmenting free vehicle for [from, to + turnaround of the
 * return's branch), and the branch's terms. Json: {vehicleId | null, existing, full?, unknown:
 * 'branch' | 'class' | null, entityId, noShowGraceMinutes, overdueGraceMinutes, reminderMinutes}.
 */
async function replaceTakeSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.take_span(
      p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz
    ) returns jsonb
    language sql security definer set search_path = vehicles, pg_temp as $$
      select take('rental', p_ref, p_class, p_branch_out, p_branch_in, p_from, p_to, null)
    $$`.execute(db);
}
