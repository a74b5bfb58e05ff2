// A booking that waits for a vehicle may always ask for less of one.
import { type Kysely, sql } from 'kysely';

/**
 * As 0116, but for what has no vehicle: a time within its own, of the same class and to the same
 * branch, takes nothing from anybody. It gets a vehicle where the shorter time fits one, else it
 * waits on, `vehicleId` null, with the turnaround and the reason that it waited with.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.amend_span(
      p_ref uuid, p_class text, p_branch_in text, p_from timestamptz, p_due timestamptz
    ) returns jsonb
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_span span;
      v_terms jsonb;
      v_turnaround int;
      v_during tstzrange;
      v_vehicle uuid;
      v_moved uuid[] := '{}';
      v_is_less boolean;
    begin
      -- All pools at once and sorted, those of the new class too: lock_span then waits for none.
      perform lock_pools(array_agg(pool.branch), array_agg(pool.class)) from (
        select branch, class from span s
        cross join unnest(array[s.branch_out, s.branch_in, p_branch_in]) branch
        cross join unnest(array[s.class_id, p_class,
          (select v.class_id from vehicle v where v.id = s.vehicle_id)]) class
        where s.kind = 'rental' and s.ref = p_ref
        union select o.branch_out, o.class_id
        from span s join span o on o.vehicle_id = s.vehicle_id
        where s.kind = 'rental' and s.ref = p_ref and o.grip = 'tentative') pool;
      v_span := lock_span(p_ref);
      v_terms := terms_of(p_class, v_span.branch_out, p_branch_in);
      if v_terms ->> 'unknown' is not null then return v_terms; end if;
      v_is_less := v_span.grip = 'unassigned'
        and (v_span.class_id, v_span.branch_in) = (p_class, p_branch_in)
        and tstzrange(p_from, p_due) <@ tstzrange(lower(v_span.during),
          upper(v_span.during) - make_interval(mins => v_span.turnaround_minutes));
      v_turnaround := case when v_is_less then v_span.turnaround_minutes
        else (v_terms ->> 'turnaroundMinutes')::int end;
      v_during := tstzrange(p_from, p_due + make_interval(mins => v_turnaround));
      update span set vehicle_id = null, grip = 'unassigned',
        over_limit_reason = case when v_is_less then v_span.over_limit_reason end,
        class_id = p_class, branch_in = p_branch_in, during = v_during,
        turnaround_minutes = v_turnaround
      where id = v_span.id;
      if v_span.vehicle_id is not null
        and fits(v_span.vehicle_id, v_span.branch_out, p_branch_in, v_during)
        and keep_place(v_span.vehicle_id, v_span.branch_out, p_branch_in, p_class, v_during) then
        update span set vehicle_id = v_span.vehicle_id, grip = 'tentative' where id = v_span.id;
        v_vehicle := v_span.vehicle_id;
      else
        v_vehicle := place_span(v_span.id);
      end if;
      if v_vehicle is null and v_is_less then
        return v_terms || jsonb_build_object('vehicleId', null, 'moved', '[]'::jsonb);
      end if;
      if v_vehicle is null then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      if v_span.vehicle_id is not null then
        v_moved := settle(v_span.vehicle_id);
        if exists (select from span where id = any (v_moved) and vehicle_id is null) then
          return jsonb_build_object('refused', 'vehicle-unavailable');
        end if;
      end if;
      return v_terms || jsonb_build_object('vehicleId', v_vehicle, 'moved', announce_spans(v_moved)
        || promote(v_span.branch_out, v_span.class_id, freed_by(v_span)));
    exception when exclusion_violation then
      return jsonb_build_object('refused', 'vehicle-unavailable'); -- taken meanwhile
    end $$`.execute(db);
}
