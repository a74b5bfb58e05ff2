// Holds that a delayed charge takes: beside the deposit, and only where the renter agreed to them.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await allowDelayed(db);
  await demandConsent(db);
  await replaceTransition(db);
  await replaceOrders(db);
}

/** One of them may still be open, because a gateway did not let it go, when the next one comes. */
async function allowDelayed(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.authorisation
      drop constraint authorisation_purpose_check,
      add constraint authorisation_purpose_check
        check (purpose in ('deposit', 'prepayment', 'delayed')),
      drop constraint if exists authorisation_charged_whole,
      add constraint authorisation_charged_whole check (purpose <> 'prepayment'
        or (state in ('pending', 'declined') and captured_minor = 0)
        or (state = 'captured' and captured_minor = amount_minor))`.execute(db);
  await sql`drop index rentals.authorisation_one_open`.execute(db);
  await sql`create unique index authorisation_one_open
    on rentals.authorisation (rental_id, purpose)
    where state = 'open' and replaced_by is null and purpose <> 'delayed'`.execute(db);
}

/** For a document that waits for it, within the window that was agreed (decisions.md 17). */
async function demandConsent(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_unagreed_charge() returns trigger
    language plpgsql security definer set search_path = rentals, pg_temp set app.scope = '*' as $$
    begin
      if new.payer <> 'renter' or not exists (select from late_charge l
          join delayed_charge_consent c on c.rental_id = l.rental_id
          where l.rental_id = new.rental_id and l.currency = new.currency and l.state = 'asked'
            and (l.charge_until is null or now() <= l.charge_until)) then
        raise exception 'Nobody agreed to this charge of rental %.', new.rental_id
          using errcode = 'check_violation', constraint = 'authorisation_agreed';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.refuse_unagreed_charge() owner to rentals_rw`.execute(db);
  await sql`create trigger authorisation_agreed before insert on rentals.authorisation
    for each row when (new.purpose = 'delayed')
    execute function rentals.refuse_unagreed_charge()`.execute(db);
}

/** As in 0202, and a delayed charge is a hold like a deposit's. */
async function replaceTransition(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_authorisation_change() returns trigger
    language plpgsql as $$
    begin
      if new.version <> old.version + 1
        or (new.state <> old.state and (old.purpose, old.state, new.state) not in (
          ('deposit', 'pending', 'open'), ('deposit', 'pending', 'declined'),
          ('deposit', 'open', 'captured'), ('deposit', 'open', 'released'),
          ('deposit', 'open', 'expired'), ('prepayment', 'pending', 'captured'),
          ('prepayment', 'pending', 'declined'),
          ('delayed', 'pending', 'open'), ('delayed', 'pending', 'declined'),
          ('delayed', 'open', 'captured'), ('delayed', 'open', 'released'),
          ('delayed', 'open', 'expired')))
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
}

/** As in 0202, the same. */
async function replaceOrders(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_order() returns trigger language plpgsql as $$
    declare
      held rentals.authorisation;
      refunds bigint;
      is_allowed boolean;
    begin
      select * into held from rentals.authorisation where id = new.authorisation_id for update;
      select coalesce(sum(amount_minor), 0) into refunds from rentals.payment_attempt
      where authorisation_id = held.id and kind = 'refund' and state <> 'declined';
      is_allowed := case new.kind
        when 'charge' then held.purpose = 'prepayment' and held.state = 'pending'
          and new.amount_minor = held.amount_minor
        when 'authorise' then held.purpose <> 'prepayment' and held.state = 'pending'
          and new.amount_minor = held.amount_minor
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
}
