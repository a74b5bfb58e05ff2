// Transfer tickets: who drove which vehicle from where to where, with what the dash read at both ends.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

const ROLL = 'vehicles.roll_transfer(uuid, timestamptz)';
const IN_THE_WAY = 'vehicles.transfer_obstacles(uuid, text, timestamptz, timestamptz)';
const CANDIDATES = 'vehicles.transfer_candidates(text, text, text, timestamptz, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTransfer(db);
  await createCommand(db);
  await guardTransitions(db);
  await createRoll(db);
  await createObstacles(db);
  await createCandidates(db);
  await ownedBy(db, 'vehicles_rw', [ROLL, IN_THE_WAY, CANDIDATES]);
}

/** The time that counts in the calendar is its span's; here is what was planned and what happened. */
async function createTransfer(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.transfer (
      id uuid primary key,
      status text not null default 'planned'
        check (status in ('planned', 'under_way', 'arrived', 'cancelled')),
      vehicle_id uuid not null references vehicles.vehicle,
      class_id text not null references vehicles.class,
      from_branch text not null references vehicles.branch,
      to_branch text not null references vehicles.branch,
      -- Of the people domain: an id only.
      driver_id uuid,
      departs_at timestamptz not null,
      arrives_at timestamptz not null check (arrives_at >= departs_at),
      overdue boolean not null default false,
      kept_until timestamptz,
      departed_at timestamptz,
      arrived_at timestamptz,
      odometer_out_km int check (odometer_out_km >= 0),
      odometer_in_km int,
      fuel_out_eighths int check (fuel_out_eighths between 0 and 8),
      fuel_in_eighths int check (fuel_in_eighths between 0 and 8),
      cancel_reason text check (cancel_reason in ('not-needed', 'vehicle', 'driver', 'other',
        'not-departed', 'void')),
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint transfer_goes_elsewhere check (from_branch <> to_branch),
      constraint transfer_departure_whole check (num_nulls(departed_at, odometer_out_km,
        fuel_out_eighths) = case when status in ('under_way', 'arrived') then 0 else 3 end),
      constraint transfer_arrival_whole check (num_nulls(arrived_at, odometer_in_km,
        fuel_in_eighths) = case status when 'arrived' then 0 else 3 end),
      constraint transfer_arrives_later check (arrived_at > departed_at),
      constraint transfer_never_goes_back check (odometer_in_km >= odometer_out_km),
      constraint transfer_cancelled_why check ((status = 'cancelled') = (cancel_reason is not null))
    )`.execute(db);
  await sql`create index transfer_of_vehicle on vehicles.transfer (vehicle_id, id)`.execute(db);
  await sql`create index transfer_from on vehicles.transfer (from_branch, id)`.execute(db);
  await sql`create index transfer_to on vehicles.transfer (to_branch, id)`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const theirs = `(select case when ${known} and ${scope} like 'branches:%'
    then string_to_array(substr(${scope}, 10), ',') end)::text[]`;
  // It concerns both ends.
  const inScope = sql.raw(`(select ${known} and ${scope} = '*')
    or from_branch = any (${theirs}) or to_branch = any (${theirs})`);
  await sql`alter table vehicles.transfer enable row level security`.execute(db);
  await sql`create policy in_scope on vehicles.transfer
    using (${inScope}) with check (${inScope})`.execute(db);
  await sql`alter table vehicles.transfer owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.transfer to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.transfer to api_read`.execute(db);
}

/** What each command led to: a repeat gets the same answer, whatever happened since. */
async function createCommand(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.transfer_command (
      id text primary key,
      transfer_id uuid not null references vehicles.transfer,
      outcome jsonb not null,
      recorded_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index transfer_command_of on vehicles.transfer_command (transfer_id)`.execute(
    db,
  );
  await sql`alter table vehicles.transfer_command enable row level security`.execute(db);
  const all = sql.raw(`(select coalesce(current_setting('app.principal', true), '') <> ''
    and current_setting('app.scope', true) = '*')`);
  await sql`create policy in_scope on vehicles.transfer_command
    using (${all}) with check (${all})`.execute(db);
  await sql`alter table vehicles.transfer_command owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on vehicles.transfer_command to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.transfer_command to api_read`.execute(db);
}

