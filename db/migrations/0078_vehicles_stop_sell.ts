// Stop-sell rules: dates on which a branch, a class or a channel is not sold any more.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const STOPS = 'vehicles.stops_of(text, text, text, timestamptz, timestamptz)';
const STOPPED = 'vehicles.stopped_classes(text, text, timestamptz, timestamptz)';
const RULES = 'vehicles.booking_rules(text, text, text, text, timestamptz, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createStopSell(db);
  await createStopsOf(db);
  await createStoppedClasses(db);
  await createBookingRules(db);
  await ownedBy(db, 'vehicles_rw', [STOPS, STOPPED, RULES]);
  await publishedTo(db, 'api_read', [STOPS, STOPPED, RULES]);
  await publishedTo(db, 'rentals_rw', [RULES]);
}

/** A rule that is over keeps its row: it explains the refusals of its time. */
async function createStopSell(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.stop_sell (
      id uuid primary key,
      -- Null: all of them.
      branch_id text references vehicles.branch,
      class_id text references vehicles.class,
      channel text check (channel in ('counter', 'online', 'corporate', 'partner')),
      -- What may not fall on the dates: the pick-up, any part of the rental, or the return.
      kind text not null check (kind in ('arrival', 'stay', 'departure')),
      -- Local dates of the branch, both included.
      from_date date not null,
      to_date date not null check (to_date >= from_date),
      reason text not null check (reason <> ''),
      ended_at timestamptz,
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index stop_sell_in_force on vehicles.stop_sell (to_date)
    where ended_at is null`.execute(db);
  await sql`alter table vehicles.stop_sell owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.stop_sell to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.stop_sell to api_read`.execute(db);
  // A rule for all branches binds each, so all staff see it; only who has every branch makes one.
  await sql`alter table vehicles.stop_sell enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const all = `(select ${known} and ${scope} = '*')`;
  const own = `branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
    then string_to_array(substr(${scope}, 10), ',') end)::text[])`;
  const shared = `(branch_id is null and (select ${known} and ${scope} like 'branches:%'))`;
  await sql`create policy in_scope on vehicles.stop_sell
    using (${sql.raw(`${all} or ${own} or ${shared}`)})
    with check (${sql.raw(`${all} or ${own}`)})`.execute(db);
}

/** The rules that a rental of [p_from, p_to] meets; `p_class` null: whatever class they name. */
async function createStopsOf(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.stops_of(
      p_branch text, p_class text, p_channel text, p_from timestamptz, p_to timestamptz
    ) returns setof vehicles.stop_sell
    language plpgsql stable set search_path = vehicles, pg_temp as $$
    declare
      v_zone text;
      v_first date;
      v_last date;
    begin
      -- Most of the time nothing is stopped at all.
      perform from stop_sell where ended_at is null and to_date >= current_date - 1 limit 1;
      if not found then return; end if;
      select time_zone into v_zone from branch where id = p_branch;
      v_first := (p_from at time zone v_zone)::date;
      v_last := (p_to at time zone v_zone)::date;
      return query
        select s.* from stop_sell s
        where s.ended_at is null and s.to_date >= v_first and s.from_date <= v_last
          and (s.branch_id is null or s.branch_id = p_branch)
          and (s.class_id is null or p_class is null or s.class_id = p_class)
          and (s.channel is null or s.channel = p_channel)
          and case s.kind
            when 'arrival' then v_first between s.from_date and s.to_date
            when 'departure' then v_last between s.from_date and s.to_date
            else true end
        order by s.id;
    end $$`.execute(db);
}

/** For availability: the stopped classes of a branch, '*' when all are; null when none is. */
async function createStoppedClasses(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.stopped_classes(
      p_branch text, p_channel text, p_from timestamptz, p_to timestamptz
    ) returns text[]
    language sql stable security definer set search_path = vehicles, pg_temp as $$
      select array_agg(coalesce(class_id, '*'))
      from stops_of(p_branch, null, p_channel, p_from, p_to)
    $$`.execute(db);
}

/**
 * All that a booking has to be judged by besides its vehicle, in one round trip. PL/pgSQL, because it
 * keeps its plan: half the time of the same in SQL.
 */
async function createBookingRules(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.booking_rules(
      p_branch_out text, p_branch_in text, p_class text, p_channel text,
      p_from timestamptz, p_to timestamptz
    ) returns jsonb
    language plpgsql stable security definer set search_path = vehicles, pg_temp as $$
    begin
      return jsonb_build_object(
        'out', opening_hours_at(p_branch_out, p_from),
        'in', opening_hours_at(p_branch_in, p_to),
        'stops', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'kind', s.kind,
            'from', s.from_date, 'to', s.to_date) order by s.id), '[]')
          from stops_of(p_branch_out, p_class, p_channel, p_from, p_to) s));
    end $$`.execute(db);
}
