// Imports of vehicles: a checked file that waits to be applied as a whole, and what became of it.
import { type Kysely, sql } from 'kysely';

/**
 * `rows` are the vehicles, kept only while they wait; `problems` the report. What must not happen:
 * an import with errors that is applied, or one that is applied and still has rows to apply.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.import (
      id uuid primary key,
      format text not null check (format in ('csv', 'xlsx')),
      content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
      status text not null check (status in ('checked', 'refused', 'applied')),
      row_count int not null check (row_count >= 0),
      error_count int not null check (error_count >= 0),
      warning_count int not null check (warning_count >= 0),
      problems jsonb not null,
      rows jsonb,
      created_by text not null default current_setting('app.principal'),
      created_at timestamptz not null default now(),
      applied_by text,
      applied_at timestamptz,
      version int not null default 1,
      constraint import_refused_has_errors check ((status = 'refused') = (error_count > 0)),
      constraint import_rows_wait check ((status = 'checked') = (rows is not null)),
      constraint import_applied_by_somebody
        check ((status = 'applied') = (applied_at is not null and applied_by is not null))
    )`.execute(db);
  await sql`alter table vehicles.import owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.import to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.import to api_read`.execute(db);
  await guardImport(db);
  await sql`alter table vehicles.import enable row level security`.execute(db);
  const inScope = sql.raw(`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or created_by = (select current_setting('app.principal', true))`);
  await sql`create policy in_scope on vehicles.import
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** Only what waits can change: a refused or applied import is history. */
async function guardImport(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.guard_import() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      if old.status <> 'checked' then
        raise exception 'Import % is %.', old.id, old.status
          using errcode = 'check_violation', constraint = 'import_is_final';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function vehicles.guard_import() owner to vehicles_rw`.execute(db);
  await sql`create trigger import_guard before update on vehicles.import
    for each row execute function vehicles.guard_import()`.execute(db);
}