/** A ticket goes one way, and what it is about stays. */
async function guardTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.refuse_transfer_change() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1
        or (new.vehicle_id, new.from_branch, new.to_branch, new.departs_at)
          is distinct from (old.vehicle_id, old.from_branch, old.to_branch, old.departs_at)
        or not (new.status = old.status and old.status in ('planned', 'under_way')
          or old.status = 'planned' and new.status in ('under_way', 'cancelled')
          or old.status = 'under_way' and new.status = 'arrived') then
        raise exception 'Transfer % is % and does not change so.', old.id, old.status
          using errcode = 'check_violation', constraint = 'transfer_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger transfer_transition before update on vehicles.transfer
    for each row execute function vehicles.refuse_transfer_change()`.execute(db);
}

/**
 * A vehicle that is still on the road keeps its calendar until p_until, as roll_span does for a rental.
 * Json {vehicleId, moved}: what is in the way goes to other vehicles or waits, marked 'overdue'.
 */
async function createRoll(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.roll_transfer(p_ref uuid, p_until timestamptz) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_during tstzrange;
      v_other uuid;
      v_moved uuid[];
    begin
      v_span := lock_itinerary('transfer', p_ref);
      v_during := tstzrange(lower(v_span.during), greatest(upper(v_span.during), least(
        p_until + make_interval(mins => v_span.turnaround_minutes),
        (select min(lower(during)) from span where vehicle_id = v_span.vehicle_id
          and grip <> 'released' and kind in ('maintenance', 'block')
          and lower(during) > lower(v_span.during)))));
      update span set grip = 'released'
      where vehicle_id = v_span.vehicle_id and kind = 'transfer' and grip = 'tentative'
        and id <> v_span.id and during && v_during;
      v_moved := clear_way(v_span.id, v_during, true);
      update span set during = v_during where id = v_span.id;
      foreach v_other in array v_moved loop
        continue when place_span(v_other) is not null;
        update span set over_limit_reason = 'overdue' where id = v_other and kind = 'rental';
      end loop;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', announce_spans(v_moved || settle(v_span.vehicle_id)));
    end $$`.execute(db);
}

/** Json [{kind, ref, from, to}]: what is booked on the vehicle and does not let it go there then. */
async function createObstacles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.transfer_obstacles(
      p_vehicle uuid, p_to text, p_from timestamptz, p_until timestamptz
    ) returns jsonb language sql stable set search_path = vehicles, pg_temp as $$
      select coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'ref', s.ref,
        'from', to_json(lower(s.during)), 'to', to_json(upper(s.during)))
        order by lower(s.during)), '[]')
      from span s
      where s.vehicle_id = p_vehicle and s.grip <> 'released'
        and (s.during && tstzrange(p_from, p_until) or s.id = (
          select n.id from span n
          where n.vehicle_id = p_vehicle and n.grip <> 'released' and n.branch_out <> p_to
            and n.kind not in ('block', 'maintenance') and lower(n.during) >= p_until
          order by lower(n.during) limit 1))
    $$`.execute(db);
}

/**
 * Vehicles of a class that may leave a branch for another for good: free then, there, not held, and
 * promised to nobody later. Those with the fewest km come last, because they rent best.
 */
async function createCandidates(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.transfer_candidates(
      p_branch text, p_to text, p_class text, p_from timestamptz, p_until timestamptz
    ) returns setof uuid language sql stable set search_path = vehicles, pg_temp as $$
      select v.id
      from free_vehicles(p_branch, p_to, p_class, tstzrange(p_from, p_until)) f
      join vehicle v on v.id = f.vehicle_id
      where not exists (select from span s where s.vehicle_id = v.id and s.grip <> 'released'
        and s.kind <> 'block' and lower(s.during) >= p_from)
      order by v.odometer_km desc, v.id
    $$`.execute(db);
}
