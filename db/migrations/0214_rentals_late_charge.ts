// Documents that come after the return, on the renter's card: each at most once, and only as agreed.
import { type Kysely, sql } from 'kysely';
import { branchRows, OF_BRANCH_OR_CUSTOMER } from './support/policies.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await keepWindow(db);
  await createLateCharge(db);
  await guardLateCharge(db);
}

/** What the renter agreed to: terms that are set later change nothing of it. */
async function keepWindow(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.delayed_charge_consent
    add column window_days int check (window_days between 0 and 365)`.execute(db);
}

/** One row a document; `reason` is why it stays an invoice to be paid. */
async function createLateCharge(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.late_charge (
      id uuid primary key default uuidv7(),
      invoice_id uuid not null unique,
      rental_id uuid not null references rentals.rental,
      customer_id uuid not null,
      branch_id text not null,
      entity_id text not null,
      source text not null check (source in ('violation', 'damage')),
      source_id uuid not null,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      -- The end of the window that the renter agreed to; null while the vehicle was still out.
      charge_until timestamptz,
      state text not null check (state in ('asked', 'charging', 'charged', 'settled', 'invoice')),
      reason text check (reason in ('no-consent', 'no-card', 'window-over', 'disputed', 'declined',
        'refused')),
      authorisation_id uuid unique references rentals.authorisation,
      charged_minor bigint check (charged_minor > 0),
      asked_at timestamptz not null default now(),
      ended_at timestamptz,
      version int not null default 1,
      constraint late_charge_of_one_source unique (source, source_id),
      constraint late_charge_invoice_why check ((state = 'invoice') = (reason is not null)),
      constraint late_charge_charged_so_much
        check ((state = 'charged') = (charged_minor is not null)),
      constraint late_charge_by_a_hold
        check (state not in ('charging', 'charged') or authorisation_id is not null),
      constraint late_charge_asked_of_nobody check (state <> 'asked' or authorisation_id is null),
      constraint late_charge_ended check ((state in ('asked', 'charging')) = (ended_at is null))
    )`.execute(db);
  await sql`create index late_charge_of_rental on rentals.late_charge (rental_id)`.execute(db);
  await sql`create index late_charge_by_state on rentals.late_charge (state, id)`.execute(db);
  await branchRows(db, 'rentals', 'late_charge', 'rentals_rw', OF_BRANCH_OR_CUSTOMER);
  await sql`grant update (state, reason, authorisation_id, charged_minor, ended_at, version)
    on rentals.late_charge to rentals_rw`.execute(db);
}

/** The card is asked once: what ended stays, and a hold is never replaced by another one. */
async function guardLateCharge(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_late_charge() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1 or (old.state, new.state) not in (
          ('asked', 'charging'), ('asked', 'settled'), ('asked', 'invoice'),
          ('charging', 'charged'), ('charging', 'settled'), ('charging', 'invoice'))
        or (old.authorisation_id is not null
          and new.authorisation_id is distinct from old.authorisation_id) then
        raise exception 'Document % cannot go from % to % so.', old.invoice_id, old.state, new.state
          using errcode = 'check_violation', constraint = 'late_charge_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger late_charge_transition before update on rentals.late_charge
    for each row execute function rentals.guard_late_charge()`.execute(db);
}
