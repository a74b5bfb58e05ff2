// Inspections of vehicles at check-out and check-in: fixed once completed, corrected by new ones.
import { type Kysely, type RawBuilder, sql } from 'kysely';

const PANELS = `'front-bumper', 'bonnet', 'windscreen', 'roof', 'boot', 'rear-window',
  'rear-bumper', 'left-front-wing', 'left-front-door', 'left-rear-door', 'left-rear-wing',
  'left-sill', 'left-mirror', 'right-front-wing', 'right-front-door', 'right-rear-door',
  'right-rear-wing', 'right-sill', 'right-mirror', 'wheel-front-left', 'wheel-front-right',
  'wheel-rear-left', 'wheel-rear-right', 'lights', 'underbody', 'interior'`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await createRule(db);
  await createInspection(db);
  await createParts(db);
  await guardInspection(db);
  await guardParts(db);
  await limitRows(db, 'inspection', sql`rentals.rental p where p.id = rental_id`);
  const parent = sql`rentals.inspection p where p.id = inspection_id`;
  await limitRows(db, 'inspection_mark', parent);
  await limitRows(db, 'inspection_file', parent);
}

/** What a branch asks of inspections and of damages; without a row nothing is required. */
async function createRule(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.damage_rule (
      branch_id text primary key,
      inspection_required boolean not null default false,
      -- The most that the law of the place lets a renter owe for a damage.
      cap_minor bigint check (cap_minor >= 0),
      vat_class text not null default 'compensation'
        check (vat_class in ('compensation', 'sold-repair')),
      vat_rate_bp int not null default 0 check (vat_rate_bp between 0 and 10000),
      estimate_hours int not null default 72 check (estimate_hours between 1 and 2160),
      answer_hours int not null default 336 check (answer_hours between 1 and 2160),
      version int not null default 1
    )`.execute(db);
  await own(db, 'damage_rule', 'select, insert, update');
}

async function createInspection(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.inspection (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      vehicle_id uuid not null,
      kind text not null check (kind in ('out', 'in')),
      odometer_km int not null check (odometer_km >= 0),
      fuel_eighths int check (fuel_eighths between 0 and 8),
      charge_percent int check (charge_percent between 0 and 100),
      note text check (note <> ''),
      corrects uuid references rentals.inspection check (corrects <> id),
      created_by text not null,
      created_at timestamptz not null default now(),
      completed_by text,
      completed_at timestamptz check (completed_at >= created_at),
      -- Of reading, marks and the hashes of the files: what was signed.
      sealed_sha256 text check (sealed_sha256 ~ '^[0-9a-f]{64}$'),
      version int not null default 1,
      constraint inspection_reads_tank_or_battery
        check (num_nulls(fuel_eighths, charge_percent) < 2),
      constraint inspection_completed_whole
        check (num_nulls(completed_by, completed_at, sealed_sha256) in (0, 3))
    )`.execute(db);
  // Corrections form one chain: the first one corrects nothing, and each is corrected once at most.
  await sql`create unique index inspection_one_completed on rentals.inspection
    (rental_id, vehicle_id, kind) where completed_at is not null and corrects is null`.execute(db);
  await sql`create unique index inspection_corrected_once on rentals.inspection (corrects)
    where completed_at is not null`.execute(db);
  await sql`create index inspection_of_rental on rentals.inspection (rental_id, id)`.execute(db);
  await own(db, 'inspection', 'select, insert, update');
}

