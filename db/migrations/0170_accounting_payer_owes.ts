// What one payer of a rental still owes, and captures that settle that payer's documents first.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const OWED = 'accounting.owed_by(uuid, uuid, boolean)';
const SETTLE = 'accounting.settle_payer(uuid, uuid, uuid, boolean)';

export async function up(db: Kysely<unknown>): Promise<void> {
  // `p_is_theirs` false: what all others owe. Payments of the rental wait until the caller is done.
  await sql`
    create function accounting.owed_by(p_rental uuid, p_customer uuid, p_is_theirs boolean)
    returns bigint language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      return (select coalesce(sum(due_minor - settled_minor), 0) from open_item
        where rental_id = p_rental and (customer_id = p_customer) = p_is_theirs);
    end $$`.execute(db);
  // What is left of the entry when theirs are settled goes to the oldest, as for any payment.
  await sql`
    create function accounting.settle_payer(
      p_rental uuid, p_entry uuid, p_customer uuid, p_is_theirs boolean
    ) returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
    begin
      select coalesce(-sum(l.amount), 0) into v_rest from line l
        join account a on a.id = l.account_id where l.entry_id = p_entry and a.code = '1200';
      for n in select * from open_item where rental_id = p_rental
          and (customer_id = p_customer) = p_is_theirs and settled_minor < due_minor
        order by issue_date, invoice_id
      loop
        exit when v_rest <= 0;
        v_part := least(v_rest, n.due_minor - n.settled_minor);
        perform apply_to_invoice(n.invoice_id, p_entry, v_part);
        v_rest := v_rest - v_part;
      end loop;
    end $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [OWED, SETTLE]);
  await publishedTo(db, 'rentals_rw', [OWED, SETTLE]);
}
