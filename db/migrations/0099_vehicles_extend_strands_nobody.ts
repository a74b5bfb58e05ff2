// A later due time leaves nobody without a vehicle, and a hold that begins when it ends is no bar.
import { type Kysely, sql } from 'kysely';

/**
 * As migration 0050 made it, with two differences. What is booked on from where the vehicle would have
 * gone must find another one, or the extension is refused: only what nobody can help leaves a rental
 * waiting beyond the limit. And the new time is half-open for holds, too, as it is for all else.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.extend_span(p_ref uuid, p_due timestamptz) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_during tstzrange;
      v_ahead timestamptz;
      v_hold jsonb;
      v_other uuid;
      v_vehicle uuid;
      v_served jsonb;
      v_moved uuid[] := '{}';
    begin
      v_span := lock_span(p_ref);
      v_during := tstzrange(lower(v_span.during),
        p_due + make_interval(mins => v_span.turnaround_minutes));
      -- Of a vehicle that is out the past is past.
      v_ahead := greatest(lower(v_during), least(now(), upper(v_during)));
      v_hold := blocking_hold(v_span.vehicle_id, tstzrange(v_ahead, upper(v_during),
        case when v_ahead < upper(v_during) then '[)' else '[]' end));
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
      else
        v_vehicle := v_span.vehicle_id;
        v_moved := clear_way(v_span.id, v_during);
        update span set during = v_during where id = v_span.id;
        foreach v_other in array v_moved loop
          perform place_span(v_other);
        end loop;
      end if;
      v_moved := v_moved || settle(v_span.vehicle_id);
      if exists (select from span where id = any (v_moved) and vehicle_id is null) then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      return jsonb_build_object('vehicleId', v_vehicle, 'moved',
        announce_spans(v_moved) || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    exception when exclusion_violation then
      return jsonb_build_object('refused', 'vehicle-unavailable'); -- a firm span does not move
    end $$`.execute(db);
}
