// The nightly proof: its runs, what each still doubts, and the differences that it found.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createProof(db);
  await createDifference(db);
  for (const table of ['fleet_proof', 'fleet_doubt', 'fleet_difference']) {
    const name = sql.id('vehicles', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert, update on ${name} to vehicles_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
  }
}

async function createProof(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.fleet_proof (
      id uuid primary key,
      started_at timestamptz not null default now(),
      finished_at timestamptz check (finished_at >= started_at),
      rentals int not null default 0 check (rentals >= 0),
      workflows int not null default 0 check (workflows >= 0),
      vehicles int not null default 0 check (vehicles >= 0),
      doubts int not null default 0 check (doubts >= 0),
      differences int check (differences >= 0),
      -- The sequence number of its event: finished, it is told once.
      version int not null default 0,
      constraint fleet_proof_tells_when_finished
        check ((finished_at is null) = (differences is null))
    )`.execute(db);
  await sql`create index fleet_proof_newest on vehicles.fleet_proof (started_at)`.execute(db);
  // What looked wrong at first sight is read again after a while: only then is it a difference.
  await sql`
    create table vehicles.fleet_doubt (
      proof_id uuid not null references vehicles.fleet_proof,
      subject_type text not null check (subject_type in ('rental', 'vehicle', 'quote')),
      subject_id uuid not null,
      primary key (proof_id, subject_type, subject_id)
    )`.execute(db);
}

async function createDifference(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.fleet_difference (
      id uuid primary key default uuidv7(),
      kind text not null,
      subject_type text not null check (subject_type in ('rental', 'vehicle', 'quote')),
      subject_id uuid not null,
      branch_id text references vehicles.branch,
      sides jsonb not null,
      owner text not null,
      first_seen timestamptz not null default now(),
      last_seen timestamptz not null default now(),
      resolved_at timestamptz,
      version int not null default 1
    )`.execute(db);
  // One open row for each thing that is wrong: seen again, it is the same one.
  await sql`create unique index fleet_difference_open
    on vehicles.fleet_difference (kind, subject_type, subject_id)
    where resolved_at is null`.execute(db);
  await sql`alter table vehicles.fleet_difference enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const rule = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])`);
  await sql`create policy in_scope on vehicles.fleet_difference
    using (${rule}) with check (${rule})`.execute(db);
}
