// Shortage cases: bookings that are without a vehicle shortly before pick-up, and how each was helped.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const LEAD = 'vehicles.shortage_lead(text)';
const RAISE = 'vehicles.raise_shortage(uuid, uuid)';
const PROPOSALS = 'vehicles.shortage_proposals(uuid)';
const UPGRADE = 'vehicles.upgrade_span(uuid, text)';
const SETTLE = 'vehicles.settle_shortage()';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table vehicles.branch add column shortage_lead_minutes int not null default 120
    check (shortage_lead_minutes between 0 and 10080)`.execute(db);
  await createCase(db);
  await createRaise(db);
  await createSettle(db);
  await createProposals(db);
  await createUpgrade(db);
  await ownedBy(db, 'vehicles_rw', [LEAD, RAISE, PROPOSALS, UPGRADE, SETTLE]);
  await publishedTo(db, 'rentals_rw', [LEAD, RAISE]);
  await publishedTo(db, 'api_read', [PROPOSALS]);
}

/** `promoted`: a vehicle came free; `given_up`: the booking needs none any more. */
async function createCase(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.shortage_case (
      id uuid primary key,
      rental_id uuid not null,
      branch_id text not null references vehicles.branch,
      class_id text not null references vehicles.class,
      pick_up_at timestamptz not null,
      raised_at timestamptz not null default now(),
      step text check (step in ('upgrade', 'transfer', 'sub_rental', 'walk', 'waited', 'promoted',
        'given_up')),
      -- Of an upgrade: the class, and the vehicle that it found. Of a transfer: its vehicle.
      upgrade_class_id text references vehicles.class,
      vehicle_id uuid references vehicles.vehicle,
      cost_minor bigint check (cost_minor >= 0),
      currency text check (currency ~ '^[A-Z]{3}$'),
      reason text check (reason <> ''),
      resolved_at timestamptz,
      resolved_by text,
      version int not null default 1,
      constraint shortage_resolved_whole check (num_nulls(step, resolved_at, resolved_by) in (0, 3)),
      constraint shortage_cost_has_currency check ((cost_minor is null) = (currency is null)),
      constraint shortage_walk_has_cost_and_reason
        check (step <> 'walk' or (cost_minor is not null and reason is not null)),
      constraint shortage_upgrade_has_vehicle
        check ((step = 'upgrade') = (upgrade_class_id is not null) or step is null)
    )`.execute(db);
  await sql`create unique index shortage_open_once on vehicles.shortage_case (rental_id)
    where step is null`.execute(db);
  await sql`create index shortage_of_branch on vehicles.shortage_case (branch_id, id)`.execute(db);
  await sql`alter table vehicles.shortage_case owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.shortage_case to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.shortage_case to api_read`.execute(db);
  await sql`alter table vehicles.shortage_case enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const inScope = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])`);
  await sql`create policy in_scope on vehicles.shortage_case
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** One open case a rental. Json {caseId, branchId, classId, pickUpAt}, null when it has a vehicle. */
async function createRaise(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.shortage_lead(p_branch text) returns int
    language sql stable security definer set search_path = vehicles, pg_temp as $$
      select shortage_lead_minutes from branch where id = p_branch
    $$`.execute(db);
  await sql`
    create function vehicles.raise_shortage(p_case uuid, p_rental uuid) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_case shortage_case;
    begin
      select * into v_span from span where kind = 'rental' and ref = p_rental for update;
      if not found or v_span.grip <> 'unassigned' then return null; end if;
      insert into shortage_case (id, rental_id, branch_id, class_id, pick_up_at)
      values (p_case, p_rental, v_span.branch_out, v_span.class_id, lower(v_span.during))
      on conflict (rental_id) where step is null do nothing;
      select * into v_case from shortage_case where rental_id = p_rental and step is null;
      return jsonb_build_object('caseId', v_case.id, 'branchId', v_case.branch_id,
        'classId', v_case.class_id, 'pickUpAt', to_json(v_case.pick_up_at),
        'isNew', v_case.id = p_case);
    end $$`.execute(db);
}

/** Whatever gives the booking a vehicle, or ends it, ends its case in the same commit. */
async function createSettle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.settle_shortage() returns trigger
    language plpgsql security definer
    set search_path = vehicles, pg_temp set app.scope = '*' as $$
    begin
      update shortage_case set version = version + 1, resolved_at = now(),
        step = case when new.grip = 'released' then 'given_up' else 'promoted' end,
        vehicle_id = case when new.grip = 'released' then null else new.vehicle_id end,
        resolved_by = coalesce(nullif(current_setting('app.principal', true), ''), 'system:calendar')
      where rental_id = new.ref and step is null;
      return null;
    end $$`.execute(db);
  await sql`create trigger span_shortage_settled after update on vehicles.span
    for each row when (old.grip = 'unassigned' and new.grip <> 'unassigned'
      and new.kind = 'rental')
    execute function vehicles.settle_shortage()`.execute(db);
}

/**
 * What may help a rental that waits, in the order of decisions.md 1: classes up the ladder that have a
 * vehicle, then vehicles of its own class that can be driven over in time, nearest first. Json
 * {upgrades: [{classId, free}], transfers: [{vehicleId, branchId, travelMinutes}]}.
 */
async function createProposals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.shortage_proposals(p_rental uuid) returns jsonb
    language sql stable set search_path = vehicles, pg_temp as $$
      with recursive waiting as (
        select * from span where kind = 'rental' and ref = p_rental and grip = 'unassigned'),
      above (class_id, height, rank) as (
        select u.next_class_id, 1, u.rank from upgrade u join waiting w on u.class_id = w.class_id
        where u.rank is not null
        union all
        select u.next_class_id, a.height + 1, u.rank from upgrade u
        join above a on u.class_id = a.class_id where u.rank is not null and a.height < 10),
      ladder as (
        select class_id, min(height) as height, min(rank) as rank from above group by class_id),
      upgrades as (
        select l.*, (select count(*) from waiting w,
          free_vehicles(w.branch_out, w.branch_in, l.class_id, w.during)) as free from ladder l),
      transfers as (
        select f.vehicle_id, b.id as branch_id, travel_minutes(b.id, w.branch_out) as minutes
        from waiting w
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
}

/**
 * Gives a rental that waits the best fitting vehicle of a class up the ladder; what was booked and its
 * price stay. Json as a moved span of promote, or {refused: 'not-waiting' | 'no-upgrade' | 'full'}.
 */
async function createUpgrade(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.upgrade_span(p_rental uuid, p_class text) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
    begin
      select * into v_span from span where kind = 'rental' and ref = p_rental;
      perform lock_pools(array[v_span.branch_out, v_span.branch_out],
        array[v_span.class_id, p_class]);
      select * into v_span from span where kind = 'rental' and ref = p_rental for update;
      if not found or v_span.grip <> 'unassigned' then
        return jsonb_build_object('refused', 'not-waiting');
      end if;
      perform from (
        with recursive above (id) as (
          select next_class_id from upgrade where class_id = v_span.class_id and rank is not null
          union select u.next_class_id from upgrade u join above a on u.class_id = a.id
          where u.rank is not null)
        select from above where id = p_class) found_above;
      if not found then return jsonb_build_object('refused', 'no-upgrade'); end if;
      update span set class_id = p_class where id = v_span.id;
      if place_span(v_span.id) is not null then
        return announce_spans(array[v_span.id]) -> 0;
      end if;
      update span set class_id = v_span.class_id where id = v_span.id;
      return jsonb_build_object('refused', 'full');
    end $$`.execute(db);
}
