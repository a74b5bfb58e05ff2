// Recalls: what an authority or a maker calls back, which vehicles that are, and whose renter knows.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.recall (
      id uuid primary key,
      title text not null check (title <> ''),
      authority_number text not null check (authority_number <> ''),
      jurisdiction text not null check (jurisdiction ~ '^[A-Z]{2}$'),
      notice_received_at timestamptz not null,
      -- By law; the holds block from hard_at, which a company may set earlier.
      deadline_at timestamptz not null check (deadline_at >= notice_received_at),
      hard_at timestamptz not null check (hard_at >= notice_received_at),
      is_safety boolean not null,
      has_interim_remedy boolean not null,
      is_remedy_available boolean not null,
      -- When the deadline was acted upon.
      grounded_at timestamptz,
      version int not null default 1,
      created_at timestamptz not null default now(),
      unique (jurisdiction, authority_number),
      constraint recall_hard_by_its_deadline check (hard_at <= deadline_at)
    )`.execute(db);
  // All that a row names must be met; one row that is met is enough.
  await sql`
    create table vehicles.recall_scope (
      recall_id uuid not null references vehicles.recall,
      no int not null check (no >= 1),
      vin_prefix text check (vin_prefix ~ '^[A-HJ-NPR-Z0-9]{3,17}$'),
      vin_from text check (vin_from ~ '^[A-HJ-NPR-Z0-9]{17}$'),
      vin_to text check (vin_to ~ '^[A-HJ-NPR-Z0-9]{17}$'),
      make text check (make <> ''),
      model text check (model <> ''),
      year_from int,
      year_to int,
      primary key (recall_id, no),
      check ((vin_from is null) = (vin_to is null)),
      check (model is null or make is not null),
      check (year_to >= year_from),
      constraint recall_scope_names_something check (num_nonnulls(vin_prefix, vin_from, make) > 0)
    )`.execute(db);
  await sql`
    create table vehicles.recall_vehicle (
      recall_id uuid not null references vehicles.recall,
      vehicle_id uuid not null references vehicles.vehicle,
      hold_id uuid not null unique references vehicles.hold,
      matched_at timestamptz not null default now(),
      primary key (recall_id, vehicle_id)
    )`.execute(db);
  await sql`create index recall_vehicle_of on vehicles.recall_vehicle (vehicle_id)`.execute(db);
  await sql`
    create table vehicles.recall_notice (
      recall_id uuid not null references vehicles.recall,
      rental_id uuid not null,
      vehicle_id uuid not null references vehicles.vehicle,
      -- 'none': the renter left no address, so somebody has to call.
      channel text not null check (channel in ('mail', 'none')),
      noticed_at timestamptz not null default now(),
      primary key (recall_id, rental_id)
    )`.execute(db);
  for (const table of ['recall', 'recall_scope', 'recall_vehicle', 'recall_notice']) {
    const name = sql.id('vehicles', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert on ${name} to vehicles_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
  }
  await sql`grant update (grounded_at, version) on vehicles.recall to vehicles_rw`.execute(db);
  await seenWithItsVehicle(db);
}

/** A campaign is the company's; which vehicles it calls back is told where those are. */
async function seenWithItsVehicle(db: Kysely<unknown>): Promise<void> {
  for (const table of ['recall_vehicle', 'recall_notice']) {
    const name = sql.id('vehicles', table);
    const inScope = sql.raw(`(select coalesce(current_setting('app.principal', true), '') <> ''
        and current_setting('app.scope', true) = '*')
      or exists (select from vehicles.vehicle v where v.id = ${table}.vehicle_id)`);
    await sql`alter table ${name} enable row level security`.execute(db);
    await sql`create policy in_scope on ${name}
      using (${inScope}) with check (${inScope})`.execute(db);
  }
}
