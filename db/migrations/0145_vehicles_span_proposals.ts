// What may help any booking to another vehicle: the upgrade ladder, and vehicles of other branches.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PROPOSALS = 'vehicles.span_proposals(uuid)';

/**
 * As migration 0081 made it for rentals that wait, for a span with or without a vehicle. Json:
 * {upgrades: [{classId, free}], transfers: [{vehicleId, branchId, travelMinutes}]}, best first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.span_proposals(p_span uuid) returns jsonb
    language sql stable set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      with recursive asking as (select * from span where id = p_span),
      above (class_id, height, rank) as (
        select u.next_class_id, 1, u.rank from upgrade u join asking w on u.class_id = w.class_id
        where u.rank is not null
        union all
        select u.next_class_id, a.height + 1, u.rank from upgrade u
        join above a on u.class_id = a.class_id where u.rank is not null and a.height < 10),
      ladder as (
        select class_id, min(height) as height, min(rank) as rank from above group by class_id),
      upgrades as (
        select l.*, (select count(*) from asking w,
          free_vehicles(w.branch_out, w.branch_in, l.class_id, w.during)) as free from ladder l),
      transfers as (
        select f.vehicle_id, b.id as branch_id, travel_minutes(b.id, w.branch_out) as minutes
        from asking w
        join branch b on b.id <> w.branch_out
          and now() + make_interval(mins => travel_minutes(b.id, w.branch_out)) <= lower(w.during)
        cross join lateral free_vehicles(b.id, w.branch_in, w.class_id,
          tstzrange(now(), upper(w.during))) f
        where lower(w.during) > now()
        order by 3, 1 limit 10)
      select jsonb_build_object(
        'upgrades', (select coalesce(jsonb_agg(jsonb_build_object('classId', class_id,
          'free', free) order by height, rank, class_id), '[]') from upgrades where free > 0),
        'transfers', (select coalesce(jsonb_agg(jsonb_build_object('vehicleId', vehicle_id,
          'branchId', branch_id, 'travelMinutes', minutes) order by minutes, vehicle_id), '[]')
          from transfers))
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [PROPOSALS]);
  await publishedTo(db, 'api_read', [PROPOSALS]);
  await sql`
    create or replace function vehicles.shortage_proposals(p_rental uuid) returns jsonb
    language sql stable set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      select span_proposals((select id from span
        where kind = 'rental' and ref = p_rental and grip = 'unassigned'))
    $$`.execute(db);
}
