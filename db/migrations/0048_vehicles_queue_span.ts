// Demands that wait without a vehicle: how many a pool may have, proved by SQL at each commit.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const QUEUE_SPAN = 'vehicles.queue_span(uuid, text, text, text, timestamptz, timestamptz, boolean)';
const READ = [
  'vehicles.rentable(uuid, text, timestamptz)',
  'vehicles.limit_pieces(text, text, tstzrange)',
  'vehicles.limit_over(text, text, tstzrange)',
  'vehicles.waiting_peak(text, text, tstzrange)',
  'vehicles.excess(text, text)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createLocks(db);
  await createRentable(db);
  await createLimit(db);
  await createPeak(db);
  await replaceGuard(db);
  await createQueueSpan(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.lock_pool(text, text)',
    'vehicles.lock_pools(text[], text[])',
    ...READ,
    QUEUE_SPAN,
  ]);
  await publishedTo(db, 'api_read', READ);
  await publishedTo(db, 'rentals_rw', [QUEUE_SPAN]);
}

/** Who lets a pool's demands wait, or serves them, takes turns; several pools in sorted order. */
async function createLocks(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.lock_pools(p_branches text[], p_classes text[]) returns void
    language plpgsql set search_path = vehicles, pg_temp as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended(pool, 2)) from (
        select distinct branch || '/' || class as pool
        from unnest(p_branches, p_classes) as pools (branch, class)
        where branch is not null and class is not null order by pool offset 0) sorted;
    end $$`.execute(db);
  await sql`
    create function vehicles.lock_pool(p_branch text, p_class text) returns void
    language sql set search_path = vehicles, pg_temp as $$
      select lock_pools(array[p_branch], array[p_class])
    $$`.execute(db);
}

/** Whether a vehicle in service can be rented from a branch at an instant: there, not blocked, not held. */
async function createRentable(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.rentable(p_vehicle uuid, p_branch text, p_at timestamptz)
    returns boolean language sql stable set search_path = vehicles, pg_temp as $$
      select place_at(p_vehicle, p_at) = p_branch
        and not exists (select from span where vehicle_id = p_vehicle and kind = 'block'
          and grip <> 'released' and during @> p_at)
        and blocking_hold(p_vehicle, tstzrange(p_at, p_at, '[]')) is null
    $$`.execute(db);
}

