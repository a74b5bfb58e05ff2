// Keys never go out on a blocked vehicle: what they cut short is a turnaround, and nothing else.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createEndTurnaround(db);
  await replaceHandOut(db);
  await replaceTakeKeys(db);
  await replaceWalkUp(db);
  await restoreBlocks(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.end_turnaround(uuid, tstzrange)']);
}

/**
 * The vehicle is in somebody's hand at the beginning of p_during: whatever turnaround runs then is over.
 * A block or work that has begun goes on, and the exclusion constraint refuses whoever comes into it.
 */
async function createEndTurnaround(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.end_turnaround(p_vehicle uuid, p_during tstzrange) returns void
    language sql set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      update span set during = tstzrange(lower(during), lower(p_during))
      where vehicle_id = p_vehicle and grip = 'firm' and kind not in ('block', 'maintenance')
        and during && p_during and lower(during) < lower(p_during)
    $$`.execute(db);
}

/** As before, but for what it cuts short; and it tells the class of the vehicle that goes out. */
async function replaceHandOut(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.hand_out_span(
      p_ref uuid, p_at timestamptz, p_odometer_km int, p_fuel_eighths int, p_vehicle uuid
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_during tstzrange;
      v_vehicle uuid;
      v_hold jsonb;
      v_last_km int;
      v_class text;
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
      select odometer_km, class_id into strict v_last_km, v_class from vehicle
      where id = v_vehicle for update;
      if p_odometer_km < v_last_km then
        return jsonb_build_object('refused', 'odometer-rollback', 'lastKm', v_last_km);
      end if;
      begin
        perform end_turnaround(v_vehicle, v_during);
        update span set vehicle_id = v_vehicle, grip = 'out', over_limit_reason = null,
          during = v_during where id = v_span.id;
      exception when exclusion_violation then
        return refuse_vehicle(v_span, v_during); -- it is blocked, or another rental's until then
      end;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths
      where id = v_vehicle;
      return jsonb_build_object('vehicleId', v_vehicle, 'classId', v_class,
        'warnings', warning_holds(v_vehicle, v_during),
        'moved', announce_spans(case when v_vehicle is distinct from v_span.vehicle_id
            and v_span.vehicle_id is not null then settle(v_span.vehicle_id) else '{}' end)
          || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    end $$`.execute(db);
}

/** As before, but for what it cuts short. */
async function replaceTakeKeys(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.take_keys(
      p_span vehicles.span, p_vehicle uuid, p_classes text[], p_reading jsonb
    ) returns jsonb language plpgsql set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_vehicle vehicle;
      v_hold jsonb;
      v_km int;
      v_fuel int;
      v_none constant jsonb := jsonb_build_object('refused', 'no-vehicle');
    begin
      select * into v_vehicle from vehicle where id = p_vehicle and branch_id = p_span.branch_out
        and status = 'in_service' and class_id = any (p_classes) for update;
      if not found or exists (select from span where vehicle_id = p_vehicle and grip = 'out')
        or coalesce(next_place(p_vehicle, upper(p_span.during)), p_span.branch_in)
          <> p_span.branch_in then
        return v_none;
      end if;
      v_hold := blocking_hold(p_vehicle, p_span.during);
      if v_hold is not null then
        return jsonb_build_object('refused', 'vehicle-held', 'hold', v_hold);
      end if;
      v_km := coalesce((p_reading ->> 'odometerKm')::int, v_vehicle.odometer_km);
      v_fuel := coalesce((p_reading ->> 'fuelEighths')::int, v_vehicle.fuel_eighths, 8);
      if v_km < v_vehicle.odometer_km then
        return jsonb_build_object('refused', 'odometer-rollback',
          'lastKm', v_vehicle.odometer_km);
      end if;
      begin
        perform end_turnaround(p_vehicle, p_span.during);
        update span set vehicle_id = p_vehicle, class_id = v_vehicle.class_id,
          branch_out = p_span.branch_out, during = p_span.during where id = p_span.id;
      exception when exclusion_violation then
        return v_none; -- it is blocked, or another rental's until then
      end;
      update vehicle set odometer_km = v_km, fuel_eighths = v_fuel where id = p_vehicle;
      return jsonb_build_object('vehicleId', p_vehicle, 'classId', v_vehicle.class_id,
        'odometerKm', v_km, 'fuelEighths', v_fuel);
    end $$`.execute(db);
}

/** As before, but for what it cuts short. */
async function replaceWalkUp(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.take_walk_up(
      p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz, p_vehicle uuid
    ) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_terms jsonb;
      v_turnaround int;
      v_during tstzrange;
      v_taken jsonb;
    begin
      perform lock_pools(array[p_branch_out, p_branch_in], array[p_class, p_class]);
      v_terms := terms_of(p_class, p_branch_out, p_branch_in);
      if p_vehicle is null or v_terms ->> 'unknown' is not null
        or exists (select from span where kind = 'rental' and ref = p_ref) then
        return take('rental', p_ref, p_class, p_branch_out, p_branch_in, p_from, p_to, null);
      end if;
      v_turnaround := v_terms ->> 'turnaroundMinutes';
      v_during := tstzrange(p_from, p_to + make_interval(mins => v_turnaround));
      v_taken := v_terms || jsonb_build_object('vehicleId', null, 'full', true);
      perform from vehicle where id = p_vehicle for no key update;
      perform end_turnaround(p_vehicle, v_during);
      if not keep_place(p_vehicle, p_branch_out, p_branch_in, p_class, v_during) then
        return v_taken;
      end if;
      insert into span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('rental', p_ref, p_class, p_branch_out, p_branch_in, v_during, v_turnaround,
        p_vehicle, 'tentative') on conflict do nothing;
      if not found then return v_taken; end if;
      return v_terms || jsonb_build_object('vehicleId', p_vehicle);
    end $$`.execute(db);
}

/**
 * Blocks that keys had cut short say again what the vehicle's row says: in full, or from when the last
 * span in their way ends, because nothing that was agreed meanwhile is taken away.
 */
export async function restoreBlocks<T>(db: Kysely<T>): Promise<void> {
  await sql`
    update vehicles.span s set during = w.during
    from vehicles.vehicle v cross join lateral (
      values ('2000-01-01Z'::timestamptz, v.sub_rented_from),
        (v.sub_rented_until - make_interval(hours => 24 * v.off_hire_notice_days), '9999-12-31Z'),
        (v.held_for_sale_at, '9999-12-31Z')) b (begins, ends)
      cross join lateral (
        select tstzrange(least(coalesce(max(upper(o.during)), b.begins), b.ends), b.ends) as during
        from vehicles.span o
        where o.vehicle_id = v.id and o.kind <> 'block' and o.grip <> 'released'
          and o.during && tstzrange(b.begins, b.ends)) w
    where b.begins < b.ends and s.vehicle_id = v.id and s.kind = 'block' and s.grip = 'firm'
      and lower(s.during) = b.begins and upper(s.during) < b.ends
      and not isempty(w.during)`.execute(db);
}
