// Prepayments that a gateway charges at once: orders like those of a hold, on a row of their own.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await allowCharges(db);
  await nameCharges(db);
  await replaceTransition(db);
  await replaceAttemptChange(db);
  await replaceOrders(db);
}

/** It is never open: charged as a whole, or not at all, so there is no end to renew it before. */
async function allowCharges(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.authorisation
      drop constraint authorisation_purpose_check,
      add constraint authorisation_purpose_check check (purpose in ('deposit', 'prepayment')),
      drop constraint authorisation_known,
      add constraint authorisation_known check (state in ('pending', 'declined')
        or (num_nulls(gateway_ref, opened_at) = 0
          and (valid_until is null) = (purpose = 'prepayment'))),
      add constraint authorisation_charged_whole check (purpose = 'deposit'
        or (state in ('pending', 'declined') and captured_minor = 0)
        or (state = 'captured' and captured_minor = amount_minor))`.execute(db);
  await sql`
    alter table rentals.payment_attempt
      -- Of a charge: the VAT in it when it was asked for, so that what was charged can be posted
      -- whatever became of the rental meanwhile.
      add column taxes jsonb,
      -- Of a refund above somebody's own limit.
      add column approval_id uuid,
      drop constraint payment_attempt_kind_check,
      add constraint payment_attempt_kind_check check (kind in ('authorise', 'increase', 'capture',
        'release', 'refund', 'charge')),
      drop constraint payment_attempt_posted,
      add constraint payment_attempt_posted check ((kind in ('capture', 'refund', 'charge')
        and state = 'done') = (entry_id is not null)) not valid,
      add constraint payment_attempt_charge_taxed check ((kind = 'charge') = (taxes is not null)),
      add constraint payment_attempt_approved
        check (approval_id is null or kind = 'refund')`.execute(db);
}

/** The row of a prepayment names its charge, whose id it has. */
async function nameCharges(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.prepayment
      add column authorisation_id uuid unique references rentals.authorisation,
      drop constraint prepayment_tender_check,
      add constraint prepayment_tender_check
        check (tender in ('cash', 'bank-transfer', 'card', 'deposit', 'gateway')),
      add constraint prepayment_names_its_charge check (case when tender = 'gateway'
        then authorisation_id is not distinct from id else authorisation_id is null end)`.execute(
    db,
  );
  await sql`
    alter table rentals.prepayment_refund
      drop constraint prepayment_refund_tender_check,
      add constraint prepayment_refund_tender_check
        check (tender in ('cash', 'bank-transfer', 'card', 'gateway'))`.execute(db);
}

/** As in 0103, and a charge is captured at once. */
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
          ('prepayment', 'pending', 'declined')))
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

/** As in 0103, with what is noted of a charge and of a refund. */
async function replaceAttemptChange(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_attempt_change() returns trigger
    language plpgsql as $$
    begin
      if old.state <> 'unknown' or new.asked < old.asked
        or (new.id, new.authorisation_id, new.kind, new.amount_minor, new.taxes, new.approval_id)
          is distinct from (old.id, old.authorisation_id, old.kind, old.amount_minor, old.taxes,
            old.approval_id) then
        raise exception 'Payment attempt % is % and does not change.', old.id, old.state
          using errcode = 'check_violation', constraint = 'payment_attempt_transition';
      end if;
      return new;
    end $$`.execute(db);
}

/** As in 0103: a deposit is not charged, and a prepayment not held. */
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
        when 'authorise' then held.purpose = 'deposit' and held.state = 'pending'
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
