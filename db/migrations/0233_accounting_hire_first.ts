// A card's money pays the hire before what came after it; and violations that no card is asked for.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const IS_LATE = 'rentals.is_late(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createIsLate(db);
  await ownedBy(db, 'rentals_rw', [IS_LATE]);
  await publishedTo(db, 'accounting_rw', [IS_LATE]);
  await replaceSettlePayer(db);
  await collectOldByInvoice(db);
}

/** Whether a document is for what was found after the hire, and collected apart from it. */
async function createIsLate(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.is_late(p_invoice uuid) returns boolean
    language sql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
      select exists (select from late_charge where invoice_id = p_invoice)
    $$`.execute(db);
}

/** As in 0180, the documents of the hire first. */
async function replaceSettlePayer(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.settle_payer(p_rental uuid, p_entry uuid,
      p_customers uuid[])
    returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
    begin
      select coalesce(-sum(l.amount), 0) into v_rest from line l
        join account a on a.id = l.account_id where l.entry_id = p_entry and a.code = '1200';
      for n in select * from open_item where rental_id = p_rental
          and customer_id = any (p_customers) and settled_minor < due_minor
        order by rentals.is_late(invoice_id), issue_date, invoice_id
      loop
        exit when v_rest <= 0;
        v_part := least(v_rest, n.due_minor - n.settled_minor);
        perform apply_to_invoice(n.invoice_id, p_entry, v_part);
        v_rest := v_rest - v_part;
      end loop;
    end $$`.execute(db);
}

/** Settled before late charges had rows of their own: nothing will ever ask a card for them. */
async function collectOldByInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.violation disable trigger user`.execute(db);
  await sql`update rentals.violation v set collect_by = 'invoice' where collect_by = 'card'
    and not exists (select from rentals.late_charge l
      where l.source = 'violation' and l.source_id = v.id)`.execute(db);
  await sql`alter table rentals.violation enable trigger user`.execute(db);
}
