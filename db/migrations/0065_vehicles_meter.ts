// Meters: what a vehicle's counters and sensors read over time, and what a person has to look at.
import { type Kysely, sql } from 'kysely';

const TABLES = ['meter', 'meter_segment', 'reading', 'reading_review', 'dtc'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  // Kept by the readings of the odometer; null as long as they say nothing.
  await sql`alter table vehicles.vehicle add column if not exists average_km_per_day numeric
    check (average_km_per_day >= 0)`.execute(db);
  await createMeter(db);
  await createReading(db);
  await createReview(db);
  for (const table of TABLES) {
    const name = sql.id('vehicles', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select on ${name} to api_read, vehicles_rw`.execute(db);
    await sql`grant insert, update on ${name} to vehicles_rw`.execute(db);
  }
  await restrict(db);
}

/**
 * One counter or sensor of a vehicle as one source reads it, through one device. Readings are
 * compared within a meter only: a device's odometer is not the one on the dash. `last_*` is the
 * newest accepted reading in time; `floor_*` what the vehicle was registered with.
 */
async function createMeter(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.meter (
      id bigint generated always as identity primary key,
      vehicle_id uuid not null references vehicles.vehicle,
      kind text not null check (kind in ('odometer', 'engine_hours', 'fuel', 'charge', 'dtc')),
      source text not null check (source in ('dash', 'can', 'gps')),
      -- Empty for the dash, which is read by people.
      device_id text not null default '',
      floor_at timestamptz,
      floor_total numeric(12, 3),
      has_segments boolean not null default false,
      last_at timestamptz,
      last_value numeric(12, 3),
      last_total numeric(12, 3),
      unique (vehicle_id, kind, source, device_id),
      constraint meter_device check ((source = 'dash') = (device_id = ''))
    ) with (fillfactor = 70)`.execute(db);
  // A counter that was replaced goes on under another offset: value + offset never falls.
  await sql`
    create table vehicles.meter_segment (
      meter_id bigint not null references vehicles.meter,
      number int not null check (number > 1),
      from_at timestamptz not null,
      offset_value numeric(12, 3) not null,
      reason text not null check (reason <> ''),
      recorded_by text not null,
      recorded_at timestamptz not null default now(),
      primary key (meter_id, number),
      unique (meter_id, from_at)
    )`.execute(db);
  // The codes that a vehicle has ever had. `raised` counts how often one came on, as its events do.
  await sql`
    create table vehicles.dtc (
      id uuid primary key default uuidv7(),
      vehicle_id uuid not null references vehicles.vehicle,
      code text not null check (code ~ '^[PCBU][0-3][0-9A-F]{3}$'),
      active boolean not null,
      last_at timestamptz not null,
      raised int not null check (raised >= 0),
      unique (vehicle_id, code)
    )`.execute(db);
}

/**
 * Units by kind: km, hours, eighths of the tank, percent, and for a DTC 1 (on) or 0 (off). `total`
 * is the value and the offset of its segment. Nothing is ever deleted. That the meter is there, and
 * of this kind, is a trigger's business (0068): a foreign key would ask a row at a time.
 */
async function createReading(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.reading (
      id uuid primary key,
      meter_id bigint not null,
      kind text not null,
      taken_at timestamptz not null,
      value numeric(12, 3) not null check (value >= 0),
      code text not null default '',
      total numeric(12, 3) not null,
      origin text not null check (origin in ('check-out', 'check-in', 'work-order', 'replacement',
        'http', 'device')),
      external_id text check (external_id <> ''),
      state text not null check (state in ('accepted', 'queued', 'void')),
      recorded_by text not null default current_setting('app.principal'),
      recorded_at timestamptz not null default now(),
      void_at timestamptz,
      void_by text,
      void_reason text check (void_reason <> ''),
      constraint reading_void_whole
        check (num_nulls(void_at, void_by, void_reason) = case state when 'void' then 0 else 3 end),
      constraint reading_in_range check (case kind when 'fuel' then value <= 8
        when 'charge' then value <= 100 when 'dtc' then value in (0, 1) else true end),
      constraint reading_code
        check (case kind when 'dtc' then code ~ '^[PCBU][0-3][0-9A-F]{3}$' else code = '' end)
    )`.execute(db);
  // What comes twice is found by either; the first also finds the neighbours in time.
  await sql`create unique index reading_once
    on vehicles.reading (meter_id, taken_at, value, code)`.execute(db);
  await sql`create unique index reading_external on vehicles.reading (meter_id, external_id)
    where external_id is not null`.execute(db);
  await sql`create index reading_queued on vehicles.reading (meter_id, taken_at)
    where state = 'queued'`.execute(db);
}

/** Readings that nobody would believe, until a person has decided. One row a reading. */
async function createReview(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.reading_review (
      id uuid primary key references vehicles.reading,
      reason text not null check (reason in ('backwards', 'too-fast')),
      opened_at timestamptz not null default now(),
      decision text check (decision in ('accept', 'void', 'new-segment', 'fits')),
      decided_by text,
      decided_at timestamptz,
      decision_reason text check (decision_reason <> ''),
      constraint review_decided_whole
        check (num_nulls(decision, decided_by, decided_at, decision_reason) in (0, 4))
    )`.execute(db);
  await sql`create index reading_review_open on vehicles.reading_review (id)
    where decision is null`.execute(db);
}

/** Seen by who sees the vehicle; the sub-selects obey the policy of what they read. */
async function restrict(db: Kysely<unknown>): Promise<void> {
  const ALL = `(select coalesce(current_setting('app.principal', true), '') <> ''
    and current_setting('app.scope', true) = '*')`;
  const RULES: Readonly<Record<string, string>> = {
    meter: 'exists (select from vehicles.vehicle v where v.id = vehicle_id)',
    meter_segment: 'exists (select from vehicles.meter m where m.id = meter_id)',
    reading: 'exists (select from vehicles.meter m where m.id = meter_id)',
    reading_review: 'exists (select from vehicles.reading r where r.id = reading_review.id)',
    dtc: 'exists (select from vehicles.vehicle v where v.id = vehicle_id)',
  };
  for (const [table, rule] of Object.entries(RULES)) {
    const name = sql.id('vehicles', table);
    const inScope = sql.raw(`${ALL} or ${rule}`);
    await sql`alter table ${name} enable row level security`.execute(db);
    await sql`create policy in_scope on ${name} using (${inScope}) with check (${inScope})`.execute(
      db,
    );
  }
}
