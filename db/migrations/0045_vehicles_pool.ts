// What a pool may promise and where its vehicles will be: limits, travel times, spans that move.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createOverbookingLimit(db);
  await createTravelTime(db);
  await widenSpan(db);
  await indexMoves(db);
  for (const table of ['overbooking_limit', 'calendar_setting', 'travel_time']) {
    const name = sql.id('vehicles', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert, update on ${name} to vehicles_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
  }
}

/**
 * How many demands of a pool may be without a vehicle, by local date of the branch; null dates are
 * open ends. Dates without a row allow none. Percent is of the vehicles that can be rented then.
 */
async function createOverbookingLimit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.overbooking_limit (
      id uuid primary key,
      branch_id text not null references vehicles.branch,
      class_id text not null references vehicles.class,
      from_date date,
      to_date date check (to_date >= from_date),
      percent int check (percent between 0 and 100),
      absolute int check (absolute between 0 and 1000),
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint overbooking_limit_one_measure check (num_nulls(percent, absolute) = 1),
      constraint overbooking_limit_once_a_date exclude using gist (branch_id with =,
        class_id with =, daterange(from_date, to_date, '[]') with &&)
    )`.execute(db);
  await sql`alter table vehicles.overbooking_limit enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const inScope = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])`);
  await sql`create policy in_scope on vehicles.overbooking_limit
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** One row for both ways; a pair without one takes the setting. */
async function createTravelTime(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.travel_time (
      from_branch text not null references vehicles.branch,
      to_branch text not null references vehicles.branch,
      minutes int not null check (minutes between 0 and 20160),
      primary key (from_branch, to_branch),
      check (from_branch <> to_branch)
    )`.execute(db);
  await sql`
    create table vehicles.calendar_setting (
      sole boolean primary key default true check (sole),
      default_travel_minutes int not null default 180 check (default_travel_minutes >= 0)
    )`.execute(db);
  await sql`insert into vehicles.calendar_setting default values`.execute(db);
  await sql`
    create function vehicles.travel_minutes(p_from text, p_to text) returns int
    language sql stable set search_path = vehicles, pg_temp as $$
      select case when p_from = p_to then 0 else coalesce(
        (select minutes from travel_time where from_branch = p_from and to_branch = p_to),
        (select minutes from travel_time where from_branch = p_to and to_branch = p_from),
        (select default_travel_minutes from calendar_setting)) end
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.travel_minutes(text, text)']);
  await publishedTo(db, 'api_read', ['vehicles.travel_minutes(text, text)']);
}

/** Quotes that hold a vehicle, demands whose vehicle turned up elsewhere, work that stays in place. */
async function widenSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table vehicles.span
      add column held_until timestamptz,
      drop constraint span_kind_check,
      add constraint span_kind_check
        check (kind in ('rental', 'quote', 'transfer', 'maintenance', 'block')),
      drop constraint span_over_limit_reason_check,
      -- 'overdue': its vehicle did not come back; 'elsewhere': it is, or will be, at another branch;
      -- 'override': a manager let one more wait.
      add constraint span_over_limit_reason_check
        check (over_limit_reason in ('overdue', 'elsewhere', 'override')),
      add constraint span_quote_is_held check ((kind = 'quote') = (held_until is not null)),
      add constraint span_quote_ends_before_pick_up
        check (kind <> 'quote' or held_until <= lower(during) - interval '2 hours'),
      -- Neither moves its vehicle: continuity of place looks past them.
      add constraint span_work_stays
        check (kind not in ('maintenance', 'block') or branch_out = branch_in),
      -- Upper and lower of an unbounded range are null, which no comparison survives.
      add constraint span_bounded check (not lower_inf(during) and not upper_inf(during))`.execute(
    db,
  );
}

/** Vehicles that will leave a branch or arrive there are few: what asks for them finds them here. */
async function indexMoves(db: Kysely<unknown>): Promise<void> {
  await sql`create index span_moving_out on vehicles.span (branch_out, upper(during))
    include (vehicle_id)
    where branch_in <> branch_out and vehicle_id is not null and grip <> 'released'`.execute(db);
  await sql`create index span_moving_in on vehicles.span (branch_in, upper(during))
    include (vehicle_id)
    where branch_in <> branch_out and vehicle_id is not null and grip <> 'released'`.execute(db);
  await sql`create index span_block on vehicles.span (vehicle_id)
    where kind = 'block' and grip <> 'released'`.execute(db);
}
