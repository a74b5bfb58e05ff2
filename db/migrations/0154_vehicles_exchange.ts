// Another vehicle in the middle of a rental: the calendar of both, in one step.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const EXCHANGE =
  'vehicles.exchange_span(uuid, uuid, text, text, timestamptz, int, int, jsonb, jsonb)';
const FUNCTIONS = [
  'vehicles.classes_above(text)',
  'vehicles.take_keys(vehicles.span, uuid, text[], jsonb)',
  EXCHANGE,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await admitKind(db);
  await createClassesAbove(db);
  await createTakeKeys(db);
  await createExchange(db);
  await ownedBy(db, 'vehicles_rw', FUNCTIONS);
  await publishedTo(db, 'rentals_rw', [EXCHANGE]);
}

/**
 * A rental's own span goes on with the new vehicle; what the old one did is kept under the segment's
 * id. It is past but for its turnaround, and moved by nothing.
 */
async function admitKind(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table vehicles.span drop constraint span_kind_check,
      add constraint span_kind_check
        check (kind in ('rental', 'exchanged', 'quote', 'transfer', 'maintenance', 'block')),
      add constraint span_exchanged_is_back
        check (kind <> 'exchanged' or grip in ('firm', 'released'))`.execute(db);
}

/** The class itself, then what its renters may be given instead, nearest first. */
async function createClassesAbove(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.classes_above(p_class text) returns text[]
    language sql stable set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      with recursive above (class_id, height, rank) as (
        select p_class, 0, 0
        union all
        select u.next_class_id, a.height + 1, u.rank from upgrade u
        join above a on u.class_id = a.class_id where u.rank is not null and a.height < 10)
      select array_agg(class_id order by height, rank, class_id) from (
        select class_id, min(height) as height, min(rank) as rank from above
        group by class_id) ladder
    $$`.execute(db);
}

/**
 * The keys of p_vehicle for the span as it is to be: at its branch, in service, with nobody's keys
 * out, and free until its end; the turnaround before it may be cut short. Json {vehicleId, classId,
 * odometerKm, fuelEighths, refused: null | 'no-vehicle' | 'vehicle-held' | 'odometer-rollback'};
 * readings that p_reading leaves out are those of the register.
 */
async function createTakeKeys(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.take_keys(
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
        update span set during = tstzrange(lower(during), lower(p_span.during))
        where vehicle_id = p_vehicle and grip = 'firm' and during && p_span.during
          and lower(during) < lower(p_span.during);
        update span set vehicle_id = p_vehicle, class_id = v_vehicle.class_id,
          branch_out = p_span.branch_out, during = p_span.during where id = p_span.id;
      exception when exclusion_violation then
        return v_none; -- it is another rental's until then
      end;
      update vehicle set odometer_km = v_km, fuel_eighths = v_fuel where id = p_vehicle;
      return jsonb_build_object('vehicleId', p_vehicle, 'classId', v_vehicle.class_id,
        'odometerKm', v_km, 'fuelEighths', v_fuel);
    end $$`.execute(db);
}

/**
 * At p_at the vehicle that is out is given back at p_branch, and another of p_class or of a class above
 * it goes out there: the one that p_taken {vehicleId?, odometerKm?, fuelEighths?} names, else the best
 * fitting one of the nearest class. What was booked on the old one goes on from where it stands now,
 * unless p_hold (as set_hold has it, with an id) keeps it. Json as take_keys, and {moved, warnings,
 * hold?} or {refused: 'vehicle-unavailable'}, {unknown: 'branch'}; refused, nothing has changed.
 */
async function createExchange(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.exchange_span(
      p_ref uuid, p_segment uuid, p_class text, p_branch text, p_at timestamptz,
      p_odometer_km int, p_fuel_eighths int, p_taken jsonb, p_hold jsonb
    ) returns jsonb language plpgsql security definer set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_old span;
      v_new span;
      v_classes text[] := classes_above(p_class);
      v_named uuid := (p_taken ->> 'vehicleId')::uuid;
      v_turnaround int;
      v_candidate uuid;
      v_done jsonb := jsonb_build_object('refused', 'vehicle-unavailable');
      v_set jsonb;
      v_class text;
    begin
      -- All pools at once and sorted, those of the other classes too: what follows waits for none.
      perform lock_pools(array_agg(pool.branch), array_agg(pool.class)) from (
        select branch, class from span s
        cross join unnest(array[s.branch_out, s.branch_in, p_branch]) branch
        cross join unnest(v_classes || array[s.class_id,
          (select v.class_id from vehicle v where v.id = s.vehicle_id)]) class
        where s.kind = 'rental' and s.ref = p_ref
        union select o.branch_out, o.class_id
        from span s join span o on o.vehicle_id = s.vehicle_id
        where s.kind = 'rental' and s.ref = p_ref and o.grip = 'tentative') pool;
      v_old := lock_itinerary('rental', p_ref, p_branch);
      select turnaround_minutes into v_turnaround from branch where id = p_branch;
      if not found then return jsonb_build_object('unknown', 'branch'); end if;
      v_new := v_old;
      v_new.branch_out := p_branch;
      v_new.during := tstzrange(p_at, greatest(upper(v_old.during),
        p_at + make_interval(mins => v_old.turnaround_minutes, secs => 1)));
      for v_candidate in
        select v_named where v_named is not null
        union all
        select * from (
          select f.vehicle_id from unnest(v_classes) with ordinality c (id, height)
          cross join lateral free_vehicles(p_branch, v_old.branch_in, c.id, v_new.during) f
          where v_named is null order by c.height, f.idle, f.vehicle_id) best
      loop
        v_done := take_keys(v_new, v_candidate, v_classes, p_taken);
        exit when v_done ->> 'refused' is null;
      end loop;
      if v_done ->> 'refused' is not null then
        return v_done || case when v_named is null
          then jsonb_build_object('refused', 'vehicle-unavailable') else '{}' end;
      end if;
      insert into span (kind, ref, class_id, branch_out, branch_in, during, turnaround_minutes,
        vehicle_id, grip)
      values ('exchanged', p_segment, v_old.class_id, v_old.branch_out, p_branch,
        tstzrange(lower(v_old.during), least(p_at + make_interval(mins => v_turnaround), (
          select min(lower(s.during)) from span s where s.vehicle_id = v_old.vehicle_id
            and s.grip <> 'released' and lower(s.during) > lower(v_old.during)))),
        v_turnaround, v_old.vehicle_id, 'firm');
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths,
        branch_id = p_branch where id = v_old.vehicle_id returning class_id into v_class;
      if p_hold is not null then
        v_set := set_hold('manual', p_hold ->> 'id', v_old.vehicle_id, p_hold);
        return v_done || jsonb_build_object('classBefore', v_class, 'hold', v_set, 'moved', move_off(v_old.vehicle_id),
          'warnings', warning_holds((v_done ->> 'vehicleId')::uuid, v_new.during));
      end if;
      return v_done || jsonb_build_object('classBefore', v_class,
        'warnings', warning_holds((v_done ->> 'vehicleId')::uuid, v_new.during),
        'moved', announce_spans(settle(v_old.vehicle_id)) || promote(p_branch, v_class,
          case when p_branch = v_old.branch_in then v_old.during end));
    end $$`.execute(db);
}
