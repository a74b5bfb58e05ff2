// Money at the counter passes one gate, whatever it is for; no refund takes what another used.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const ADMIT = 'accounting.admit_tender(text, uuid, text, uuid, bigint, bigint)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createAdmitTender(db);
  await replaceAdmitPayment(db);
  await replaceAdmitRefund(db);
  await ownedBy(db, 'accounting_rw', [ADMIT]);
  await publishedTo(db, 'rentals_rw', [ADMIT]);
}

/**
 * As in 0175, for payments too: `p_of` is the rental, or else the document; `p_more` is what no row
 * has yet, and nothing for a prepayment, whose entry is posted.
 */
async function createAdmitTender(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.admit_tender(text, uuid, text, uuid, bigint)`.execute(db);
  await sql`
    create function accounting.admit_tender(p_entity text, p_of uuid, p_tender text, p_shift uuid,
      p_amount bigint, p_more bigint default 0
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
        -- Parts of one bargain count together, at whatever counter they are paid.
        perform pg_advisory_xact_lock(hashtextextended('cash of ' || p_of, 0));
        if p_more + prepaid_in_cash(p_of)
            + (select coalesce(sum(amount_minor), 0) from payment
              where tender = 'cash' and (rental_id = p_of or invoice_id = p_of))
            > v_terms.cash_limit_minor then
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

async function replaceAdmitPayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.admit_payment() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set app.scope = '*'
    set enable_seqscan = off as $$
    begin
      perform admit_tender(new.entity_id, coalesce(new.rental_id, new.invoice_id), new.tender,
        new.shift_id, new.amount_minor, new.amount_minor);
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

/** As in 0169; and what is no more on account has paid another document, which stays paid. */
async function replaceAdmitRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.admit_refund() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set app.scope = '*'
    set enable_seqscan = off as $$
    declare
      v_payment payment;
    begin
      update payment set refunded_minor = refunded_minor + new.amount_minor, version = version + 1
        where id = new.payment_id returning * into v_payment;
      if new.tender <> v_payment.tender
          and not (v_payment.tender = 'cash' and new.tender = 'bank-transfer') then
        raise exception 'Money goes back the way it came.'
          using errcode = 'check_violation', constraint = 'refund_in_its_tender';
      end if;
      if new.tender = 'cash' and new.amount_minor
          + (select coalesce(sum(amount_minor), 0) from payment_refund r
            where r.payment_id = new.payment_id and r.tender = 'cash')
          > (select cash_refund_minor from cash_terms where entity_id = v_payment.entity_id) then
        raise exception 'So much goes back by bank transfer.'
          using errcode = 'check_violation', constraint = 'refund_in_cash_is_small';
      end if;
      if v_payment.purpose = 'invoice' and new.amount_minor - new.from_account_minor
          + (select coalesce(sum(amount_minor - from_account_minor), 0) from payment_refund r
            where r.payment_id = new.payment_id)
          > v_payment.applied_minor + v_payment.rounding_minor then
        raise exception 'The rest of it has paid another document.'
          using errcode = 'check_violation', constraint = 'refund_of_what_it_paid';
      end if;
      if new.from_account_minor > 0 or new.tender = 'account' then
        update money_on_account set amount_minor = amount_minor - new.from_account_minor
            + case new.tender when 'account' then new.amount_minor else 0 end
          where entity_id = v_payment.entity_id and customer_id = v_payment.customer_id;
      end if;
      return new;
    end $$`.execute(db);
}
