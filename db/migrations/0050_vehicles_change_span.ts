// A later due time, and a vehicle that did not come back: who keeps the vehicle and who moves.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceExtend(db);
  await replaceRoll(db);
}

/**
 * A later due time. Json {vehicleId, moved, refused: null | 'vehicle-unavailable' | 'vehicle-held',
 * hold?}; when refused the caller rolls back. Tentative spans in the way of a vehicle that is out move
 * to other vehicles; a rental that is not out yet moves itself, also from under a hold. Waiting demands
 * get what either leaves behind (an overdue vehicle's new due time may be earlier than the time that
 * its calendar was kept).
 */
async function replaceExtend(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.extend_span(p_ref uuid, p_due timestamptz) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_hold jsonb;
      v_other uuid;
      v_vehicle uuid;
      v_served jsonb;
      v_moved uuid[];
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(lower(v_span.during),
        p_due + make_interval(mins => v_span.turnaround_minutes));
      -- Of a vehicle that is out the past is past.
      v_hold := blocking_hold(v_span.vehicle_id, tstzrange(
        greatest(lower(v_during), least(now(), upper(v_during))), upper(v_during), '[]'));
      if v_hold is not null and v_span.grip <> 'tentative' then
        return jsonb_build_object('refused', 'vehicle-held', 'hold', v_hold);
      end if;
      if v_hold is null then
        begin
          update span set during = v_during where id = v_span.id;
          v_served := promote(v_span.branch_out, v_span.class_id, freed_by(v_span));
          select vehicle_id into v_vehicle from span where id = v_span.id;
          if v_vehicle is null then
            -- It waits for a vehicle already; nobody promises it a longer wait.
            return jsonb_build_object('refused', 'vehicle-unavailable');
          end if;
          return jsonb_build_object('vehicleId', v_vehicle, 'moved', v_served);
        exception when exclusion_violation then
          null; -- somebody is booked behind it
        end;
      end if;
      if v_span.grip = 'tentative' then
        perform displace(v_span.id);
        update span set during = v_during where id = v_span.id;
        v_vehicle := place_span(v_span.id);
        if v_vehicle is null then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
        v_moved := settle(v_span.vehicle_id);
        return jsonb_build_object('vehicleId', v_vehicle, 'moved',
          announce_spans(v_moved) || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
      end if;
      v_moved := clear_way(v_span.id, v_during);
      update span set during = v_during where id = v_span.id;
      foreach v_other in array v_moved loop
        if place_span(v_other) is null then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
      end loop;
      v_moved := v_moved || settle(v_span.vehicle_id);
      return jsonb_build_object('vehicleId', v_span.vehicle_id, 'moved',
        announce_spans(v_moved) || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    exception when exclusion_violation then
      return jsonb_build_object('refused', 'vehicle-unavailable'); -- a firm span does not move
    end $$`.execute(db);
}

/**
 * A vehicle that did not come back keeps its calendar until p_until, or until work begins that nobody
 * can move. Json {vehicleId, moved}: demands in the way, firm ones too, go to other vehicles; those
 * without one wait beyond the limit, marked 'overdue', and a quote ends.
 */
async function replaceRoll(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.roll_span(p_ref uuid, p_until timestamptz) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_other uuid;
      v_moved uuid[];
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(lower(v_span.during), greatest(upper(v_span.during), least(
        p_until + make_interval(mins => v_span.turnaround_minutes),
        (select min(lower(during)) from span where vehicle_id = v_span.vehicle_id
          and grip <> 'released' and kind in ('maintenance', 'block')
          and lower(during) > lower(v_span.during)))));
      update span set grip = 'released'
      where vehicle_id = v_span.vehicle_id and kind = 'transfer' and grip = 'tentative'
        and during && v_during;
      v_moved := clear_way(v_span.id, v_during, true);
      update span set during = v_during where id = v_span.id;
      foreach v_other in array v_moved loop
        continue when place_span(v_other) is not null;
        update span set over_limit_reason = 'overdue' where id = v_other and kind = 'rental';
      end loop;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', announce_spans(v_moved || settle(v_span.vehicle_id)));
    end $$`.execute(db);
}
