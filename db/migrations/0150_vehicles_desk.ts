// The calendar's part of what a desk does daily: walk-ups, keys that come back at once, late comers.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const WALK_UP = 'vehicles.take_walk_up(uuid, text, text, text, timestamptz, timestamptz, uuid)';
const UNDO = 'vehicles.undo_hand_out(uuid, timestamptz, int, int)';
const RETAKE = 'vehicles.retake_span(uuid, timestamptz, timestamptz)';
const GRACE = 'vehicles.no_show_grace(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createWalkUp(db);
  await createUndo(db);
  await createRetake(db);
  await createGrace(db);
  await ownedBy(db, 'vehicles_rw', [WALK_UP, UNDO, RETAKE, GRACE]);
  await publishedTo(db, 'rentals_rw', [WALK_UP, UNDO, RETAKE, GRACE]);
}

/**
 * A vehicle for somebody who stands at the counter: the one whose keys are in the agent's hand, or the
 * best fitting one. Json as take_span's. The pool is locked first, because the keys go out in the same
 * transaction and whoever moves spans takes the pool before any vehicle. A turnaround that still runs
 * ends when the counter says so, as at each check-out.
 */
async function createWalkUp(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.take_walk_up(
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
      where vehicle_id = p_vehicle and kind = 'rental' and grip = 'firm'
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
 * The keys came back over the counter: the vehicle is kept for the same rental as before they went
 * out. Json {vehicleId, moved}.
 */
async function createUndo(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.undo_hand_out(
      p_ref uuid, p_from timestamptz, p_odometer_km int, p_fuel_eighths int
    ) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
    begin
      v_span := lock_span(p_ref);
      if v_span.grip <> 'out' then
        raise exception 'The span of % is not out.', p_ref using errcode = 'check_violation';
      end if;
      -- Who came early waits again until the time that was booked.
      update span set grip = 'tentative',
        during = tstzrange(greatest(lower(during), p_from), upper(during))
      where id = v_span.id;
      update vehicle set odometer_km = p_odometer_km, fuel_eighths = p_fuel_eighths
      where id = v_span.vehicle_id;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    end $$`.execute(db);
}

/**
 * A vehicle once more for a rental whose span was released: the best fitting free one. Json
 * {vehicleId, moved, refused: null | 'vehicle-unavailable'}; when refused the caller rolls back.
 */
async function createRetake(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.retake_span(p_ref uuid, p_from timestamptz, p_due timestamptz)
    returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_vehicle uuid;
    begin
      v_span := lock_span(p_ref);
      if v_span.grip <> 'released' then
        raise exception 'The span of % is not released.', p_ref using errcode = 'check_violation';
      end if;
      update span set grip = 'unassigned', vehicle_id = null, over_limit_reason = null,
        during = tstzrange(p_from, p_due + make_interval(mins => turnaround_minutes))
      where id = v_span.id;
      v_vehicle := place_span(v_span.id);
      if v_vehicle is null then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      return jsonb_build_object('vehicleId', v_vehicle, 'moved', announce_spans(array[v_span.id]));
    end $$`.execute(db);
}

/** Minutes that a branch waits for whoever does not come. */
async function createGrace(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.no_show_grace(p_branch text) returns int
    language sql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*'
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      select no_show_grace_minutes from branch where id = p_branch
    $$`.execute(db);
}
