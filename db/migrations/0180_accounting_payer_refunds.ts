// Refunds take back from the payers who get them: their credits first, then what they paid.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { branchRows } from './support/policies.ts';

const LOCK = 'accounting.lock_money(uuid)';
const SETTLE = 'accounting.settle_payer(uuid, uuid, uuid[])';
const UNSETTLE = 'accounting.unsettle_payer(uuid, uuid, uuid[])';
const REOPEN = 'accounting.reopen_invoice(uuid, uuid, bigint)';
const UNDO = 'accounting.undo_refund(uuid, uuid, uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCreditRefund(db);
  await createLock(db);
  await replaceOwnCredits(db);
  await takeStock(db);
  await createSettlePayer(db);
  await createUnsettlePayer(db);
  await createReopen(db);
  await createUndoRefund(db);
  await ownedBy(db, 'accounting_rw', [LOCK, SETTLE, UNSETTLE, REOPEN, UNDO]);
  await publishedTo(db, 'rentals_rw', [LOCK, SETTLE, UNSETTLE, UNDO]);
}

/** What a refund took of a credit that waited for it; below zero: the refund itself came back. */
async function createCreditRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.credit_refund (
      entry_id uuid not null references accounting.entry,
      credit_entry_id uuid not null references accounting.entry,
      amount_minor bigint not null check (amount_minor <> 0),
      refunded_at timestamptz not null default now(),
      primary key (entry_id, credit_entry_id)
    )`.execute(db);
  await sql`create index credit_refund_of_credit on accounting.credit_refund
    (credit_entry_id)`.execute(db);
  const inScope = sql`exists (select from accounting.invoice i where i.entry_id = credit_entry_id)`;
  await branchRows(db, 'accounting', 'credit_refund', 'accounting_rw', inScope);
  await sql`create trigger refuse_change before update or delete on accounting.credit_refund
    for each row execute function accounting.refuse_change()`.execute(db);
}

/** Payments of a rental come one after the other from here on, until the caller is done. */
async function createLock(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.lock_money(p_rental uuid) returns void
    language plpgsql set search_path = accounting, pg_temp as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
    end $$`.execute(db);
}

/** As in 0177, less what was refunded of each. */
async function replaceOwnCredits(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.own_credits(p_rental uuid)
    returns table (customer_id uuid, entry_id uuid, left_minor bigint)
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return query
        select n.customer_id, n.entry_id, n.given - coalesce((select sum(p.amount_minor)
          from open_item o join application p on p.invoice_id = o.invoice_id
          where o.rental_id = p_rental and p.entry_id = n.entry_id), 0)::bigint
          - coalesce((select sum(r.amount_minor) from credit_refund r
          where r.credit_entry_id = n.entry_id), 0)::bigint
        from (select i.id, i.customer_id, i.entry_id, -sum(l.amount)::bigint as given
          from invoice i join line l on l.entry_id = i.entry_id
          join account a on a.id = l.account_id
          where i.rental_id = p_rental and a.code = '1200'
          group by i.id having sum(l.amount) < 0) n
        order by n.id;
    end $$`.execute(db);
}

/** What credits have left above what the books have was refunded before: of the oldest first. */
async function takeStock(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.credit_refund (entry_id, credit_entry_id, amount_minor)
    select (select e.id from accounting.entry e where e.rental_id = c.rental_id
        order by e.id desc limit 1), c.entry_id, least(c.left_minor, c.gone - c.before)
    from (select r.rental_id, o.entry_id, o.left_minor,
        sum(o.left_minor) over (partition by r.rental_id)
          - greatest(0, accounting.unapplied_of(r.rental_id)) as gone,
        coalesce(sum(o.left_minor) over (partition by r.rental_id order by o.entry_id
          rows between unbounded preceding and 1 preceding), 0) as before
      from (select distinct rental_id from accounting.invoice
        where rental_id is not null and preceding_id is not null) r,
        accounting.own_credits(r.rental_id) o
      where o.left_minor > 0) c
    where c.gone > c.before`.execute(db);
}

