// What belongs to tolls and fines: terms of entities, consents, letters, and files of notices.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTerms(db);
  await createConsent(db);
  await createLetter(db);
  await forgetLetters(db);
  await createImport(db);
  await addAccounts(db);
}

/** An entity's own, in its currency; `sender` heads its letters. */
async function createTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.violation_terms (
      entity_id text primary key,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      fine_fee_minor bigint not null check (fine_fee_minor >= 0),
      toll_fee_minor bigint not null check (toll_fee_minor >= 0),
      vat_rate_bp int not null check (vat_rate_bp between 0 and 10000),
      toll_treatment text not null check (toll_treatment in ('taxable', 'disbursement')),
      card_window_days int not null check (card_window_days between 0 and 365),
      sender text not null check (sender <> ''),
      version int not null default 1,
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table rentals.violation_terms owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.violation_terms to rentals_rw`.execute(db);
  await sql`grant select on rentals.violation_terms to api_read`.execute(db);
}

/** That the renter agreed in writing to charges that come later; given once, never changed. */
async function createConsent(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.delayed_charge_consent (
      rental_id uuid primary key references rentals.rental,
      consented_at timestamptz not null,
      recorded_by text not null default current_setting('app.principal'),
      recorded_at timestamptz not null default now(),
      check (consented_at <= recorded_at)
    )`.execute(db);
  await sql`alter table rentals.delayed_charge_consent owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.delayed_charge_consent to rentals_rw`.execute(db);
  await sql`grant select on rentals.delayed_charge_consent to api_read`.execute(db);
  await sql`alter table rentals.delayed_charge_consent enable row level security`.execute(db);
  const inScope = sql`exists (select from rentals.rental r where r.id = rental_id)`;
  await sql`create policy in_scope on rentals.delayed_charge_consent
    using (${inScope}) with check (${inScope})`.execute(db);
}

/**
 * The letter names a person, so it lies sealed, and goes with the name when the customer is erased:
 * the violation keeps its SHA-256.
 */
async function createLetter(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.violation_letter (
      violation_id uuid primary key references rentals.violation,
      sealed_key_id text,
      letter bytea,
      written_at timestamptz not null default now(),
      check ((letter is null) = (sealed_key_id is null))
    )`.execute(db);
  await sql`alter table rentals.violation_letter owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.violation_letter to rentals_rw`.execute(db);
  await sql`grant select on rentals.violation_letter to api_read`.execute(db);
  await sql`grant update (sealed_key_id, letter) on rentals.violation_letter to rentals_rw`.execute(
    db,
  );
  await sql`alter table rentals.violation_letter enable row level security`.execute(db);
  const inScope = sql`exists (select from rentals.violation v where v.id = violation_id)`;
  await sql`create policy in_scope on rentals.violation_letter
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** Whoever erases a customer's name erases what letters say of the person, in the same commit. */
async function forgetLetters(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.forget_letters() returns trigger language plpgsql
    set search_path = rentals, pg_temp set app.scope = '*' as $$
    begin
      update violation_letter l set letter = null, sealed_key_id = null
      from violation v where v.id = l.violation_id and v.customer_id = new.id;
      return null;
    end $$`.execute(db);
  await sql`alter function rentals.forget_letters() owner to rentals_rw`.execute(db);
  await sql`create trigger customer_letters_forgotten after update of erased_at on rentals.customer
    for each row when (old.erased_at is null and new.erased_at is not null)
    execute function rentals.forget_letters()`.execute(db);
}

/** As with vehicles: a checked file waits with its rows, and is then applied as a whole. */
async function createImport(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.violation_import (
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
      constraint violation_import_refused check ((status = 'refused') = (error_count > 0)),
      constraint violation_import_waits check ((status = 'checked') = (rows is not null)),
      constraint violation_import_applied check (num_nulls(applied_at, applied_by)
        = case status when 'applied' then 0 else 2 end)
    )`.execute(db);
  await sql`
    create function rentals.guard_violation_import() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if old.status <> 'checked' then
        raise exception 'Import % is %.', old.id, old.status
          using errcode = 'check_violation', constraint = 'violation_import_is_final';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.guard_violation_import() owner to rentals_rw`.execute(db);
  await sql`create trigger violation_import_guard before update on rentals.violation_import
    for each row execute function rentals.guard_violation_import()`.execute(db);
  await sql`alter table rentals.violation_import owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.violation_import to rentals_rw`.execute(db);
  await sql`grant select on rentals.violation_import to api_read`.execute(db);
  await sql`alter table rentals.violation_import enable row level security`.execute(db);
  const inScope = sql.raw(`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or created_by = (select current_setting('app.principal', true))`);
  await sql`create policy in_scope on rentals.violation_import
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** Entities that were opened before have them too. */
async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, false from accounting.legal_entity e,
      (values ('2130', 'Fines and tolls to pass on', 'liability'),
        ('4200', 'Administration fees', 'income'),
        ('4210', 'Tolls charged on', 'income')) a (code, name, type)
    on conflict do nothing`.execute(db);
}
