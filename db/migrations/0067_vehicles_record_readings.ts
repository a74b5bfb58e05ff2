// Taking readings in: many at once, out of order or again, each once in effect.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const RECORD_DASH = 'vehicles.record_dash_reading(uuid, int, int, timestamptz, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createRecord(db);
  await createDash(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.store_readings(vehicles.new_reading[])',
    'vehicles.with_meters(vehicles.new_reading[])',
    'vehicles.record_readings(jsonb)',
    RECORD_DASH,
  ]);
  for (const role of ['rentals_rw', 'maintenance_rw']) {
    await publishedTo(db, role, [RECORD_DASH]);
    await sql`grant usage on schema vehicles to ${sql.id(role)}`.execute(db);
  }
}

async function createRecord(db: Kysely<unknown>): Promise<void> {
  await sql`create type vehicles.new_reading as (n int, id uuid, vehicle_id uuid, kind text,
    source text, device_id text, external_id text, taken_at timestamptz, value numeric(12, 3),
    code text, origin text, meter_id bigint)`.execute(db);
  await createStore(db);
  await sql`
    create function vehicles.with_meters(p_new vehicles.new_reading[])
    returns vehicles.new_reading[] language sql stable set search_path = vehicles, pg_temp as $$
      select array_agg(row(r.n, r.id, r.vehicle_id, r.kind, r.source, r.device_id, r.external_id,
        r.taken_at, r.value, r.code, r.origin, m.id)::new_reading order by r.n)
      from unnest(p_new) r left join meter m on m.vehicle_id = r.vehicle_id and m.kind = r.kind
        and m.source = r.source and m.device_id = r.device_id
    $$`.execute(db);
  // Elements of p_readings as the columns of new_reading; who sends several of one external id at
  // once leaves out the later ones. Unknown vehicles come back by n. Json {stored, unknown: [n],
  // dtcs: [{dtcId, vehicleId, code, raisedAt, sequence}]}.
  await sql`
    create function vehicles.record_readings(p_readings jsonb) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_new new_reading[];
      v_unknown jsonb;
      v_stored record;
      v_reading uuid;
      v_dtcs jsonb := '[]';
    begin
      v_new := with_meters(array(
        select r from jsonb_populate_recordset(null::new_reading, p_readings) r));
      -- Vehicles before meters, as at a hand-over, which comes with the vehicle's row locked.
      perform from vehicle where id in (select r.vehicle_id from unnest(v_new) r
        where r.source = 'dash') order by id for no key update;
      perform from unnest(v_new) r where r.meter_id is null;
      if found then
        insert into meter (vehicle_id, kind, source, device_id, floor_at, floor_total)
        select distinct r.vehicle_id, r.kind, r.source, r.device_id,
          case when r.source = 'dash' and r.kind = 'odometer' then v.created_at end,
          case when r.source = 'dash' and r.kind = 'odometer' then v.odometer_km end
        from unnest(v_new) r join vehicle v on v.id = r.vehicle_id where r.meter_id is null
        order by 1, 2, 3, 4 on conflict do nothing;
        v_new := with_meters(v_new);
        select jsonb_agg(r.n) into v_unknown from unnest(v_new) r where r.meter_id is null;
      end if;
      -- Who writes to a meter takes turns, so that neighbours are known when a reading is judged.
      perform from meter where id in (select r.meter_id from unnest(v_new) r)
      order by id for no key update;
      select * into v_stored from store_readings(v_new);
      for v_reading in
        select id from reading where id = any (v_stored.late) order by meter_id, taken_at, total
      loop
        perform judge_reading(v_reading);
      end loop;
      perform follow_meters(array_agg(distinct x.id)) from (
        select r.vehicle_id from unnest(v_new) r
        where r.source = 'dash' and r.kind in ('odometer', 'fuel')
        union all select unnest(v_stored.new_day)
        union all select m.vehicle_id from reading r join meter m on m.id = r.meter_id
          where r.id = any (v_stored.late) and r.kind = 'odometer') x(id)
      having count(*) > 0;
      if v_stored.dtcs is not null then v_dtcs := follow_dtcs(v_stored.dtcs); end if;
      return jsonb_build_object('stored', v_stored.n,
        'unknown', coalesce(v_unknown, '[]'), 'dtcs', v_dtcs);
    end $$`.execute(db);
}

