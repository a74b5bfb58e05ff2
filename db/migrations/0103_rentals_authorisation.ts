// Deposits: holds on cards and each order to a gateway, with what must never happen to money.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createAuthorisation(db);
  await createAttempt(db);
  await guardTransitions(db);
  await guardOrders(db);
  await limitRows(db, 'rentals.authorisation', 'rentals.rental', 'rental_id');
  await limitRows(db, 'rentals.payment_attempt', 'rentals.authorisation', 'authorisation_id');
}

/**
 * No ledger entry belongs to a hold (decisions.md 15): this row is all there is of it. A card's number
 * is refused by its shape: the gateway's reference to it is what is kept.
 */
async function createAuthorisation(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.authorisation (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      purpose text not null default 'deposit' check (purpose in ('deposit')),
      payer text not null check (payer in ('renter', 'insurer', 'corporate')),
      gateway text not null check (gateway in ('simulated', 'stripe')),
      gateway_ref text,
      payment_method text not null
        constraint authorisation_keeps_no_card check (payment_method !~ '^[0-9 -]{8,}$'),
      state text not null default 'pending' check (state in ('pending', 'open', 'declined',
        'captured', 'released', 'expired')),
      amount_minor bigint not null check (amount_minor > 0),
      captured_minor bigint not null default 0 check (captured_minor >= 0),
      refunded_minor bigint not null default 0 check (refunded_minor >= 0),
      overcapture_percent int not null default 0 check (overcapture_percent between 0 and 100),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      opened_at timestamptz,
      valid_until timestamptz,
      replaces uuid references rentals.authorisation,
      replaced_by uuid references rentals.authorisation,
      attention text check (attention <> ''),
      decline_code text,
      -- The first answer of the gateway is version 1: until then there is no fact to tell.
      version int not null default 0,
      created_at timestamptz not null default now(),
      unique (gateway, gateway_ref),
      constraint authorisation_captures_what_it_holds check (captured_minor
        <= amount_minor * (100 + overcapture_percent) / 100),
      constraint authorisation_refunds_what_was_taken check (refunded_minor <= captured_minor),
      constraint authorisation_captured_means_taken
        check ((state = 'captured') = (captured_minor > 0)),
      constraint authorisation_known check (state in ('pending', 'declined')
        or num_nulls(gateway_ref, opened_at, valid_until) = 0),
      constraint authorisation_declined_why check ((state = 'declined') = (decline_code is not null))
    )`.execute(db);
  const one = sql`on rentals.authorisation (rental_id, purpose)`;
  // During a replacement there are two: the new one, and the old one that names it.
  await sql`create unique index authorisation_one_open ${one}
    where state = 'open' and replaced_by is null`.execute(db);
  await sql`create unique index authorisation_one_replaced ${one}
    where state = 'open' and replaced_by is not null`.execute(db);
  await sql`create unique index authorisation_one_pending ${one} where state = 'pending'`.execute(
    db,
  );
  await sql`create index authorisation_of_rental on rentals.authorisation (rental_id, id)`.execute(
    db,
  );
  await sql`create index authorisation_by_expiry on rentals.authorisation (valid_until, id)
    where state = 'open'`.execute(db);
  await own(db, 'rentals.authorisation');
}

/** One row an order to the gateway; `id` is the idempotency key that the gateway is sent. */
async function createAttempt(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.payment_attempt (
      id text primary key check (length(id) between 1 and 255),
      authorisation_id uuid not null references rentals.authorisation,
      kind text not null check (kind in ('authorise', 'increase', 'capture', 'release', 'refund')),
      -- Of an increase: the new total. Of a release: null.
      amount_minor bigint check (amount_minor > 0),
      state text not null default 'unknown' check (state in ('unknown', 'done', 'declined')),
      decline_code text,
      reason text,
      gateway_ref text,
      asked int not null default 0,
      asked_at timestamptz,
      asked_again_at timestamptz,
      settled_at timestamptz,
      created_at timestamptz not null default now(),
      constraint payment_attempt_amount check ((kind = 'release') = (amount_minor is null)),
      constraint payment_attempt_settled check ((state = 'unknown') = (settled_at is null)),
      constraint payment_attempt_declined_why
        check ((state = 'declined') = (decline_code is not null))
    )`.execute(db);
  // Nothing else is asked of a hold while what was asked last is not known.
  await sql`create unique index payment_attempt_one_unknown
    on rentals.payment_attempt (authorisation_id) where state = 'unknown'`.execute(db);
  await sql`create index payment_attempt_of_authorisation
    on rentals.payment_attempt (authorisation_id, id)`.execute(db);
  await own(db, 'rentals.payment_attempt');
}

