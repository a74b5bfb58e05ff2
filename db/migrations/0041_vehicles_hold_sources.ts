// Setting and lifting holds by what they come from: documents, recalls, service plans, work orders.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const SET_HOLD = 'vehicles.set_hold(text, text, uuid, jsonb)';
const LIFT_HOLD = 'vehicles.lift_hold(text, text, text, text)';
const AFFECTED = 'vehicles.spans_affected(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSet(db);
  await createLift(db);
  await createAffected(db);
  await ownedBy(db, 'vehicles_rw', [SET_HOLD, LIFT_HOLD, AFFECTED]);
  await publishedTo(db, 'maintenance_rw', [SET_HOLD, LIFT_HOLD]);
  await publishedTo(db, 'rentals_rw', [SET_HOLD, LIFT_HOLD]);
  await sql`grant usage on schema vehicles to maintenance_rw`.execute(db);
}

/**
 * One open hold for each (source, reference): set again, it is changed. `p_hold` {type, severity,
 * reason, from?, hardFrom?, until?, fromKm?, toleranceKm?, soonKm?, barsSale?}; from is now when it
 * is not given. Json {holdId, vehicleId, type, severity, version, changed, affected}.
 */
async function createSet(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.set_hold(
      p_source text, p_source_ref text, p_vehicle uuid, p_hold jsonb
    ) returns jsonb language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_old hold;
      v_new hold;
      v_by text := current_setting('app.principal');
    begin
      -- Who is about to take the vehicle goes first, and is then seen; who comes later sees this.
      perform from vehicle where id = p_vehicle for no key update;
      if not found then return jsonb_build_object('unknown', 'vehicle'); end if;
      select * into v_old from hold where source = p_source and source_ref = p_source_ref
        and lifted_at is null for update;
      v_new.from_at := coalesce((p_hold ->> 'from')::timestamptz, v_old.from_at, now());
      if p_hold ->> 'severity' = 'hard' then
        v_new.hard_from := coalesce((p_hold ->> 'hardFrom')::timestamptz, v_new.from_at);
      end if;
      v_new.tolerance_km := coalesce((p_hold ->> 'toleranceKm')::int, 0);
      v_new.soon_km := coalesce((p_hold ->> 'soonKm')::int, 0);
      v_new.bars_sale := coalesce((p_hold ->> 'barsSale')::boolean, false);
      insert into hold as h (id, vehicle_id, type, severity, from_at, hard_from, until_at, from_km,
        tolerance_km, soon_km, bars_sale, reason, source, source_ref, applied_by)
      values (coalesce((p_hold ->> 'id')::uuid, uuidv7()), p_vehicle, p_hold ->> 'type',
        p_hold ->> 'severity', v_new.from_at, v_new.hard_from,
        (p_hold ->> 'until')::timestamptz, (p_hold ->> 'fromKm')::int, v_new.tolerance_km,
        v_new.soon_km, v_new.bars_sale, p_hold ->> 'reason', p_source, p_source_ref, v_by)
      on conflict (source, source_ref) where lifted_at is null do update
      set vehicle_id = excluded.vehicle_id, type = excluded.type, severity = excluded.severity,
        from_at = excluded.from_at, hard_from = excluded.hard_from, until_at = excluded.until_at,
        from_km = excluded.from_km, tolerance_km = excluded.tolerance_km,
        soon_km = excluded.soon_km, bars_sale = excluded.bars_sale, reason = excluded.reason,
        version = h.version + 1
      where (h.vehicle_id, h.type, h.severity, h.from_at, h.hard_from, h.until_at, h.from_km,
          h.tolerance_km, h.soon_km, h.bars_sale, h.reason)
        is distinct from (excluded.vehicle_id, excluded.type, excluded.severity, excluded.from_at,
          excluded.hard_from, excluded.until_at, excluded.from_km, excluded.tolerance_km,
          excluded.soon_km, excluded.bars_sale, excluded.reason)
      returning * into v_new;
      if not found then v_new := v_old; end if;
      return jsonb_build_object('holdId', v_new.id, 'vehicleId', v_new.vehicle_id,
        'type', v_new.type, 'severity', v_new.severity, 'version', v_new.version,
        'changed', v_new.version is distinct from v_old.version,
        'affected', spans_affected(v_new.id));
    end $$`.execute(db);
}

/**
 * The source says that it is over. Json {holdId, vehicleId, type, severity, version}, null when there is
 * no such open hold. A recall's hold is refused (23514) without the code of the repair.
 */
async function createLift(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.lift_hold(
      p_source text, p_source_ref text, p_reason text, p_repair_code text default null
    ) returns jsonb language sql security definer set search_path = vehicles, pg_temp as $$
      update hold set lifted_at = now(), lifted_by = current_setting('app.principal'),
        lift_reason = p_reason, repair_code = p_repair_code, version = version + 1,
        lifted_via = case when p_repair_code is null then 'source' else 'repair' end
      where source = p_source and source_ref = p_source_ref and lifted_at is null
      returning jsonb_build_object('holdId', id, 'vehicleId', vehicle_id, 'type', type,
        'severity', severity, 'version', version)
    $$`.execute(db);
}

/** Json [{spanId, kind, ref, grip, from, until}] of the spans that a hold blocks, earliest first. */
async function createAffected(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.spans_affected(p_hold uuid) returns jsonb
    language plpgsql stable set search_path = vehicles, pg_temp as $$
    begin
      -- Kept as a plan: a campaign asks it thousands of times in one statement.
      return (
        select coalesce(jsonb_agg(jsonb_build_object('spanId', s.id, 'kind', s.kind, 'ref', s.ref,
          'grip', s.grip, 'from', lower(s.during), 'until', upper(s.during))
          order by lower(s.during)), '[]')
        from hold h
        join span s on s.vehicle_id = h.vehicle_id and s.grip <> 'released'
          and s.kind in ('rental', 'quote', 'transfer')
          and (upper(s.during) > now() or s.grip = 'out')
        where h.id = p_hold and h.severity = 'hard'
          and exists (select from holds_on(h.vehicle_id, s.during) x
            where (x.hold).id = h.id and x.blocks));
    end $$`.execute(db);
}
