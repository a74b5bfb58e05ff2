// Planned capacity: vehicles that are ordered and expected, counted apart and never given away.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PLANNED = 'vehicles.planned_capacity(text, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table vehicles.branch
    add column shows_planned boolean not null default false`.execute(db);
  // A date of the branch; it says nothing any more once the vehicle has come.
  await sql`alter table vehicles.vehicle add column expected_on date`.execute(db);
  await createPlanned(db);
  await ownedBy(db, 'vehicles_rw', [PLANNED]);
  await publishedTo(db, 'api_read', [PLANNED]);
}

/**
 * Json {classId: count} of a branch's ordered vehicles that are expected on the local date of p_from
 * or earlier; null where the branch does not show them. Runs with the caller's rights.
 */
async function createPlanned(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.planned_capacity(p_branch text, p_from timestamptz) returns jsonb
    language plpgsql stable set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_date date;
    begin
      select (p_from at time zone time_zone)::date into v_date
      from branch where id = p_branch and shows_planned;
      if v_date is null then return null; end if;
      return (select coalesce(jsonb_object_agg(class_id, n), '{}') from (
        select class_id, count(*) as n from vehicle
        where branch_id = p_branch and status = 'ordered' and expected_on <= v_date
        group by class_id) counted);
    end $$`.execute(db);
}
