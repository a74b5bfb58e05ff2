// Keys out, keys back at whatever branch, and giving a span up.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const RETURN_SPAN = 'vehicles.return_span(uuid, timestamptz, int, int, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceHandOut(db);
  await replaceReturn(db);
  await replaceRelease(db);
  await ownedBy(db, 'vehicles_rw', [
    RETURN_SPAN,
    'vehicles.is_here(uuid, vehicles.span)',
    'vehicles.release(text, uuid)',
  ]);
  await publishedTo(db, 'rentals_rw', [RETURN_SPAN]);
}

/**
 * The keys of p_vehicle (or of the one that is kept) go out at p_at, early or late. Json {vehicleId,
 * moved, warnings, refused: null | 'no-vehicle' | 'odometer-rollback' | 'vehicle-held', hold?,
 * replacementId?}. A kept vehicle is never exchanged in silence, because the readings are those of the
 * keys in somebody's hand: the refusal names another that is there. One whose turnaround still runs
 * may go when the counter says so.
 */
async function replaceHandOut(db: Kysely<unknown>): Promise<void> {
  await createIsHere(db);
  await sql`
    create or replace function vehicles.hand_out_span(
      p_ref uuid, p_at timestamptz, p_odometer_km int, p_fuel_eighths int, p_vehicle uuid
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_vehicle uuid;
      v_hold jsonb;
      v_last_km int;
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(p_at, greatest(upper(v_span.during),
        p_at + make_interval(mins => v_span.turnaround_minutes, secs => 1)));
      v_vehicle := coalesce(p_vehicle, v_span.vehicle_id);
      if v_vehicle is null then
        v_vehicle := place_span(v_span.id, true, v_during);
        if v_vehicle is null then return jsonb_build_object('refused', 'no-vehicle'); end if;
      elsif not is_here(v_vehicle, v_span) then
        return refuse_vehicle(v_span, v_during);
      end if;
      v_hold := blocking_hold(v_vehicle, v_during);
      if v_hold is not null then
        return refuse_vehicle(v_span, v_during)
          || jsonb_build_object('refused', 'vehicle-held', 'hold', v_hold);
      end if;
      select odometer_km into strict v_last_km from vehicle where id = v_vehicle for update;
      if p_odometer_km < v_last_km then
        return jsonb_build_object('refused', 'odometer-rollback', 'lastKm', v_last_km);
      end if;
      begin
        update span set during = tstzrange(lower(during), p_at)
        where vehicle_id = v_vehicle and grip = 'firm' and id <> v_span.id
          and during && v_during and lower(during) < p_at;
        update span set vehicle_id = v_vehicle, grip = 'out', over_limit_reason = null,
          during = v_during where id = v_span.id;
      exception when exclusion_violation then
        return refuse_vehicle(v_span, v_during); -- it is another rental's until then
      end;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths
      where id = v_vehicle;
      return jsonb_build_object('vehicleId', v_vehicle,
        'warnings', warning_holds(v_vehicle, v_during),
        'moved', announce_spans(case when v_vehicle is distinct from v_span.vehicle_id
            and v_span.vehicle_id is not null then settle(v_span.vehicle_id) else '{}' end)
          || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    end $$`.execute(db);
  await sql`
    create or replace function vehicles.refuse_vehicle(p_span vehicles.span, p_during tstzrange)
    returns jsonb language sql stable set search_path = vehicles, pg_temp as $$
      select jsonb_build_object('refused', 'no-vehicle', 'replacementId', (
        select f.vehicle_id from free_vehicles(p_span.branch_out, p_span.branch_in,
          p_span.class_id, p_during) f
        join vehicle v on v.id = f.vehicle_id and v.branch_id = p_span.branch_out
        where f.vehicle_id is distinct from p_span.vehicle_id and not exists (
          select from span o where o.vehicle_id = f.vehicle_id and o.grip = 'out')
        order by f.idle, f.vehicle_id limit 1))
    $$`.execute(db);
}

/**
 * Whether a vehicle stands at the span's branch, in service and with nobody's keys out, and what is
 * booked on it next may start where this span ends. One that is not the kept one must be of its class.
 */
async function createIsHere(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.is_here(p_vehicle uuid, p_span vehicles.span) returns boolean
    language plpgsql set search_path = vehicles, pg_temp as $$
    begin
      perform from vehicle
      where id = p_vehicle and branch_id = p_span.branch_out and status = 'in_service'
        and (class_id = p_span.class_id or id = p_span.vehicle_id) for no key update;
      return found
        and not exists (select from span where vehicle_id = p_vehicle and grip = 'out')
        and (p_vehicle is not distinct from p_span.vehicle_id
          or coalesce(next_place(p_vehicle, upper(p_span.during)), p_span.branch_in)
            = p_span.branch_in);
    end $$`.execute(db);
}

/**
 * The vehicle is back at p_at, at the branch booked or at p_branch: its span ends a turnaround of
 * that branch later, or where the next one begins, and the vehicle is there. What was booked from
 * where it should have come back finds other vehicles. Waiting demands are served at once. Json
 * {vehicleId, moved}.
 */
async function replaceReturn(db: Kysely<unknown>): Promise<void> {
  await sql`drop function vehicles.return_span(uuid, timestamptz, int, int)`.execute(db);
  await sql`
    create function vehicles.return_span(
      p_ref uuid, p_at timestamptz, p_odometer_km int, p_fuel_eighths int,
      p_branch text default null
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_booked text;
      v_class text;
      v_next timestamptz;
      v_turnaround int;
      v_moved uuid[] := '{}';
    begin
      v_span := lock_itinerary('rental', p_ref, p_branch);
      v_booked := v_span.branch_in;
      if p_branch <> v_booked then
        select turnaround_minutes into v_turnaround from branch where id = p_branch;
        if not found then return jsonb_build_object('unknown', 'branch'); end if;
        update span set branch_in = p_branch, turnaround_minutes = v_turnaround
        where id = v_span.id returning * into v_span;
        v_moved := settle(v_span.vehicle_id);
      end if;
      select lower(s.during) into v_next from span s
      where s.vehicle_id = v_span.vehicle_id and s.grip <> 'released'
        and lower(s.during) > lower(v_span.during)
      order by lower(s.during) limit 1;
      update span set grip = 'firm', during = tstzrange(lower(during),
          least(p_at + make_interval(mins => turnaround_minutes), v_next))
      where id = v_span.id;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths,
        branch_id = v_span.branch_in where id = v_span.vehicle_id
      returning class_id into v_class;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', announce_spans(v_moved) || promote(v_span.branch_in, v_class,
          case when p_branch is null or p_branch = v_booked then v_span.during end));
    end $$`.execute(db);
}

/**
 * Nobody comes: the time is free again, what was booked on from where the vehicle would have gone finds
 * another one, and waiting demands are served. Json {vehicleId, moved}.
 */
async function replaceRelease(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.release(p_kind text, p_ref uuid) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_moved uuid[] := '{}';
    begin
      v_span := lock_itinerary(p_kind, p_ref);
      update span set grip = 'released' where id = v_span.id;
      if v_span.branch_in <> v_span.branch_out and v_span.vehicle_id is not null then
        v_moved := settle(v_span.vehicle_id);
      end if;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', announce_spans(v_moved) || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    end $$`.execute(db);
  await sql`
    create or replace function vehicles.release_span(p_ref uuid) returns jsonb
    language sql security definer set search_path = vehicles, pg_temp as $$
      select release('rental', p_ref)
    $$`.execute(db);
}
