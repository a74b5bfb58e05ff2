// Customers, rate plans and rentals, with the transitions that a rental may make.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCustomersAndPlans(db);
  await createRental(db);
  await guardTransitions(db);
  await createCommand(db);
  for (const table of ['customer', 'rate_plan', 'rental', 'command']) {
    const name = sql.id('rentals', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert on ${name} to rentals_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
  }
  // Plans and recorded commands are facts: a change of plan is a new version.
  await sql`grant update on rentals.customer, rentals.rental to rentals_rw`.execute(db);
  await sql`grant usage on sequence rentals.agreement_number to rentals_rw`.execute(db);
}

async function createCustomersAndPlans(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.customer (
      id uuid primary key,
      name text not null check (name <> ''),
      email text,
      phone text,
      language text not null default 'en' check (language ~ '^[a-z]{2}$'),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table rentals.rate_plan (
      id text not null,
      version int not null check (version > 0),
      valid_from timestamptz not null,
      terms jsonb not null,
      created_at timestamptz not null default now(),
      primary key (id, version)
    )`.execute(db);
}

/** Agreement numbers are people's handle; they may have gaps (only invoices may not). */
async function createRental(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence rentals.agreement_number start 1000`.execute(db);
  await sql`alter sequence rentals.agreement_number owner to forecourt_owner`.execute(db);
  await sql`
    create table rentals.rental (
      id uuid primary key,
      number text not null unique default 'RA-' || nextval('rentals.agreement_number'),
      status text not null default 'reserved'
        check (status in ('reserved', 'active', 'returned', 'closed', 'cancelled', 'no_show')),
      overdue boolean not null default false,
      branch_id text not null,
      return_branch_id text not null,
      class_id text not null,
      entity_id text not null,
      customer_id uuid not null references rentals.customer,
      vehicle_id uuid,
      pick_up_at timestamptz not null,
      due_at timestamptz not null check (due_at > pick_up_at),
      no_show_at timestamptz not null,
      grace_minutes int not null,
      reminder_minutes int not null,
      checked_out_at timestamptz,
      odometer_out_km int check (odometer_out_km >= 0),
      fuel_out_eighths int check (fuel_out_eighths between 0 and 8),
      checked_in_at timestamptz check (checked_in_at >= checked_out_at),
      odometer_in_km int check (odometer_in_km >= odometer_out_km),
      fuel_in_eighths int check (fuel_in_eighths between 0 and 8),
      plan_id text not null,
      plan_version int not null,
      price jsonb not null,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      total_minor bigint not null check (total_minor >= 0),
      invoice_id uuid,
      invoice_number text,
      version int not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      foreign key (plan_id, plan_version) references rentals.rate_plan,
      constraint rental_overdue_is_out check (not overdue or status = 'active'),
      constraint rental_out_has_vehicle check (status not in ('active', 'returned', 'closed')
        or (vehicle_id is not null and checked_out_at is not null
          and odometer_out_km is not null and fuel_out_eighths is not null)),
      constraint rental_back_is_invoiced check (status not in ('returned', 'closed')
        or (checked_in_at is not null and odometer_in_km is not null
          and fuel_in_eighths is not null and invoice_id is not null))
    )`.execute(db);
  await sql`create index rental_by_branch on rentals.rental (branch_id, status, due_at, id)`.execute(
    db,
  );
  await sql`create index rental_by_customer on rentals.rental (customer_id, id)`.execute(db);
}

/** The state machine once more, for whatever reaches the row without passing the domain. */
async function guardTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_transition() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1 then
        raise exception 'Rental % goes from version % to %.', old.id, old.version, new.version
          using errcode = 'check_violation', constraint = 'rental_version';
      end if;
      if new.status <> old.status and (old.status, new.status) not in (
        ('reserved', 'active'), ('reserved', 'cancelled'), ('reserved', 'no_show'),
        ('active', 'returned'), ('returned', 'closed')) then
        raise exception 'Rental % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'rental_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_transition before update on rentals.rental
    for each row execute function rentals.refuse_transition()`.execute(db);
}

/** One row a recorded command: its key makes a repeat harmless, its outcome is the answer to it. */
async function createCommand(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.command (
      id text primary key,
      rental_id uuid not null references rentals.rental,
      type text not null,
      outcome jsonb not null,
      created_at timestamptz not null default now()
    )`.execute(db);
}
