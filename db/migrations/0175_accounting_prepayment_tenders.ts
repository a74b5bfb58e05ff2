// Prepayments by the rules of any money at the counter, and how much of a rental may go back.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PREPAID = 'accounting.prepaid_in_cash(uuid)';
const ADMIT = 'accounting.admit_tender(text, uuid, text, uuid, bigint)';
const SURPLUS = 'accounting.surplus_of(uuid, uuid)';
const REFUNDABLE = 'accounting.refundable(text, uuid, uuid)';
const PAID = 'accounting.deposit_paid(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPrepaidInCash(db);
  await createAdmitTender(db);
  await replaceAdmitPayment(db);
  await createSurplus(db);
  await createRefundable(db);
  await createDepositPaid(db);
  await ownedBy(db, 'accounting_rw', [PREPAID, ADMIT, SURPLUS, REFUNDABLE, PAID]);
  await publishedTo(db, 'rentals_rw', [ADMIT, REFUNDABLE, PAID]);
  await publishedTo(db, 'api_read', [PAID]);
}

/** As posted: prepayments stand in another domain's table. */
async function createPrepaidInCash(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.prepaid_in_cash(p_rental uuid) returns bigint
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(l.amount), 0) from entry e
        join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.rental_id = p_rental and e.source = 'rental.prepayment' and a.code = '1000');
    end $$`.execute(db);
}

/**
 * For money of a rental whose entry is posted: cash in coins that there are, within the law's limit for
 * all of the rental; slips in an open shift, which stays open until the caller is done.
 */
async function createAdmitTender(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_tender(
      p_entity text, p_rental uuid, p_tender text, p_shift uuid, p_amount bigint
    ) returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_terms cash_terms;
    begin
      if p_tender = 'cash' then
        select * into v_terms from cash_terms where entity_id = p_entity;
        if p_amount % v_terms.rounding_minor <> 0 then
          raise exception 'There are no coins for this.'
            using errcode = 'check_violation', constraint = 'cash_in_coins';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('cash of ' || p_rental, 0));
        if prepaid_in_cash(p_rental) + (select coalesce(sum(amount_minor), 0) from payment
              where tender = 'cash' and rental_id = p_rental) > v_terms.cash_limit_minor then
          raise exception 'The law allows no more cash for this.'
            using errcode = 'check_violation', constraint = 'payment_within_cash_limit';
        end if;
      end if;
      if p_tender = 'card' then
        perform from drawer_shift where id = p_shift and entity_id = p_entity and state = 'open'
          for share;
        if not found then
          raise exception 'A slip belongs to an open shift.'
            using errcode = 'check_violation', constraint = 'cash_in_open_shift';
        end if;
      end if;
    end $$`.execute(db);
}

/** As before, and what was prepaid in cash counts too. */
async function replaceAdmitPayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.admit_payment() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set app.scope = '*'
    set enable_seqscan = off as $$
    begin
      if new.tender = 'cash' then
        -- Parts of one bargain count together, at whatever counter they are paid.
        perform pg_advisory_xact_lock(hashtextextended('cash of '
          || coalesce(new.rental_id, new.invoice_id), 0));
        if new.amount_minor + (select coalesce(sum(amount_minor), 0) from payment p
              where p.tender = 'cash' and case when new.rental_id is null
                then p.invoice_id = new.invoice_id else p.rental_id = new.rental_id end)
            + prepaid_in_cash(new.rental_id)
            > (select cash_limit_minor from cash_terms where entity_id = new.entity_id) then
          raise exception 'The law allows no more cash for this.'
            using errcode = 'check_violation', constraint = 'payment_within_cash_limit';
        end if;
      end if;
      if new.tender = 'card' then
        perform from drawer_shift where id = new.shift_id and entity_id = new.entity_id
          and state = 'open' for share;
        if not found then
          raise exception 'A slip belongs to an open shift.'
            using errcode = 'check_violation', constraint = 'cash_in_open_shift';
        end if;
      end if;
      if new.unapplied_minor > 0 or new.tender = 'account' then
        insert into money_on_account (entity_id, customer_id, amount_minor)
          values (new.entity_id, new.customer_id, 0) on conflict do nothing;
        update money_on_account set amount_minor = amount_minor + new.unapplied_minor
            - case new.tender when 'account' then new.amount_minor else 0 end
          where entity_id = new.entity_id and customer_id = new.customer_id;
      end if;
      return new;
    end $$`.execute(db);
}

/** Minor units: what the rental's documents owe back to this customer, whatever others owe of it. */
async function createSurplus(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.surplus_of(p_rental uuid, p_customer uuid) returns bigint
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return greatest(0, (select coalesce(sum(due_minor - settled_minor), 0) from open_item
            where rental_id = p_rental and customer_id <> p_customer)
        - (select coalesce(sum(l.amount), 0) from entry e
          join line l on l.entry_id = e.id join account a on a.id = l.account_id
          where e.rental_id = p_rental and a.code = '1200'));
    end $$`.execute(db);
}

/**
 * Minor units: what is held of a rental as a deposit, what its documents owe back to this customer,
 * and what was paid on them and not credited since. What was prepaid out of a deposit is none of that
 * until a credit note gives it back. Payments of the rental wait until the caller is done.
 */
async function createRefundable(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.refundable(p_entity text, p_rental uuid, p_customer uuid)
    returns bigint language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_of constant jsonb := rental_balances(p_entity, p_rental, '{2120}');
    begin
      return greatest(0, -(v_of->>'2120')::bigint) + surplus_of(p_rental, p_customer)
        + (select coalesce(sum(greatest(0, i.settled_minor - coalesce((select sum(n.total_minor)
            from invoice n where n.preceding_id = i.invoice_id), 0))), 0)
          from open_item i where i.rental_id = p_rental);
    end $$`.execute(db);
}

/** Minor units that are held of a rental in money, not on a card. */
async function createDepositPaid(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.deposit_paid(p_rental uuid) returns bigint
    language plpgsql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select greatest(0, coalesce(-sum(l.amount), 0)) from entry e
        join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.rental_id = p_rental and a.code = '2120');
    end $$`.execute(db);
}
