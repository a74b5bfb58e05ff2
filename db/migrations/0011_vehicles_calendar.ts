// The calendar: every span of time that takes a vehicle, and the constraints that keep it true.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSpan(db);
  await guardUnassigned(db);
  await sql`alter table vehicles.span owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.span to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.span to api_read`.execute(db);
}

/**
 * A demand on (branch, class, time) of which the vehicle is a property that may be empty.
 * `during` is half-open and includes the turnaround of the branch that the vehicle returns to.
 */
async function createSpan(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.span (
      id uuid primary key default uuidv7(),
      kind text not null check (kind in ('rental', 'transfer', 'maintenance', 'block')),
      ref uuid not null,
      class_id text not null references vehicles.class,
      branch_out text not null references vehicles.branch,
      branch_in text not null references vehicles.branch,
      during tstzrange not null
        check (not isempty(during) and lower_inc(during) and not upper_inc(during)),
      turnaround_minutes int not null check (turnaround_minutes >= 0),
      vehicle_id uuid references vehicles.vehicle,
      grip text not null
        check (grip in ('unassigned', 'tentative', 'firm', 'out', 'released')),
      over_limit_reason text check (over_limit_reason in ('overdue')),
      -- Counts the reassignments that were told: the sequence number of the span's events.
      version int not null default 0,
      created_at timestamptz not null default now(),
      unique (kind, ref),
      constraint span_grip_names_vehicle
        check (grip = 'released' or (grip = 'unassigned') = (vehicle_id is null)),
      constraint span_only_rentals_wait check (grip <> 'unassigned' or kind = 'rental'),
      constraint span_over_limit_unassigned
        check (over_limit_reason is null or grip in ('unassigned', 'released')),
      -- Not deferrable: ON CONFLICT DO NOTHING needs it so, and movers unassign first.
      constraint span_no_double_booking exclude using gist (vehicle_id with =, during with &&)
        where (vehicle_id is not null and grip <> 'released')
    )`.execute(db);
  // Because spans of one vehicle never overlap, the one that starts last before an instant decides
  // whether the vehicle is free: one probe of this index a vehicle answers availability.
  await sql`create index span_by_vehicle on vehicles.span (vehicle_id, lower(during))
    include (during) where vehicle_id is not null and grip <> 'released'`.execute(db);
  await sql`create unique index span_out_once on vehicles.span (vehicle_id)
    include (during, turnaround_minutes) where grip = 'out'`.execute(db);
  await sql`create index span_waiting on vehicles.span (branch_out, class_id, lower(during))
    where grip = 'unassigned'`.execute(db);
}

/**
 * The overbooking limit is 0 for now: at commit no demand may be without a vehicle, but for those
 * that an overdue vehicle pushed out. Deferred, because movers unassign before they assign.
 */
async function guardUnassigned(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.refuse_overbooking() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      perform from span where id = new.id and grip = 'unassigned' and over_limit_reason is null;
      if found then
        raise exception 'Span % is without a vehicle beyond the overbooking limit.', new.id
          using errcode = 'check_violation', constraint = 'span_overbooking_limit';
      end if;
      return null;
    end $$`.execute(db);
  await sql`alter function vehicles.refuse_overbooking() owner to vehicles_rw`.execute(db);
  await sql`create constraint trigger span_overbooking_limit
    after insert or update on vehicles.span deferrable initially deferred
    for each row when (new.grip = 'unassigned')
    execute function vehicles.refuse_overbooking()`.execute(db);
}
