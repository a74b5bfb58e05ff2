// What people do about readings: void them, decide what is queued, replace a counter.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createRejudge(db);
  await createVoid(db);
  await createDecide(db);
  await createReplace(db);
  await createGuards(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.rejudge(bigint, timestamptz)',
    'vehicles.void_reading(uuid, text)',
    'vehicles.begin_segment(bigint, timestamptz, numeric, text)',
    'vehicles.decide_reading(uuid, text, text)',
    'vehicles.replace_odometer(uuid, uuid, timestamptz, int, int, text)',
    'vehicles.guard_reading()',
    'vehicles.guard_order()',
  ]);
}

/**
 * Judges again what waits at a meter; from `p_from` on also what was accepted, because a segment
 * that begins there gives it another total. What a person accepted stays so.
 */
async function createRejudge(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.rejudge(p_meter bigint, p_from timestamptz default null) returns void
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_reading uuid;
    begin
      if p_from is not null then
        update reading r set total = r.value + coalesce((select s.offset_value from meter_segment s
            where s.meter_id = p_meter and s.from_at <= r.taken_at
            order by s.from_at desc limit 1), 0),
          state = case when exists (select from reading_review w
            where w.id = r.id and w.decision = 'accept') then r.state else 'queued' end
        where r.meter_id = p_meter and r.taken_at >= p_from and r.state <> 'void';
      end if;
      update meter m set (last_at, last_value, last_total) = (select r.taken_at, r.value, r.total
        from reading r where r.meter_id = m.id and r.state = 'accepted'
        order by r.taken_at desc, r.value desc limit 1)
      where m.id = p_meter;
      for v_reading in select id from reading where meter_id = p_meter and state = 'queued'
        order by taken_at, total
      loop
        perform judge_reading(v_reading);
      end loop;
      perform follow_meters(array_agg(vehicle_id)) from meter
      where id = p_meter and kind in ('odometer', 'fuel');
    end $$`.execute(db);
}

/** Marks a reading as never read. What waited because of it may fit now. */
async function createVoid(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.void_reading(p_reading uuid, p_reason text) returns void
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_meter bigint;
    begin
      select meter_id into strict v_meter from reading where id = p_reading;
      perform from vehicle where id = (select vehicle_id from meter where id = v_meter)
        for no key update;
      perform from meter where id = v_meter for no key update;
      update reading_review set decision = 'void', decided_by = current_setting('app.principal'),
        decided_at = now(), decision_reason = p_reason where id = p_reading and decision is null;
      update reading set state = 'void', void_at = now(), void_reason = p_reason,
        void_by = current_setting('app.principal') where id = p_reading;
      perform rejudge(v_meter);
      perform follow_dtcs(array[id]) from reading where id = p_reading and kind = 'dtc';
    end $$`.execute(db);
}

/**
 * A decision about what is queued: 'accept' (it was so), 'void', or 'new-segment' (the counter
 * began anew there). Json {refused: null | 'odometer-rollback'}: what is accepted never goes back.
 */
async function createDecide(db: Kysely<unknown>): Promise<void> {
  // From p_at on a counter that then reads p_value counts on from the total it had before.
  await sql`
    create function vehicles.begin_segment(p_meter bigint, p_at timestamptz, p_offset numeric,
      p_reason text) returns void language sql set search_path = vehicles, pg_temp as $$
      update meter set has_segments = true where id = p_meter;
      insert into meter_segment (meter_id, number, from_at, offset_value, reason, recorded_by)
      select p_meter, coalesce(max(number), 1) + 1, p_at, p_offset, p_reason,
        current_setting('app.principal')
      from meter_segment where meter_id = p_meter
      on conflict (meter_id, from_at) do nothing
    $$`.execute(db);
  await sql`
    create function vehicles.decide_reading(p_reading uuid, p_decision text, p_reason text)
    returns jsonb language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      r reading;
      v_before numeric;
      v_after numeric;
    begin
      select * into strict r from reading where id = p_reading;
      perform from vehicle where id = (select vehicle_id from meter where id = r.meter_id)
        for no key update;
      perform from meter where id = r.meter_id for no key update;
      if p_decision = 'void' then
        perform void_reading(p_reading, p_reason);
        return jsonb_build_object('refused', null);
      end if;
      select total into v_before from reading where meter_id = r.meter_id and state = 'accepted'
        and id <> r.id and taken_at <= r.taken_at order by taken_at desc, value desc limit 1;
      select total into v_after from reading where meter_id = r.meter_id and state = 'accepted'
        and id <> r.id and taken_at > r.taken_at order by taken_at, value limit 1;
      if p_decision = 'accept' and (r.total - v_before < -2 or v_after - r.total < -2) then
        return jsonb_build_object('refused', 'odometer-rollback', 'reads', r.total,
          'before', v_before, 'after', v_after);
      end if;
      update reading_review set decision = p_decision, decided_at = now(),
        decided_by = current_setting('app.principal'), decision_reason = p_reason
      where id = p_reading;
      if p_decision = 'accept' then
        update reading set state = 'accepted' where id = p_reading;
        perform rejudge(r.meter_id);
      else
        perform begin_segment(r.meter_id, r.taken_at, coalesce(v_before, r.value) - r.value,
          p_reason);
        perform rejudge(r.meter_id, r.taken_at);
      end if;
      return jsonb_build_object('refused', null);
    end $$`.execute(db);
}