async function createParts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.inspection_mark (
      inspection_id uuid not null references rentals.inspection,
      panel text not null check (panel in (${sql.raw(PANELS)})),
      kind text not null check (kind in ('scratch', 'dent', 'crack', 'chip', 'broken', 'missing',
        'stain', 'other')),
      severity text not null check (severity in ('minor', 'moderate', 'severe')),
      count int not null default 1 check (count between 1 and 99),
      note text check (note <> ''),
      primary key (inspection_id, panel, kind)
    )`.execute(db);
  await sql`
    create table rentals.inspection_file (
      id uuid primary key,
      inspection_id uuid not null references rentals.inspection,
      kind text not null check (kind in ('photo', 'signature')),
      panel text check (panel in (${sql.raw(PANELS)})),
      media_type text not null check (media_type in ('image/jpeg', 'image/png', 'image/webp')),
      -- The name of the bytes in the object store.
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes int not null check (size_bytes between 1 and 52428800),
      uploaded_by text not null,
      uploaded_at timestamptz not null default now(),
      constraint inspection_signature_has_no_panel check (kind = 'photo' or panel is null)
    )`.execute(db);
  await sql`create index inspection_file_of on rentals.inspection_file
    (inspection_id, id)`.execute(db);
  await sql`create unique index inspection_one_signature on rentals.inspection_file
    (inspection_id) where kind = 'signature'`.execute(db);
  await own(db, 'inspection_mark', 'select, insert');
  await own(db, 'inspection_file', 'select, insert');
}

/** A completed one is evidence; a correction names a completed one of the same car and moment. */
async function guardInspection(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_inspection() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if tg_op = 'UPDATE' then
        if old.completed_at is not null then
          raise exception 'Inspection % is completed and does not change.', old.id
            using errcode = 'check_violation', constraint = 'inspection_is_final';
        end if;
        if (new.id, new.rental_id, new.vehicle_id, new.kind, new.corrects, new.created_by)
          is distinct from (old.id, old.rental_id, old.vehicle_id, old.kind, old.corrects,
            old.created_by) or new.version <> old.version + 1 then
          raise exception 'Inspection % keeps what it is of.', old.id
            using errcode = 'check_violation', constraint = 'inspection_keeps_its_subject';
        end if;
      end if;
      if new.corrects is not null and not exists (select from inspection c
          where c.id = new.corrects and c.completed_at is not null
            and (c.rental_id, c.vehicle_id, c.kind)
              = (new.rental_id, new.vehicle_id, new.kind)) then
        raise exception 'Inspection % corrects no completed one of its kind.', new.id
          using errcode = 'check_violation', constraint = 'inspection_corrects_its_like';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger inspection_guard before insert or update on rentals.inspection
    for each row execute function rentals.guard_inspection()`.execute(db);
  await sql`
    create function rentals.refuse_inspection_loss() returns trigger language plpgsql as $$
    begin
      raise exception 'Inspections and their parts stay.'
        using errcode = 'check_violation', constraint = 'inspection_stays';
    end $$`.execute(db);
  for (const table of ['inspection', 'inspection_mark', 'inspection_file']) {
    await sql`create trigger inspection_stays before delete or truncate
      on ${sql.id('rentals', table)}
      for each statement execute function rentals.refuse_inspection_loss()`.execute(db);
  }
}

/** Marks and files come before the completion, and stay what they were. */
async function guardParts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_inspection_part() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_completed timestamptz;
    begin
      -- Whoever completes it meanwhile is waited for.
      select completed_at into v_completed from inspection where id = new.inspection_id for share;
      if tg_op = 'UPDATE' or v_completed is not null then
        raise exception 'Inspection % takes no other parts.', new.inspection_id
          using errcode = 'check_violation', constraint = 'inspection_is_final';
      end if;
      return new;
    end $$`.execute(db);
  for (const table of ['inspection_mark', 'inspection_file']) {
    await sql`create trigger inspection_part before insert or update
      on ${sql.id('rentals', table)}
      for each row execute function rentals.guard_inspection_part()`.execute(db);
  }
}

async function own(db: Kysely<unknown>, table: string, rights: string): Promise<void> {
  const name = sql.id('rentals', table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant ${sql.raw(rights)} on ${name} to rentals_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
}

/** As far as what it belongs to is seen. */
async function limitRows(
  db: Kysely<unknown>,
  table: string,
  parent: RawBuilder<unknown>,
): Promise<void> {
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from ${parent})`;
  const name = sql.id('rentals', table);
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`create policy in_scope on ${name} using (${rule}) with check (${rule})`.execute(db);
}
