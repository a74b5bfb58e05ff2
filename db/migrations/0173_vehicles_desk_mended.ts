// The desk's calendar mended: keys in the hand after any turnaround, and an undone check-out's end.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const UNDO = 'vehicles.undo_hand_out(uuid, timestamptz, int, int, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceWalkUp(db);
  await replaceUndo(db);
  await ownedBy(db, 'vehicles_rw', [UNDO]);
  await publishedTo(db, 'rentals_rw', [UNDO]);
}

/**
 * As before, but whatever turnaround runs is cut short, as hand_out_span does it: also that of a vehicle
 * which came by transfer, or back from an exchange.
 */
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
      update span set during = tstzrange(lower(during), p_from)
      where vehicle_id = p_vehicle and grip = 'firm'
        and during && v_during and lower(during) < p_from;
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
 * The keys came back over the counter: the vehicle is kept for the same rental as before they went out,
 * and until p_due, whatever later return was announced meanwhile. What that took is free again, also
 * where the vehicle was to come back. Json {vehicleId, moved}.
 */
async function replaceUndo(db: Kysely<unknown>): Promise<void> {
  await sql`drop function vehicles.undo_hand_out(uuid, timestamptz, int, int)`.execute(db);
  await sql`
    create function vehicles.undo_hand_out(
      p_ref uuid, p_from timestamptz, p_odometer_km int, p_fuel_eighths int,
      p_due timestamptz default null
    ) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_until timestamptz;
      v_class text;
      v_moved jsonb;
    begin
      v_span := lock_span(p_ref);
      if v_span.grip <> 'out' then
        raise exception 'The span of % is not out.', p_ref using errcode = 'check_violation';
      end if;
      v_until := least(upper(v_span.during),
        greatest(coalesce(p_due, upper(v_span.during)), now()) + make_interval(mins => v_span.turnaround_minutes));
      -- Who came early waits again until the time that was booked.
      update span set grip = 'tentative',
        during = tstzrange(greatest(lower(during), p_from), v_until)
      where id = v_span.id;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths
      where id = v_span.vehicle_id returning class_id into v_class;
      v_moved := promote(v_span.branch_out, v_span.class_id, freed_by(v_span));
      if (v_span.branch_in, v_class) <> (v_span.branch_out, v_span.class_id) then
        v_moved := v_moved || promote(v_span.branch_in, v_class, freed_by(v_span));
      end if;
      return jsonb_build_object('vehicleId', v_span.vehicle_id, 'moved', v_moved);
    end $$`.execute(db);
}