/** What the limit is on each local date that a period touches, the vehicles counted as of then. */
async function createLimit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.limit_pieces(p_branch text, p_class text, p_during tstzrange)
    returns table (piece tstzrange, most int) language sql stable
    -- Vehicles that will come from branches out of the asker's scope count, too.
    set search_path = vehicles, pg_temp set app.scope = '*' as $$
      with zone as (select time_zone from branch where id = p_branch),
      fleet as (
        select v.id, v.id in (select moving_vehicles(p_branch))
            or exists (select from span b
              where b.vehicle_id = v.id and b.kind = 'block' and b.grip <> 'released')
            or exists (select from hold h where h.vehicle_id = v.id and h.lifted_at is null
              and h.severity = 'hard') as special
        from vehicle v
        where v.class_id = p_class and v.status = 'in_service'
          and (v.branch_id = p_branch or v.id in (select moving_vehicles(p_branch)))),
      plain as (select count(*) as n from fleet where not special),
      days as (
        select p_during * tstzrange(day at time zone time_zone,
            (day + interval '1 day') at time zone time_zone) as piece, day::date as date
        from zone, generate_series((lower(p_during) at time zone time_zone)::date::timestamp,
          ((upper(p_during) - interval '1 microsecond') at time zone time_zone)::date::timestamp,
          interval '1 day') day)
      select d.piece, coalesce(l.absolute, floor(l.percent * (select plain.n + (
          select count(*) from fleet f where f.special and rentable(f.id, p_branch, lower(d.piece)))
        from plain) / 100.0)::int, 0)
      from days d
      left join overbooking_limit l on l.branch_id = p_branch and l.class_id = p_class
        and daterange(l.from_date, l.to_date, '[]') @> d.date
      order by 1
    $$`.execute(db);
  await sql`
    create function vehicles.limit_over(p_branch text, p_class text, p_during tstzrange)
    returns int language sql stable
    set search_path = vehicles, pg_temp set app.scope = '*' as $$
      select case when exists (select from overbooking_limit
          where branch_id = p_branch and class_id = p_class)
        then (select min(most) from limit_pieces(p_branch, p_class, p_during)) else 0 end
    $$`.execute(db);
}

async function createPeak(db: Kysely<unknown>): Promise<void> {
  // The most demands of a pool that wait at one instant of a period; those that a late or strayed
  // vehicle pushed out are left out. The peak is where one of them begins, or the period does.
  await sql`
    create function vehicles.waiting_peak(p_branch text, p_class text, p_during tstzrange)
    returns int language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce(max((
        select count(*) from span o
        where o.branch_out = p_branch and o.class_id = p_class and o.grip = 'unassigned'
          and o.over_limit_reason is null
          and o.during @> greatest(lower(s.during), lower(p_during)))), 0)::int
      from span s
      where s.branch_out = p_branch and s.class_id = p_class and s.grip = 'unassigned'
        and s.over_limit_reason is null and s.during && p_during
    $$`.execute(db);
  // Demands beyond a limit that became less, as [{rentalId, spanId, from, to, waiting, most}]: they
  // stay booked, and a person sees to them.
  await sql`
    create function vehicles.excess(p_branch text, p_class text) returns jsonb
    language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce(jsonb_agg(jsonb_build_object('rentalId', s.ref, 'spanId', s.id,
        'from', to_json(lower(s.during)), 'to', to_json(upper(s.during)),
        'waiting', worst.waiting, 'most', worst.most) order by lower(s.during), s.created_at), '[]')
      from span s cross join lateral (
        select w.waiting, p.most from limit_pieces(p_branch, p_class, s.during) p
        cross join lateral (select waiting_peak(p_branch, p_class, p.piece) as waiting) w
        where w.waiting > p.most order by w.waiting - p.most desc limit 1) worst
      where s.branch_out = p_branch and s.class_id = p_class and s.grip = 'unassigned'
        and s.over_limit_reason is null and upper(s.during) > now()
    $$`.execute(db);
}

/**
 * Recounted at commit, under the pool's lock, for each span that came to wait or waits for longer.
 * One that waited before is left alone: a lowered limit cancels nothing.
 */
async function replaceGuard(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.refuse_overbooking() returns trigger
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    -- Whoever writes, and in whatever scope: the proof looks at everything.
    set app.principal = 'system:calendar' set app.scope = '*' as $$
    declare
      v_span span;
    begin
      select * into v_span from span
      where id = new.id and grip = 'unassigned' and over_limit_reason is null;
      if not found then return null; end if;
      perform lock_pool(v_span.branch_out, v_span.class_id);
      if waiting_peak(v_span.branch_out, v_span.class_id, v_span.during)
        > limit_over(v_span.branch_out, v_span.class_id, v_span.during) then
        raise exception 'Span % is without a vehicle beyond the overbooking limit.', new.id
          using errcode = 'check_violation', constraint = 'span_overbooking_limit';
      end if;
      return null;
    end $$`.execute(db);
  await sql`drop trigger span_overbooking_limit on vehicles.span`.execute(db);
  await sql`create constraint trigger span_overbooking_limit
    after insert on vehicles.span deferrable initially deferred
    for each row when (new.grip = 'unassigned')
    execute function vehicles.refuse_overbooking()`.execute(db);
  await sql`create constraint trigger span_overbooking_limit_kept
    after update on vehicles.span deferrable initially deferred
    for each row when (new.grip = 'unassigned' and (old.grip <> 'unassigned'
      or not old.during @> new.during
      or (old.branch_out, old.class_id) is distinct from (new.branch_out, new.class_id)
      or (old.over_limit_reason is not null and new.over_limit_reason is null)))
    execute function vehicles.refuse_overbooking()`.execute(db);
}

/**
 * Step 3 of a reservation, under the pool's lock: a vehicle after all, or a place among those that
 * wait while at every instant one more is within the limit. Json as take_span's, with
 * {allocation: 'assigned' | 'unassigned'} or {full: true}. With `p_override` one more may wait beyond the
 * limit at any instant, marked so (decisions.md 40).
 */
async function createQueueSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.queue_span(
      p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz, p_override boolean default false
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_taken jsonb;
      v_turnaround int;
      v_during tstzrange;
      v_reason text;
    begin
      -- Step 1 has found the pool full; where nobody may wait, nobody queues for the lock either.
      if not p_override and not exists (select from overbooking_limit
        where branch_id = p_branch_out and class_id = p_class) then
        return jsonb_build_object('full', true);
      end if;
      perform lock_pool(p_branch_out, p_class);
      v_taken := take('rental', p_ref, p_class, p_branch_out, p_branch_in, p_from, p_to, null);
      if v_taken ->> 'full' is null then
        return v_taken || jsonb_build_object('allocation',
          case when v_taken ->> 'vehicleId' is null then 'unassigned' else 'assigned' end);
      end if;
      v_turnaround := v_taken ->> 'turnaroundMinutes';
      v_during := tstzrange(p_from, p_to + make_interval(mins => v_turnaround));
      if waiting_peak(p_branch_out, p_class, v_during) + 1
        > limit_over(p_branch_out, p_class, v_during) then
        if not p_override or exists (select from span where branch_out = p_branch_out
          and class_id = p_class and grip = 'unassigned' and over_limit_reason = 'override'
          and during && v_during) then return v_taken; end if;
        v_reason := 'override';
      end if;
      insert into span (kind, ref, class_id, branch_out, branch_in, during, turnaround_minutes,
        grip, over_limit_reason)
      values ('rental', p_ref, p_class, p_branch_out, p_branch_in, v_during, v_turnaround,
        'unassigned', v_reason);
      return v_taken - 'full' || jsonb_build_object('allocation', 'unassigned');
    end $$`.execute(db);
}