/** As in 0170, of the payers that are named. */
async function createSettlePayer(db: Kysely<unknown>): Promise<void> {
  await sql`drop function accounting.settle_payer(uuid, uuid, uuid, boolean)`.execute(db);
  // What is left of the entry when theirs are settled goes to the oldest, as for any payment.
  await sql`
    create function accounting.settle_payer(p_rental uuid, p_entry uuid, p_customers uuid[])
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
        order by issue_date, invoice_id
      loop
        exit when v_rest <= 0;
        v_part := least(v_rest, n.due_minor - n.settled_minor);
        perform apply_to_invoice(n.invoice_id, p_entry, v_part);
        v_rest := v_rest - v_part;
      end loop;
    end $$`.execute(db);
}

/**
 * What an entry gave back of receivables, less what it took from a document by name: out of the
 * payers' credits, the oldest first, then out of what they paid, from the newest document. What
 * they credited stays credited. More than both is taken from anybody, as for any refund.
 */
async function createUnsettlePayer(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.unsettle_payer(p_rental uuid, p_entry uuid, p_customers uuid[])
    returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
    begin
      perform lock_money(p_rental);
      select coalesce(sum(l.amount), 0) into v_rest from line l
        join account a on a.id = l.account_id where l.entry_id = p_entry and a.code = '1200';
      v_rest := v_rest + (select coalesce(sum(p.amount_minor), 0) from open_item o
        join application p on p.invoice_id = o.invoice_id
        where o.rental_id = p_rental and p.entry_id = p_entry);
      for n in select c.* from own_credits(p_rental) c
        where c.customer_id = any (p_customers) and c.left_minor > 0
      loop
        exit when v_rest <= 0;
        v_part := least(v_rest, n.left_minor);
        insert into credit_refund (entry_id, credit_entry_id, amount_minor)
          values (p_entry, n.entry_id, v_part);
        v_rest := v_rest - v_part;
      end loop;
      for n in select o.invoice_id, (o.settled_minor - (select coalesce(sum(p.amount_minor), 0)
            from application p join invoice d on d.entry_id = p.entry_id
            where p.invoice_id = o.invoice_id))::bigint as paid_minor
          from open_item o where o.rental_id = p_rental and o.customer_id = any (p_customers)
        order by o.issue_date desc, o.invoice_id desc
      loop
        exit when v_rest <= 0;
        v_part := least(v_rest, n.paid_minor);
        continue when v_part <= 0;
        perform apply_to_invoice(n.invoice_id, p_entry, -v_part);
        v_rest := v_rest - v_part;
      end loop;
    end $$`.execute(db);
}

/** So much of a document, as far as it is settled; whatever branch the caller is of. */
async function createReopen(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.reopen_invoice(p_invoice uuid, p_entry uuid, p_amount bigint)
    returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_part bigint;
    begin
      perform lock_money(rental_id) from open_item where invoice_id = p_invoice;
      select least(p_amount, settled_minor) into v_part from open_item
        where invoice_id = p_invoice;
      if v_part > 0 then perform apply_to_invoice(p_invoice, p_entry, -v_part); end if;
    end $$`.execute(db);
}

/** A refund that came back settles what it had opened, as far as that still is, and gives credit back. */
async function createUndoRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.undo_refund(p_rental uuid, p_entry uuid, p_refund uuid)
    returns void language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
    begin
      perform lock_money(p_rental);
      insert into credit_refund (entry_id, credit_entry_id, amount_minor)
        select p_entry, credit_entry_id, -amount_minor from credit_refund
        where entry_id = p_refund;
      for n in select o.invoice_id, least(-sum(p.amount_minor),
            o.due_minor - o.settled_minor)::bigint as part from open_item o join application p on p.invoice_id = o.invoice_id
          where o.rental_id = p_rental and p.entry_id = p_refund group by o.invoice_id
      loop
        continue when n.part <= 0;
        perform apply_to_invoice(n.invoice_id, p_entry, n.part);
      end loop;
    end $$`.execute(db);
}
