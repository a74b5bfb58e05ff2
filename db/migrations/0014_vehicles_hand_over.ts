// Keys out, keys back, and giving a span up.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FUNCTIONS = [
  'vehicles.hand_out_span(uuid, timestamptz, int, int, uuid)',
  'vehicles.return_span(uuid, timestamptz, int, int)',
  'vehicles.release_span(uuid)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createHandOut(db);
  await createReturn(db);
  await createRelease(db);
  await ownedBy(db, 'vehicles_rw', [
    ...FUNCTIONS,
    'vehicles.refuse_vehicle(vehicles.span, tstzrange)',
  ]);
  await publishedTo(db, 'rentals_rw', FUNCTIONS);
}

/**
 * The keys of p_vehicle (or of the one that is kept) go out at p_at, early or late. Json {vehicleId,
 * moved, refused: null | 'no-vehicle' | 'odometer-rollback', replacementId}. A kept vehicle is never
 * exchanged in silence, because the readings are those of the keys in somebody's hand: the refusal
 * names another that is there. One whose turnaround still runs may go when the counter says so.
 */
async function createHandOut(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.hand_out_span(
      p_ref uuid, p_at timestamptz, p_odometer_km int, p_fuel_eighths int, p_vehicle uuid
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_vehicle uuid;
      v_last_km int;
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(p_at, greatest(upper(v_span.during),
        p_at + make_interval(mins => v_span.turnaround_minutes, secs => 1)));
      v_vehicle := coalesce(p_vehicle, v_span.vehicle_id);
      if v_vehicle is null then
        update span set during = v_during where id = v_span.id;
        v_vehicle := place_span(v_span.id, true);
        if v_vehicle is null then return jsonb_build_object('refused', 'no-vehicle'); end if;
      elsif not still_in_pool(v_vehicle, v_span.branch_out, v_span.class_id) or exists (
          select from span where vehicle_id = v_vehicle and grip = 'out') then
        return refuse_vehicle(v_span, v_during);
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
        'moved', promote(v_span.branch_out, v_span.class_id));
    end $$`.execute(db);
  await sql`
    create function vehicles.refuse_vehicle(p_span vehicles.span, p_during tstzrange)
    returns jsonb language sql stable set search_path = vehicles, pg_temp as $$
      select jsonb_build_object('refused', 'no-vehicle', 'replacementId', (
        select f.vehicle_id from free_vehicles(p_span.branch_out, p_span.class_id, p_during) f
        where f.vehicle_id is distinct from p_span.vehicle_id and not exists (
          select from span o where o.vehicle_id = f.vehicle_id and o.grip = 'out')
        order by f.idle, f.vehicle_id limit 1))
    $$`.execute(db);
}

/**
 * The vehicle is back at p_at: its span ends a turnaround later, or where the next one begins. Waiting
 * demands are served at once. Json {vehicleId, moved}.
 */
async function createReturn(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.return_span(
      p_ref uuid, p_at timestamptz, p_odometer_km int, p_fuel_eighths int
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_next timestamptz;
    begin
      v_span := lock_span(p_ref);
      select lower(s.during) into v_next from span s
      where s.vehicle_id = v_span.vehicle_id and s.grip <> 'released'
        and lower(s.during) > lower(v_span.during)
      order by lower(s.during) limit 1;
      update span set grip = 'firm', during = tstzrange(lower(during),
          least(p_at + make_interval(mins => turnaround_minutes), v_next))
      where id = v_span.id;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths,
        branch_id = v_span.branch_in where id = v_span.vehicle_id;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', promote(v_span.branch_in, v_span.class_id));
    end $$`.execute(db);
}

/** Nobody comes: the time is free again, and waiting demands are served. Json {vehicleId, moved}. */
async function createRelease(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.release_span(p_ref uuid) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
    begin
      v_span := lock_span(p_ref);
      update span set grip = 'released' where id = v_span.id;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', promote(v_span.branch_out, v_span.class_id));
    end $$`.execute(db);
}
