// Damage cases: each damage in one case, each case charged once, waived or borne by an insurer.
import { type Kysely, type RawBuilder, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCase(db);
  await createParts(db);
  await guardCase(db);
  await limitRows(
    db,
    'damage_case',
    sql` or exists (select from rentals.rental p
    where p.id = rental_id)`,
  );
  await limitRows(
    db,
    'damage_item',
    sql` or exists (select from rentals.damage_case p
    where p.id = case_id)`,
  );
  await limitRows(db, 'damage_command', sql``);
}

async function createCase(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.damage_case (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      vehicle_id uuid not null,
      branch_id text not null,
      inspection_id uuid not null references rentals.inspection,
      status text not null default 'reported' check (status in ('reported', 'estimated', 'agreed',
        'disputed', 'charged', 'waived', 'insurer', 'settled')),
      severity text not null check (severity in ('minor', 'moderate', 'severe')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      loss jsonb,
      loss_minor bigint check (loss_minor >= 0),
      exclusion text check (exclusion in ('unauthorised-driver', 'alcohol-or-drugs', 'off-road',
        'negligence', 'not-reported')),
      charge jsonb,
      charge_minor bigint check (charge_minor >= 0),
      charge_net_minor bigint check (charge_net_minor between 0 and charge_minor),
      work_order_ref text check (work_order_ref <> ''),
      dispute_reason text check (dispute_reason in ('pre-existing', 'not-by-renter', 'amount',
        'cover', 'other')),
      waive_reason text check (waive_reason in ('goodwill', 'pre-existing', 'not-provable',
        'trifle')),
      approval_id uuid,
      insurer_minor bigint check (insurer_minor > 0),
      insurer_entry_id uuid unique,
      invoice_id uuid unique,
      invoice_number text,
      estimate_due_at timestamptz not null,
      answer_due_at timestamptz,
      attention text check (attention in ('estimate-due', 'answer-due')),
      repaired_at timestamptz,
      held boolean not null default false,
      version int not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint damage_case_subject unique (id, rental_id, vehicle_id),
      constraint damage_case_estimated check (status = 'reported'
        or num_nulls(loss, loss_minor, charge, charge_minor, charge_net_minor,
          answer_due_at) = 0),
      constraint damage_case_charged_has_invoice
        check (status <> 'charged' or invoice_id is not null),
      constraint damage_case_invoice_whole
        check (num_nulls(invoice_id, invoice_number) in (0, 2)),
      constraint damage_case_waived_is_free check (status <> 'waived'
        or (invoice_id is null and insurer_entry_id is null and waive_reason is not null)),
      constraint damage_case_insurer_has_share
        check (status <> 'insurer' or insurer_minor is not null),
      constraint damage_case_insurer_bears_the_rest check (insurer_minor
        <= loss_minor - case when invoice_id is null then 0 else charge_net_minor end),
      constraint damage_case_entry_of_insurer
        check (insurer_entry_id is null or insurer_minor is not null),
      constraint damage_case_severe_holds check (not held or severity = 'severe'),
      constraint damage_case_settled_holds_nothing
        check (not held or (status <> 'settled' and repaired_at is null))
    )`.execute(db);
  await sql`create index damage_case_of_rental on rentals.damage_case (rental_id, id)`.execute(db);
  await sql`create index damage_case_open on rentals.damage_case (branch_id, id)
    where status <> 'settled'`.execute(db);
  await own(db, 'damage_case', 'select, insert, update');
}

async function createParts(db: Kysely<unknown>): Promise<void> {
  // By rental and vehicle, not by inspection: a correction must not open the same damage again.
  await sql`
    create table rentals.damage_item (
      case_id uuid not null,
      rental_id uuid not null,
      vehicle_id uuid not null,
      panel text not null,
      kind text not null,
      severity text not null check (severity in ('minor', 'moderate', 'severe')),
      change text not null check (change in ('new', 'worse', 'unknown')),
      primary key (case_id, panel, kind),
      constraint damage_item_of_its_case foreign key (case_id, rental_id, vehicle_id)
        references rentals.damage_case (id, rental_id, vehicle_id),
      constraint damage_item_in_one_case unique (rental_id, vehicle_id, panel, kind)
    )`.execute(db);
  await sql`
    create table rentals.damage_command (
      id text primary key check (length(id) between 1 and 255),
      case_id uuid not null references rentals.damage_case,
      outcome jsonb not null,
      recorded_at timestamptz not null default now()
    )`.execute(db);
  await own(db, 'damage_item', 'select, insert');
  await own(db, 'damage_command', 'select, insert');
}

/** The state machine once more, and what is in the books stays. */
async function guardCase(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_damage_case() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if new.version <> old.version + 1 or old.status = 'settled'
        or (new.status <> old.status and (old.status, new.status) not in (
          ('reported', 'estimated'), ('estimated', 'agreed'),
          ('estimated', 'disputed'), ('estimated', 'waived'), ('estimated', 'insurer'),
          ('agreed', 'charged'), ('agreed', 'disputed'), ('agreed', 'waived'),
          ('agreed', 'insurer'), ('disputed', 'estimated'), ('disputed', 'agreed'),
          ('disputed', 'waived'), ('disputed', 'insurer'), ('charged', 'settled'),
          ('waived', 'settled'), ('insurer', 'settled'))) then
        raise exception 'Damage case % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'damage_case_transition';
      end if;
      if (new.rental_id, new.vehicle_id, new.branch_id, new.inspection_id, new.severity,
          new.currency)
          is distinct from (old.rental_id, old.vehicle_id, old.branch_id, old.inspection_id,
            old.severity, old.currency)
        or (old.invoice_id is not null and (new.invoice_id, new.invoice_number, new.charge)
          is distinct from (old.invoice_id, old.invoice_number, old.charge))
        or (old.insurer_entry_id is not null and (new.insurer_entry_id, new.insurer_minor)
          is distinct from (old.insurer_entry_id, old.insurer_minor))
        or (old.repaired_at is not null and new.repaired_at is distinct from old.repaired_at) then
        raise exception 'Damage case % keeps what it is of and what is in the books.', old.id
          using errcode = 'check_violation', constraint = 'damage_case_keeps_the_books';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger damage_case_guard before update on rentals.damage_case
    for each row execute function rentals.guard_damage_case()`.execute(db);
}

async function own(db: Kysely<unknown>, table: string, rights: string): Promise<void> {
  const name = sql.id('rentals', table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant ${sql.raw(rights)} on ${name} to rentals_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
}

async function limitRows(
  db: Kysely<unknown>,
  table: string,
  also: RawBuilder<unknown>,
): Promise<void> {
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')${also}`;
  const name = sql.id('rentals', table);
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`create policy in_scope on ${name} using (${rule}) with check (${rule})`.execute(db);
}
