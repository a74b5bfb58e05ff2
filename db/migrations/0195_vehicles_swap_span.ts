// Another vehicle for a booking, before its pick-up: of its class, of one above it, or of another.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const SWAP_SPAN = 'vehicles.swap_span(uuid, text, uuid, text, boolean)';

/**
 * p_vehicle, or the best fitting one of p_class that it does not have yet, is kept for the span; its
 * time and branches stay. `direction` is that of the class from p_booked on: `up` its ladder, `same`,
 * else `down`. What is firm moves only with a reason. Json {vehicleId, previousVehicleId, classId,
 * direction, moved} or {refused: 'firm' | 'vehicle-held' | 'vehicle-unavailable', hold?}, {unknown:
 * 'vehicle' | 'class'}; refused, the caller rolls back.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.swap_span(
      p_ref uuid, p_booked text, p_vehicle uuid, p_class text, p_has_reason boolean
    ) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_class text := p_class;
      v_hold jsonb;
      v_candidate uuid;
      v_vehicle uuid;
      v_moved uuid[] := '{}';
    begin
      if p_vehicle is not null then
        select class_id into v_class from vehicle where id = p_vehicle;
        if not found then return jsonb_build_object('unknown', 'vehicle'); end if;
      elsif not exists (select from class where id = p_class) then
        return jsonb_build_object('unknown', 'class');
      end if;
      -- All pools at once and sorted, those of the new class too: lock_span then waits for none.
      perform lock_pools(array_agg(pool.branch), array_agg(pool.class)) from (
        select branch, class from span s
        cross join unnest(array[s.branch_out, s.branch_in]) branch
        cross join unnest(array[s.class_id, v_class,
          (select v.class_id from vehicle v where v.id = s.vehicle_id)]) class
        where s.kind = 'rental' and s.ref = p_ref
        union select o.branch_out, o.class_id
        from span s join span o on o.vehicle_id = s.vehicle_id
        where s.kind = 'rental' and s.ref = p_ref and o.grip = 'tentative') pool;
      v_span := lock_span(p_ref);
      if v_span.grip = 'firm' and not p_has_reason then
        return jsonb_build_object('refused', 'firm');
      end if;
      v_hold := blocking_hold(p_vehicle, v_span.during);
      if v_hold is not null then
        return jsonb_build_object('refused', 'vehicle-held', 'hold', v_hold);
      end if;
      update span set vehicle_id = null, grip = 'unassigned', over_limit_reason = null,
        class_id = v_class where id = v_span.id;
      for v_candidate in
        select p_vehicle where p_vehicle is not null
        union all
        select * from (
          select f.vehicle_id
          from free_vehicles(v_span.branch_out, v_span.branch_in, v_class, v_span.during) f
          where p_vehicle is null and f.vehicle_id is distinct from v_span.vehicle_id
          order by f.idle, f.vehicle_id) best
      loop
        continue when not fits(v_candidate, v_span.branch_out, v_span.branch_in, v_span.during)
          or not keep_place(v_candidate, v_span.branch_out, v_span.branch_in, v_class,
            v_span.during);
        begin
          update span set vehicle_id = v_candidate,
            grip = case v_span.grip when 'firm' then 'firm' else 'tentative' end
          where id = v_span.id;
          v_vehicle := v_candidate;
          exit;
        exception when exclusion_violation then
          null; -- taken meanwhile: the next one
        end;
      end loop;
      if v_vehicle is null then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      if v_span.vehicle_id is not null then
        v_moved := settle(v_span.vehicle_id);
        if exists (select from span where id = any (v_moved) and vehicle_id is null) then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
      end if;
      return jsonb_build_object('vehicleId', v_vehicle, 'previousVehicleId', v_span.vehicle_id,
        'classId', v_class, 'direction', case when v_class = p_booked then 'same'
          when v_class = any (classes_above(p_booked)) then 'up' else 'down' end,
        'moved', announce_spans(v_moved)
          || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    end $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [SWAP_SPAN]);
  await publishedTo(db, 'rentals_rw', [SWAP_SPAN]);
}
