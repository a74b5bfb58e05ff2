// Judging readings: what a counter can have done, and what a vehicle's row takes from its meters.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createMisfit(db);
  await createJudge(db);
  await createFollow(db);
  await createDtcs(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.misfit(text, timestamptz, numeric, timestamptz, numeric)',
    'vehicles.judge_reading(uuid)',
    'vehicles.follow_meters(uuid[])',
    'vehicles.follow_dtcs(uuid[])',
  ]);
}

/**
 * Why nobody would believe that a counter went from one reading to a later one; null when it could
 * have. The figures are those of domain/meter.ts. Below 2 km (0.2 h) rounding tells no speed.
 */
async function createMisfit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.misfit(p_kind text, p_from timestamptz, p_from_total numeric,
      p_to timestamptz, p_to_total numeric) returns text language sql immutable as $$
      select case
        when p_kind = 'odometer' then case
          when p_to_total - p_from_total < -2 then 'backwards'
          when p_to_total - p_from_total > 2 and p_to_total - p_from_total
            > 250 * extract(epoch from p_to - p_from) / 3600 then 'too-fast' end
        when p_kind = 'engine_hours' then case
          when p_to_total - p_from_total < -0.2 then 'backwards'
          when p_to_total - p_from_total > 0.2 and p_to_total - p_from_total
            > extract(epoch from p_to - p_from) / 3600 then 'too-fast' end
      end
    $$`.execute(db);
}

/**
 * Judges one queued reading against the accepted ones before and after it: what fits is accepted,
 * the rest waits for a person. What was read at a hand-over stands in the rental's contract, so it
 * is accepted however fast it was, and looked at as well.
 */
async function createJudge(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.judge_reading(p_reading uuid) returns void
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      r reading;
      m meter;
      v_before record;
      v_after record;
      v_reason text;
    begin
      select * into strict r from reading where id = p_reading;
      select * into strict m from meter where id = r.meter_id;
      select taken_at, total into v_before from reading
      where meter_id = m.id and state = 'accepted' and id <> r.id and taken_at <= r.taken_at
      order by taken_at desc, value desc limit 1;
      select taken_at, total into v_after from reading
      where meter_id = m.id and state = 'accepted' and id <> r.id and taken_at > r.taken_at
      order by taken_at, value limit 1;
      v_reason := coalesce(
        case when r.taken_at >= m.floor_at and r.total < m.floor_total - 2 then 'backwards' end,
        misfit(r.kind, v_before.taken_at, v_before.total, r.taken_at, r.total),
        misfit(r.kind, r.taken_at, r.total, v_after.taken_at, v_after.total));
      if v_reason is null or (v_reason = 'too-fast' and r.origin in ('check-out', 'check-in',
        'replacement')) then
        update reading set state = 'accepted' where id = r.id;
        update meter set last_at = r.taken_at, last_value = r.value, last_total = r.total
        where id = m.id and (last_at is null or (last_at, last_total) <= (r.taken_at, r.total));
      end if;
      if v_reason is null then
        update reading_review set decision = 'fits', decided_by = current_setting('app.principal'),
          decided_at = now(), decision_reason = 'It fits its neighbours now.'
        where id = r.id and decision is null;
      else
        insert into reading_review as known (id, reason) values (r.id, v_reason)
        on conflict (id) do update set reason = excluded.reason, decision = null,
          decided_by = null, decided_at = null, decision_reason = null
        where known.decision is not null;
      end if;
    end $$`.execute(db);
}

/** A vehicle's own row follows its meters: the dash in km and eighths, and the average. */
async function createFollow(db: Kysely<unknown>): Promise<void> {
  // decisions.md 38: the last 90 days, two readings at least 7 days apart, across segments. Of the
  // newest day the first one counts: what a device tells later that day moves no vehicle's row.
  await sql`
    create function vehicles.follow_meters(p_vehicles uuid[]) returns void
    language sql set search_path = vehicles, pg_temp as $$
      with average as (
        select distinct on (m.vehicle_id) m.vehicle_id, greatest(0,
          round((newest.total - oldest.total) * 86400
            / extract(epoch from newest.taken_at - oldest.taken_at), 1)) as km
        from meter m
        cross join lateral (select r.taken_at, r.total from reading r
          where r.meter_id = m.id and r.state = 'accepted'
            and r.taken_at >= now() - interval '90 days'
          order by r.taken_at limit 1) oldest
        cross join lateral (select r.taken_at, r.total from reading r
          where r.meter_id = m.id and r.state = 'accepted'
            and r.taken_at >= date_trunc('day', m.last_at, 'UTC')
          order by r.taken_at, r.value limit 1) newest
        where m.vehicle_id = any (p_vehicles) and m.kind = 'odometer'
          and newest.taken_at - oldest.taken_at >= interval '7 days'
        order by m.vehicle_id, array_position(array['dash', 'can', 'gps'], m.source), m.device_id
      ), newest as (
        select v.id, average.km as average,
          coalesce(floor(coalesce(km.last_value, km.floor_total))::int, v.odometer_km) as km,
          coalesce(round(fuel.last_value)::int, v.fuel_eighths) as fuel
        from vehicle v
        left join average on average.vehicle_id = v.id
        left join meter km on km.vehicle_id = v.id and km.kind = 'odometer' and km.source = 'dash'
        left join meter fuel on fuel.vehicle_id = v.id and fuel.kind = 'fuel'
          and fuel.source = 'dash'
        where v.id = any (p_vehicles)
        order by v.id for no key update of v
      )
      update vehicle v
      set odometer_km = n.km, fuel_eighths = n.fuel, average_km_per_day = n.average
      from newest n
      where v.id = n.id and (v.odometer_km, v.fuel_eighths, v.average_km_per_day)
        is distinct from (n.km, n.fuel, n.average)
    $$`.execute(db);
}

/** The newest reading of a code decides whether it is on. Json of those that turned on. */
async function createDtcs(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.follow_dtcs(p_readings uuid[]) returns jsonb
    language sql set search_path = vehicles, pg_temp as $$
      with touched as (
        select distinct m.vehicle_id, r.code from reading r join meter m on m.id = r.meter_id
        where r.id = any (p_readings)
      ), newest as (
        select t.vehicle_id, t.code, n.taken_at, n.value = 1 as active
        from touched t cross join lateral (
          select r.taken_at, r.value from meter m join reading r on r.meter_id = m.id
          where m.vehicle_id = t.vehicle_id and m.kind = 'dtc' and r.code = t.code
            and r.state = 'accepted'
          order by r.taken_at desc, r.value desc limit 1) n
      ), known as (
        select n.*, d.active as was from newest n
        left join dtc d on d.vehicle_id = n.vehicle_id and d.code = n.code
      ), kept as (
        insert into dtc as d (vehicle_id, code, active, last_at, raised)
        select vehicle_id, code, active, taken_at, active::int from known
        order by vehicle_id, code
        on conflict (vehicle_id, code) do update set active = excluded.active,
          last_at = excluded.last_at, raised = d.raised + (excluded.active and not d.active)::int
        returning d.*
      )
      select coalesce(jsonb_agg(jsonb_build_object('dtcId', k.id, 'vehicleId', k.vehicle_id,
        'code', k.code, 'raisedAt', k.last_at, 'sequence', k.raised)), '[]')
      from kept k join known o on o.vehicle_id = k.vehicle_id and o.code = k.code
      where k.active and o.was is distinct from true
    $$`.execute(db);
}