/**
 * Another odometer from `p_at` on: the old one read p_old_km, the new one p_new_km. The dash and
 * what devices read from the instrument cluster begin a segment; GPS counts its own km. Json
 * {refused: null | 'odometer-rollback', lastKm}.
 */
async function createReplace(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.replace_odometer(p_id uuid, p_vehicle uuid, p_at timestamptz,
      p_old_km int, p_new_km int, p_reason text) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_meter record;
      v_before record;
    begin
      perform from vehicle where id = p_vehicle for no key update;
      insert into meter (vehicle_id, kind, source, floor_at, floor_total)
      select id, 'odometer', 'dash', created_at, odometer_km from vehicle where id = p_vehicle
      on conflict do nothing;
      for v_meter in select m.id, m.source, coalesce((select s.offset_value from meter_segment s
          where s.meter_id = m.id and s.from_at <= p_at order by s.from_at desc limit 1), 0) as was
        from meter m where m.vehicle_id = p_vehicle and m.kind = 'odometer' and m.source <> 'gps'
        order by m.id for no key update of m
      loop
        if v_meter.source = 'dash' then
          select r.total, r.value into v_before from reading r
          where r.meter_id = v_meter.id and r.state = 'accepted' and r.taken_at <= p_at
          order by r.taken_at desc, r.value desc limit 1;
          if p_old_km + v_meter.was < v_before.total then
            return jsonb_build_object('refused', 'odometer-rollback', 'lastKm', v_before.value);
          end if;
        end if;
        perform begin_segment(v_meter.id, p_at, v_meter.was + p_old_km - p_new_km, p_reason);
        perform rejudge(v_meter.id, p_at);
      end loop;
      perform record_readings(jsonb_build_array(jsonb_build_object('n', 0, 'id', p_id,
        'vehicle_id', p_vehicle, 'kind', 'odometer', 'source', 'dash', 'device_id', '',
        'taken_at', p_at, 'value', p_new_km, 'code', '', 'origin', 'replacement')));
      return jsonb_build_object('refused', null);
    end $$`.execute(db);
}

/** What must never happen: a reading rewritten or gone, an accepted counter that goes back. */
async function createGuards(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.guard_reading() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      if tg_op = 'DELETE' then
        raise exception 'Readings are voided, never deleted.' using errcode = 'restrict_violation';
      end if;
      if old.state = 'void' or (old.id, old.meter_id, old.kind, old.taken_at, old.value, old.code,
          old.origin, old.external_id, old.recorded_by, old.recorded_at)
        is distinct from (new.id, new.meter_id, new.kind, new.taken_at, new.value, new.code,
          new.origin, new.external_id, new.recorded_by, new.recorded_at) then
        raise exception 'Reading % is what was read.', old.id
          using errcode = 'check_violation', constraint = 'reading_is_kept';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger reading_is_kept before update or delete on vehicles.reading
    for each row execute function vehicles.guard_reading()`.execute(db);
  await sql`
    create function vehicles.guard_order() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      perform from fresh f
      where not exists (select from meter m where m.id = f.meter_id and m.kind = f.kind);
      if found then
        raise exception 'A reading needs a meter of its kind.'
          using errcode = 'foreign_key_violation', constraint = 'reading_meter';
      end if;
      perform from fresh f
      left join lateral (select r.total from reading r where r.meter_id = f.meter_id
        and r.state = 'accepted' and r.id <> f.id and r.taken_at <= f.taken_at
        order by r.taken_at desc, r.value desc limit 1) before on true
      left join lateral (select r.total from reading r where r.meter_id = f.meter_id
        and r.state = 'accepted' and r.taken_at > f.taken_at
        order by r.taken_at, r.value limit 1) after on true
      where f.state = 'accepted' and f.kind in ('odometer', 'engine_hours')
        and (f.total - before.total < -2 or after.total - f.total < -2);
      if found then
        raise exception 'A counter never goes back.'
          using errcode = 'check_violation', constraint = 'reading_never_goes_back';
      end if;
      return null;
    end $$`.execute(db);
  for (const action of ['insert', 'update']) {
    await sql`create trigger ${sql.id(`reading_order_on_${action}`)}
      after ${sql.raw(action)} on vehicles.reading referencing new table as fresh
      for each statement execute function vehicles.guard_order()`.execute(db);
  }
}