/**
 * Stores what is new. Nearly always a meter's readings come in order and fit: those are accepted by
 * this one statement. Where one does not, all of that meter are left to be judged one by one.
 */
async function createStore(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.store_readings(p_new vehicles.new_reading[],
      out n int, out late uuid[], out new_day uuid[], out dtcs uuid[]
    ) language sql set search_path = vehicles, pg_temp as $$
      with incoming as (
        select r.*, m.last_at, m.last_total, m.floor_at, m.floor_total,
          r.value + case when m.has_segments then coalesce((select s.offset_value
            from meter_segment s where s.meter_id = m.id and s.from_at <= r.taken_at
            order by s.from_at desc limit 1), 0) else 0 end as total
        from unnest(p_new) r join meter m on m.id = r.meter_id
      ), paired as (
        select *, lag(taken_at, 1, last_at) over in_time as before_at,
          lag(total, 1, last_total) over in_time as before_total
        from incoming i
        where not exists (select from reading k where k.meter_id = i.meter_id
            and k.taken_at = i.taken_at and k.value = i.value and k.code = i.code)
          and (external_id is null or not exists (select from reading k
            where k.meter_id = i.meter_id and k.external_id = i.external_id))
        window in_time as (partition by meter_id order by taken_at, total, n)
      ), judged as (
        select *, kind not in ('odometer', 'engine_hours') or bool_and(
          taken_at >= coalesce(last_at, '-infinity')
          and not coalesce(taken_at >= floor_at and total < floor_total - 2, false)
          and misfit(kind, before_at, before_total, taken_at, total) is null
        ) over (partition by meter_id) as fits
        from paired
      ), stored as (
        insert into reading (id, meter_id, kind, taken_at, value, code, total, origin, external_id,
          state)
        select coalesce(id, uuidv7()), meter_id, kind, taken_at, value, code, total, origin,
          external_id, case when fits then 'accepted' else 'queued' end
        from judged order by meter_id, taken_at
        on conflict do nothing
        returning id, meter_id, kind, taken_at, value, total, state
      ), moved as (
        update meter m set last_at = s.taken_at, last_value = s.value, last_total = s.total
        from (select distinct on (meter_id) * from stored where state = 'accepted'
          order by meter_id, taken_at desc, total desc) s
        where m.id = s.meter_id and (m.last_at is null or m.last_at <= s.taken_at)
        returning m.vehicle_id, m.kind = 'odometer' and (old.last_at at time zone 'UTC')::date
          is distinct from (new.last_at at time zone 'UTC')::date as is_new_day
      )
      select (select count(*) from stored)::int,
        (select array_agg(id) from stored where state = 'queued'),
        (select array_agg(vehicle_id) from moved where is_new_day),
        (select array_agg(id) from stored where kind = 'dtc')
    $$`.execute(db);
}

/**
 * What somebody read off the dash at a hand-over or a repair. Published: it never refuses, so it
 * may stand in the transaction of the hand-over. Json {queued}: a person has to look at it.
 */
async function createDash(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.record_dash_reading(p_vehicle uuid, p_km int, p_fuel_eighths int,
      p_at timestamptz, p_origin text) returns jsonb language plpgsql security definer
    set search_path = vehicles, pg_temp as $$
    declare
      v_common jsonb := jsonb_build_object('n', 0, 'vehicle_id', p_vehicle, 'source', 'dash',
        'device_id', '', 'taken_at', p_at, 'code', '', 'origin', p_origin);
      v_readings jsonb := '[]';
    begin
      if p_km is not null then
        v_readings := v_readings || (v_common || jsonb_build_object('kind', 'odometer',
          'value', p_km));
      end if;
      if p_fuel_eighths is not null then
        v_readings := v_readings || (v_common || jsonb_build_object('kind', 'fuel',
          'value', p_fuel_eighths));
      end if;
      perform record_readings(v_readings);
      return jsonb_build_object('queued', exists (
        select from reading r join meter m on m.id = r.meter_id
        join reading_review w on w.id = r.id and w.decision is null
        where m.vehicle_id = p_vehicle and m.source = 'dash' and m.kind = 'odometer'
          and r.taken_at = p_at));
    end $$`.execute(db);
}