async function own(db: Kysely<unknown>, table: string): Promise<void> {
  const name = sql.table(table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on ${name} to rentals_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
}

/** A hold ends once, and what was taken or given back is never taken back from the record. */
async function guardTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_authorisation_change() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1
        or (new.state <> old.state and (old.state, new.state) not in (
          ('pending', 'open'), ('pending', 'declined'), ('open', 'captured'),
          ('open', 'released'), ('open', 'expired')))
        or new.captured_minor < old.captured_minor
        or (old.captured_minor > 0 and new.captured_minor <> old.captured_minor)
        or new.refunded_minor < old.refunded_minor
        or new.amount_minor < old.amount_minor
        or (new.rental_id, new.purpose, new.currency, new.gateway, new.payment_method, new.replaces)
          is distinct from (old.rental_id, old.purpose, old.currency, old.gateway,
            old.payment_method, old.replaces)
        or (old.gateway_ref is not null and new.gateway_ref is distinct from old.gateway_ref) then
        raise exception 'Authorisation % cannot go from % to % so.', old.id, old.state, new.state
          using errcode = 'check_violation', constraint = 'authorisation_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger authorisation_transition before update on rentals.authorisation
    for each row execute function rentals.refuse_authorisation_change()`.execute(db);
  await sql`
    create function rentals.refuse_attempt_change() returns trigger language plpgsql as $$
    begin
      if old.state <> 'unknown' or new.asked < old.asked
        or (new.id, new.authorisation_id, new.kind, new.amount_minor)
          is distinct from (old.id, old.authorisation_id, old.kind, old.amount_minor) then
        raise exception 'Payment attempt % is % and does not change.', old.id, old.state
          using errcode = 'check_violation', constraint = 'payment_attempt_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger payment_attempt_transition before update on rentals.payment_attempt
    for each row execute function rentals.refuse_attempt_change()`.execute(db);
}

/** Before a gateway is asked at all: afterwards the money would have moved already. */
async function guardOrders(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_order() returns trigger language plpgsql as $$
    declare
      held rentals.authorisation;
      refunds bigint;
      is_allowed boolean;
    begin
      select * into held from rentals.authorisation where id = new.authorisation_id for update;
      select coalesce(sum(amount_minor), 0) into refunds from rentals.payment_attempt
      where authorisation_id = held.id and kind = 'refund' and state <> 'declined';
      is_allowed := case new.kind
        when 'authorise' then held.state = 'pending' and new.amount_minor = held.amount_minor
        when 'increase' then held.state = 'open' and new.amount_minor > held.amount_minor
        when 'capture' then held.state = 'open' and new.amount_minor
          <= held.amount_minor * (100 + held.overcapture_percent) / 100
        when 'release' then held.state = 'open'
        else refunds + new.amount_minor <= held.captured_minor
      end;
      if new.state <> 'unknown' or is_allowed is not true then
        raise exception 'Authorisation % is % and allows no % of %.', held.id, held.state,
          new.kind, new.amount_minor
          using errcode = 'check_violation', constraint = 'payment_attempt_allowed';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger payment_attempt_allowed before insert on rentals.payment_attempt
    for each row execute function rentals.refuse_order()`.execute(db);
}

/** As far as the rental itself is seen. */
async function limitRows(
  db: Kysely<unknown>,
  table: string,
  parent: string,
  key: string,
): Promise<void> {
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from ${sql.table(parent)} p where p.id = ${sql.ref(key)})`;
  await sql`alter table ${sql.table(table)} enable row level security`.execute(db);
  await sql`create policy in_scope on ${sql.table(table)}
    using (${rule}) with check (${rule})`.execute(db);
}
