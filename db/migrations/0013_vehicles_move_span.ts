// Moving spans: promotion of waiting demands, extension, and rolling past a missed return.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createHelpers(db);
  await createExtend(db);
  await createRoll(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.lock_span(uuid)',
    'vehicles.promote(text, text)',
    'vehicles.announce_spans(uuid[])',
    'vehicles.clear_way(uuid, tstzrange)',
    'vehicles.extend_span(uuid, timestamptz)',
    'vehicles.roll_span(uuid, timestamptz)',
  ]);
  await publishedTo(db, 'rentals_rw', [
    'vehicles.extend_span(uuid, timestamptz)',
    'vehicles.roll_span(uuid, timestamptz)',
  ]);
}

/** Shared by every function that moves spans; nobody else may call them. */
async function createHelpers(db: Kysely<unknown>): Promise<void> {
  // Movers of one pool take turns; the common case, take_span, needs no such lock. The pool comes
  // before the row: who moves others' spans must never meet one that waits for the pool.
  await sql`
    create function vehicles.lock_span(p_ref uuid) returns vehicles.span
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
    begin
      perform pg_advisory_xact_lock(hashtextextended(branch_out || '/' || class_id, 2))
      from span where kind = 'rental' and ref = p_ref;
      select * into strict v_span from span where kind = 'rental' and ref = p_ref for update;
      return v_span;
    end $$`.execute(db);
  // As rows {rentalId, spanId, version, vehicleId}: what the caller tells the moved rentals, once
  // for each version.
  await sql`
    create function vehicles.announce_spans(p_ids uuid[]) returns jsonb
    language sql set search_path = vehicles, pg_temp as $$
      with told as (
        update span set version = version + 1 where id = any (p_ids) returning *)
      select coalesce(jsonb_agg(jsonb_build_object('rentalId', t.ref, 'spanId', t.id,
        'version', t.version, 'vehicleId', t.vehicle_id)), '[]') from told t
    $$`.execute(db);
  // Waiting demands get what became free: earliest pick-up first, then earliest booking. One that
  // should have begun by now takes what is ready after a turnaround: its renter is at the counter.
  await sql`
    create function vehicles.promote(p_branch text, p_class text) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_ready timestamptz;
      v_moved uuid[] := '{}';
    begin
      for v_span in
        select * from span
        where branch_out = p_branch and class_id = p_class and grip = 'unassigned'
        order by lower(during), created_at
      loop
        if place_span(v_span.id) is not null then
          v_moved := v_moved || v_span.id;
          continue;
        end if;
        v_ready := now() + make_interval(mins => v_span.turnaround_minutes);
        continue when v_ready <= lower(v_span.during) or v_ready >= upper(v_span.during);
        update span set during = tstzrange(v_ready, upper(during)) where id = v_span.id;
        if place_span(v_span.id) is not null then
          v_moved := v_moved || v_span.id;
        else
          update span set during = v_span.during where id = v_span.id;
        end if;
      end loop;
      return announce_spans(v_moved);
    end $$`.execute(db);
  // Only tentative spans give way; their vehicle is taken from them, the caller finds another.
  await sql`
    create function vehicles.clear_way(p_span uuid, p_during tstzrange) returns uuid[]
    language sql set search_path = vehicles, pg_temp as $$
      with moved as (
        update span set vehicle_id = null, grip = 'unassigned'
        where id in (
          select other.id from span other
          join span own on own.id = p_span and own.vehicle_id = other.vehicle_id
          where other.id <> p_span and other.grip = 'tentative' and other.during && p_during)
        returning id, during, created_at)
      select coalesce(array_agg(id order by lower(during), created_at), '{}') from moved
    $$`.execute(db);
}

/**
 * A later due time. Json {vehicleId, moved, refused: null | 'vehicle-unavailable'}; when refused the
 * caller rolls back. Tentative spans in the way of a vehicle that is out move to other vehicles; a
 * rental that is not out yet moves itself. Waiting demands get what either leaves behind (an overdue
 * vehicle's new due time may be earlier than the time that its calendar was kept).
 */
async function createExtend(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.extend_span(p_ref uuid, p_due timestamptz) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_other uuid;
      v_vehicle uuid;
      v_served jsonb;
      v_moved uuid[];
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(lower(v_span.during),
        p_due + make_interval(mins => v_span.turnaround_minutes));
      begin
        update span set during = v_during where id = v_span.id;
        v_served := promote(v_span.branch_out, v_span.class_id);
        select vehicle_id into v_vehicle from span where id = v_span.id;
        if v_vehicle is null then
          -- It waits for a vehicle already; nobody promises it a longer wait.
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
        return jsonb_build_object('vehicleId', v_vehicle, 'moved', v_served);
      exception when exclusion_violation then
        null; -- somebody is booked behind it
      end;
      if v_span.grip = 'tentative' then
        update span set during = v_during, vehicle_id = null, grip = 'unassigned'
        where id = v_span.id;
        v_vehicle := place_span(v_span.id);
        if v_vehicle is null then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
        return jsonb_build_object('vehicleId', v_vehicle,
          'moved', promote(v_span.branch_out, v_span.class_id));
      end if;
      v_moved := clear_way(v_span.id, v_during);
      update span set during = v_during where id = v_span.id;
      foreach v_other in array v_moved loop
        if place_span(v_other) is null then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
      end loop;
      return jsonb_build_object('vehicleId', v_span.vehicle_id, 'moved',
        announce_spans(v_moved) || promote(v_span.branch_out, v_span.class_id));
    exception when exclusion_violation then
      return jsonb_build_object('refused', 'vehicle-unavailable'); -- a firm span does not move
    end $$`.execute(db);
}

/**
 * A vehicle that did not come back keeps its calendar until p_until. Json {vehicleId, moved}: demands in
 * the way go to other vehicles; those without one wait beyond the limit, marked 'overdue'.
 */
async function createRoll(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.roll_span(p_ref uuid, p_until timestamptz) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_other uuid;
      v_moved uuid[];
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(lower(v_span.during), greatest(upper(v_span.during),
        p_until + make_interval(mins => v_span.turnaround_minutes)));
      v_moved := clear_way(v_span.id, v_during);
      update span set during = v_during where id = v_span.id;
      foreach v_other in array v_moved loop
        if place_span(v_other) is null then
          update span set over_limit_reason = 'overdue' where id = v_other;
        end if;
      end loop;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', announce_spans(v_moved));
    end $$`.execute(db);
}
