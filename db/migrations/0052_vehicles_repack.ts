// Repacking: what a solver needs to know of a pool, and its plan carried out as a whole or not at all.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PUBLISHED = [
  'vehicles.pool_spans(text, text, tstzrange)',
  'vehicles.apply_moves(jsonb, jsonb)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPoolSpans(db);
  await createApplyMoves(db);
  await ownedBy(db, 'vehicles_rw', [...PUBLISHED, 'vehicles.place_all(jsonb, jsonb, int)']);
  await publishedTo(db, 'rentals_rw', PUBLISHED);
}

/**
 * The vehicles of a class that are at a branch or will leave or reach it, with what is fixed on them,
 * and the tentative spans of the pool that overlap the window. Fixed is all else that overlaps the
 * hull: the window widened by those spans. Json {hull: {from, to}, vehicles: [{vehicleId, startBranch,
 * nextBranch | null, blocked: [{from, to, branchOut | null, branchIn | null}], heldForWindow, heldFor:
 * [spanId]}], spans: [{spanId, kind, version, from, to, branchOut, branchIn, vehicleId}]}.
 */
async function createPoolSpans(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.pool_spans(p_branch text, p_class text, p_window tstzrange)
    returns jsonb language sql stable security definer set search_path = vehicles, pg_temp as $$
      with pool as materialized (
        select v.id, exists (select from hold h where h.vehicle_id = v.id and h.lifted_at is null
          and h.severity = 'hard') as held
        from vehicle v
        where v.class_id = p_class and v.status = 'in_service'
          and (v.branch_id = p_branch or v.id in (select moving_vehicles(p_branch)))),
      movable as materialized (
        select s.* from span s join pool p on p.id = s.vehicle_id
        where s.during && p_window and s.grip = 'tentative' and s.kind in ('rental', 'quote')
          and s.branch_out = p_branch and s.class_id = p_class),
      hull as materialized (
        select tstzrange(least(lower(p_window), min(lower(during))),
          greatest(upper(p_window), max(upper(during)))) as during from movable),
      fixed as materialized (
        select s.vehicle_id, jsonb_agg(jsonb_build_object('from', to_json(lower(s.during)),
          'to', to_json(upper(s.during)),
          'branchOut', case when s.kind not in ('block', 'maintenance') then s.branch_out end,
          'branchIn', case when s.kind not in ('block', 'maintenance') then s.branch_in end)
          order by lower(s.during)) as blocked
        from span s join pool p on p.id = s.vehicle_id cross join hull h
        where s.during && h.during and s.grip <> 'released'
          and s.id not in (select id from movable)
        group by s.vehicle_id)
      select jsonb_build_object(
        'hull', jsonb_build_object('from', to_json(lower(h.during)), 'to', to_json(upper(h.during))),
        'vehicles', (select coalesce(jsonb_agg(jsonb_build_object('vehicleId', p.id,
          'startBranch', place_before(p.id, lower(h.during)),
          'nextBranch', next_place(p.id, upper(h.during)),
          'blocked', coalesce(f.blocked, '[]'),
          'heldForWindow', p.held and blocking_hold(p.id, p_window) is not null,
          'heldFor', case when p.held then (select coalesce(jsonb_agg(m.id), '[]') from movable m
            where blocking_hold(p.id, m.during) is not null) else '[]' end) order by p.id), '[]')
          from pool p left join fixed f on f.vehicle_id = p.id),
        'spans', (select coalesce(jsonb_agg(jsonb_build_object('spanId', m.id, 'kind', m.kind,
          'version', m.version, 'from', to_json(lower(m.during)), 'to', to_json(upper(m.during)),
          'branchOut', m.branch_out, 'branchIn', m.branch_in, 'vehicleId', m.vehicle_id)
          order by lower(m.during), m.id), '[]') from movable m))
      from hull h
    $$`.execute(db);
}

/**
 * Moves the spans of p_moves, [{spanId, version, vehicleId}], to their vehicles and, when p_new is not
 * null, {ref, classId, branchOut, branchIn, from, to, vehicleId}, takes that vehicle for a rental. First
 * all lose their vehicles, then all get them, so that swaps need no room. Json as take_span's with
 * `moved`, or {refused: 'stale'} and nothing is changed: a span moved on, or a place is gone.
 */
async function createApplyMoves(db: Kysely<unknown>): Promise<void> {
  await createPlaceAll(db);
  await sql`
    create function vehicles.apply_moves(p_moves jsonb, p_new jsonb) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_terms jsonb := '{}';
      v_vehicle uuid := p_new ->> 'vehicleId';
    begin
      perform lock_pools(array_agg(pool.b), array_agg(pool.c)) from (
        select s.branch_out as b, s.class_id as c from span s
        where s.id in (select (m ->> 'spanId')::uuid from jsonb_array_elements(p_moves) m)
        union select p_new ->> 'branchOut', p_new ->> 'classId') pool;
      if p_new is not null then
        perform pg_advisory_xact_lock(hashtextextended(p_new ->> 'ref', 0));
        v_terms := terms_of(p_new ->> 'classId', p_new ->> 'branchOut', p_new ->> 'branchIn');
        if v_terms ->> 'unknown' is not null then return v_terms; end if;
        select vehicle_id into v_vehicle from span
        where kind = 'rental' and ref = (p_new ->> 'ref')::uuid;
        if found then
          return v_terms || jsonb_build_object('vehicleId', v_vehicle, 'existing', true);
        end if;
        v_vehicle := p_new ->> 'vehicleId';
      end if;
      begin
        perform place_all(p_moves, p_new, (v_terms ->> 'turnaroundMinutes')::int);
      exception when no_data_found or exclusion_violation then
        return jsonb_build_object('refused', 'stale');
      end;
      return v_terms || jsonb_build_object('vehicleId', v_vehicle, 'allocation', 'assigned',
        'moved', announce_spans(array(
          select (m ->> 'spanId')::uuid from jsonb_array_elements(p_moves) m)));
    end $$`.execute(db);
}

/** Raises no_data_found or exclusion_violation when the plan does not fit what is there now. */
async function createPlaceAll(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.place_all(p_moves jsonb, p_new jsonb, p_turnaround int) returns void
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_ids constant uuid[] := array(
        select (m ->> 'spanId')::uuid from jsonb_array_elements(p_moves) m);
      v_vehicles uuid[];
      v_new uuid;
    begin
      v_vehicles := array(select vehicle_id from span where id = any (v_ids)
        union select (m ->> 'vehicleId')::uuid from jsonb_array_elements(p_moves) m
        union select (p_new ->> 'vehicleId')::uuid where p_new is not null);
      perform from vehicle where id = any (v_vehicles) order by id for no key update;
      perform displace(s.id) from span s join jsonb_array_elements(p_moves) m
        on s.id = (m ->> 'spanId')::uuid and s.version = (m ->> 'version')::int
      where s.grip = 'tentative' and s.kind in ('rental', 'quote');
      update span s set vehicle_id = v.id, grip = 'tentative'
      from jsonb_array_elements(p_moves) m join vehicle v on v.id = (m ->> 'vehicleId')::uuid
      where s.id = (m ->> 'spanId')::uuid and s.vehicle_id is null
        and v.class_id = s.class_id and v.status = 'in_service';
      if (select count(*) from span where id = any (v_ids) and vehicle_id is not null)
        <> (select count(*) from span s join jsonb_array_elements(p_moves) m
          on s.id = (m ->> 'spanId')::uuid and s.vehicle_id = (m ->> 'vehicleId')::uuid
            and s.version = (m ->> 'version')::int and s.grip = 'tentative')
        or jsonb_array_length(p_moves) <> (select count(*) from span
          where id = any (v_ids) and grip = 'tentative') then
        raise exception 'a span moved on' using errcode = 'no_data_found';
      end if;
      if p_new is not null then
        insert into span (kind, ref, class_id, branch_out, branch_in, during, turnaround_minutes,
          vehicle_id, grip)
        select 'rental', (p_new ->> 'ref')::uuid, v.class_id, p_new ->> 'branchOut',
          p_new ->> 'branchIn', tstzrange((p_new ->> 'from')::timestamptz,
            (p_new ->> 'to')::timestamptz + make_interval(mins => p_turnaround)),
          p_turnaround, v.id, 'tentative'
        from vehicle v where v.id = (p_new ->> 'vehicleId')::uuid and v.status = 'in_service'
          and v.class_id = p_new ->> 'classId'
        returning id into strict v_new;
      end if;
      perform from span s where s.vehicle_id = any (v_vehicles) and s.grip = 'tentative'
        and s.kind not in ('block', 'maintenance') and upper(s.during) > now()
        and (s.branch_out <> place_before(s.vehicle_id, lower(s.during))
          or (s.id = any (v_ids || v_new) and (not is_back_by(s.vehicle_id, lower(s.during))
            or blocking_hold(s.vehicle_id, s.during) is not null)));
      if found then
        raise exception 'a place is gone' using errcode = 'no_data_found';
      end if;
    end $$`.execute(db);
}
