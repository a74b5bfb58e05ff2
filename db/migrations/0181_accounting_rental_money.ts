// What is held of a rental, owed by its payers, owed back to them, and may go back by a card.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const OWED = 'accounting.owed_by(uuid, uuid[])';
const OWED_BACK = 'accounting.owed_back(uuid, uuid[])';
const REFUNDABLE = 'accounting.refundable(uuid, uuid[])';
const CUSTOMER = 'accounting.customer_of(uuid)';
const TERMS = 'accounting.cash_terms_of(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceDepositPaid(db);
  await createOwedBy(db);
  await createOwedBack(db);
  await createRefundable(db);
  await createLookups(db);
  await sql`drop function accounting.rental_balances(text, uuid, text[])`.execute(db);
  await ownedBy(db, 'accounting_rw', [OWED, OWED_BACK, REFUNDABLE, CUSTOMER, TERMS]);
  await publishedTo(db, 'rentals_rw', [OWED, OWED_BACK, REFUNDABLE, CUSTOMER, TERMS]);
}

/** As in 0175, and as it is now: after a wait for the rental's money the statement's rows are old. */
async function replaceDepositPaid(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.deposit_paid(p_rental uuid) returns bigint
    language plpgsql volatile security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select greatest(0, coalesce(-sum(l.amount), 0)) from entry e
        join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.rental_id = p_rental and a.code = '2120');
    end $$`.execute(db);
}

/** As in 0177, of the payers that are named. */
async function createOwedBy(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.owed_by(uuid, uuid, boolean)`.execute(db);
  await sql`
    create function accounting.owed_by(p_rental uuid, p_customers uuid[]) returns bigint
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      perform lock_money(p_rental);
      perform settle_own_credits(p_rental);
      return (select coalesce(sum(due_minor - settled_minor), 0) from open_item
        where rental_id = p_rental and customer_id = any (p_customers));
    end $$`.execute(db);
}

/**
 * Minor units that a rental's documents owe back to these payers, less what they owe themselves:
 * other payers' credits are theirs, and what others owe lowers none of it. Locks before it looks.
 */
async function createOwedBack(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.owed_back(uuid)`.execute(db);
  await sql`drop function accounting.surplus_of(uuid, uuid)`.execute(db);
  await sql`
    create function accounting.owed_back(p_rental uuid, p_customers uuid[]) returns bigint
    language plpgsql volatile security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      perform lock_money(p_rental);
      return greatest(0, unapplied_of(p_rental)
        - (select coalesce(sum(left_minor), 0) from own_credits(p_rental)
          where customer_id <> all (p_customers))
        - (select coalesce(sum(due_minor - settled_minor), 0) from open_item
          where rental_id = p_rental and customer_id = any (p_customers)));
    end $$`.execute(db);
}

/**
 * Minor units: what is held of a rental as a deposit, what its documents owe back to these payers,
 * and what was paid on theirs and not credited since, less refunds whose outcome is not known. What
 * was prepaid out of a deposit is none of that until a credit note gives it back.
 */
async function createRefundable(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.refundable(text, uuid, uuid)`.execute(db);
  await sql`
    create function accounting.refundable(p_rental uuid, p_customers uuid[]) returns bigint
    language plpgsql volatile security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_owed_back constant bigint := owed_back(p_rental, p_customers);
    begin
      return v_owed_back + deposit_paid(p_rental) - rentals.refunds_under_way(p_rental)
        + (select coalesce(sum(greatest(0, i.settled_minor - coalesce((select sum(n.total_minor)
            from invoice n where n.preceding_id = i.invoice_id), 0))), 0)
          from open_item i where i.rental_id = p_rental and i.customer_id = any (p_customers));
    end $$`.execute(db);
}

async function createLookups(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.customer_of(p_invoice uuid) returns uuid
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select customer_id from invoice where id = p_invoice
    $$`.execute(db);
  await sql`
    create function accounting.cash_terms_of(p_entity text) returns accounting.cash_terms
    language sql stable security definer set search_path = accounting, pg_temp as $$
      select * from cash_terms where entity_id = p_entity
    $$`.execute(db);
}
