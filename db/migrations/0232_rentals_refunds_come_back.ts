// Refunds that come back, and charges that were done after all: the rows say so, and can be paid again.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.payment_attempt
      -- Of a refund that was done: no bank took it, so it is not given.
      add column came_back_at timestamptz,
      add constraint payment_attempt_came_back check (came_back_at is null
        or (kind = 'refund' and state = 'done'))`.execute(db);
  await replaceAttemptChange(db);
  await replaceTransition(db);
  await replaceOrders(db);
  await replacePrepayment(db);
}

/**
 * As in 0202. A refund that was done comes back once, and a charge that was given up is done after
 * all where the gateway says so.
 */
async function replaceAttemptChange(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_attempt_change() returns trigger
    language plpgsql as $$
    begin
      if old.came_back_at is null and new.came_back_at is not null
        and to_jsonb(new) - 'came_back_at' = to_jsonb(old) - 'came_back_at' then
        return new;
      end if;
      if new.came_back_at is distinct from old.came_back_at or new.asked < old.asked
        or (old.state <> 'unknown'
          and (old.kind, old.state, new.state) <> ('charge', 'declined', 'done'))
        or (new.id, new.authorisation_id, new.kind, new.amount_minor, new.taxes, new.approval_id)
          is distinct from (old.id, old.authorisation_id, old.kind, old.amount_minor, old.taxes,
            old.approval_id) then
        raise exception 'Payment attempt % is % and does not change.', old.id, old.state
          using errcode = 'check_violation', constraint = 'payment_attempt_transition';
      end if;
      return new;
    end $$`.execute(db);
}

/** As in 0215, the same: what was refunded is lowered to what has not come back, and to nothing else. */
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
          ('prepayment', 'pending', 'declined'), ('prepayment', 'declined', 'captured'),
          ('delayed', 'pending', 'open'), ('delayed', 'pending', 'declined'),
          ('delayed', 'open', 'captured'), ('delayed', 'open', 'released'),
          ('delayed', 'open', 'expired')))
        or new.captured_minor < old.captured_minor
        or (old.captured_minor > 0 and new.captured_minor <> old.captured_minor)
        or (new.refunded_minor < old.refunded_minor and new.refunded_minor <> (
          select coalesce(sum(amount_minor), 0) from rentals.payment_attempt
          where authorisation_id = old.id and kind = 'refund' and state = 'done'
            and came_back_at is null))
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

/** As in 0215: what came back may be given again. */
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
      where authorisation_id = held.id and kind = 'refund' and state <> 'declined'
        and came_back_at is null;
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

/** As in 0163, but what came back from a card is not given: exactly that is taken off again. */
async function replacePrepayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.guard_prepayment() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' or tg_table_name = 'prepayment_refund' then
        raise exception 'What went back stays as it is.' using errcode = 'restrict_violation';
      end if;
      if new.version <> old.version + 1 or new.refunded_minor = old.refunded_minor
        or (new.refunded_minor < old.refunded_minor and new.refunded_minor <> (
          select coalesce(sum(r.amount_minor), 0) from rentals.prepayment_refund r
          where r.prepayment_id = old.id and not exists (select from rentals.payment_attempt a
            where a.entry_id = r.entry_id and a.came_back_at is not null))) then
        raise exception 'A prepayment only goes back, step by step.'
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`.execute(db);
}
