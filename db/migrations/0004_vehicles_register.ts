// Branches, vehicle classes and vehicles: what the company has, and where.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.branch (
      id text primary key check (id ~ '^[A-Z0-9]{2,8}$'),
      name text not null check (name <> ''),
      time_zone text not null,
      entity_id text not null,
      turnaround_minutes int not null default 30 check (turnaround_minutes between 0 and 1440),
      no_show_grace_minutes int not null default 120 check (no_show_grace_minutes >= 0),
      overdue_grace_minutes int not null default 29 check (overdue_grace_minutes >= 0),
      return_reminder_minutes int not null default 1440 check (return_reminder_minutes >= 0),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table vehicles.class (
      id text primary key check (id ~ '^[A-Z]{4}$'),
      name text not null check (name <> ''),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table vehicles.vehicle (
      id uuid primary key,
      plate text not null unique check (plate <> ''),
      class_id text not null references vehicles.class,
      branch_id text not null references vehicles.branch,
      status text not null default 'in_service' check (status in ('ordered', 'preparing',
        'in_service', 'held_for_sale', 'sold', 'written_off', 'returned_to_supplier')),
      make text not null,
      model text not null,
      model_year int not null check (model_year between 1900 and 2100),
      odometer_km int not null default 0 check (odometer_km >= 0),
      fuel_eighths int not null default 8 check (fuel_eighths between 0 and 8),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index vehicle_pool on vehicles.vehicle (branch_id, class_id)
    where status = 'in_service'`.execute(db);
  for (const table of ['branch', 'class', 'vehicle']) {
    const name = sql.id('vehicles', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert, update on ${name} to vehicles_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
  }
}
