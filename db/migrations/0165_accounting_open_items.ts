// What is still open of each document, and which entry paid how much of it.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { branchRows, OF_BRANCH_OR_CUSTOMER } from './support/policies.ts';

const SETTLE = 'accounting.settle_rental(uuid, uuid)';
const APPLY = 'accounting.apply_to_invoice(uuid, uuid, bigint)';
const OPEN = 'accounting.open_amount(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createItems(db);
  await createApplications(db);
  await createApply(db);
  await createSettle(db);
  await createOpenAmount(db);
  await openDocuments(db);
  await takeStock(db);
  await ownedBy(db, 'accounting_rw', [SETTLE, APPLY, OPEN]);
  await publishedTo(db, 'rentals_rw', [APPLY, OPEN]);
  await publishedTo(db, 'api_read', [OPEN]);
}

/**
 * One row for each document that made somebody owe: what its entry debited to receivables, and what
 * of it is settled. Never more than was owed: that is held here, whatever the posting says.
 */
async function createItems(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.open_item (
      invoice_id uuid primary key references accounting.invoice,
      entity_id text not null,
      branch_id text,
      customer_id uuid not null,
      rental_id uuid,
      currency text not null,
      issue_date date not null,
      due_minor bigint not null check (due_minor > 0),
      settled_minor bigint not null default 0,
      version int not null default 1,
      constraint open_item_never_over_applied check (settled_minor between 0 and due_minor)
    )`.execute(db);
  await sql`create index open_item_of_rental on accounting.open_item (rental_id)
    where rental_id is not null`.execute(db);
  await sql`create index open_item_open on accounting.open_item (customer_id, invoice_id)
    where settled_minor < due_minor`.execute(db);
  await branchRows(db, 'accounting', 'open_item', 'accounting_rw', OF_BRANCH_OR_CUSTOMER);
  await sql`grant update (settled_minor, version) on accounting.open_item to accounting_rw`.execute(
    db,
  );
}

/** Below zero: a refund took back what had been paid. */
async function createApplications(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.application (
      id uuid primary key default uuidv7(),
      invoice_id uuid not null references accounting.open_item,
      entry_id uuid not null references accounting.entry,
      amount_minor bigint not null check (amount_minor <> 0),
      applied_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index application_of_invoice on accounting.application (invoice_id, id)`.execute(
    db,
  );
  const inScope = sql`exists (select from accounting.open_item i
    where i.invoice_id = application.invoice_id)`;
  await branchRows(db, 'accounting', 'application', 'accounting_rw', inScope);
  await sql`create trigger refuse_change before update or delete on accounting.application
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`create trigger refuse_truncate before truncate on accounting.application
    for each statement execute function accounting.refuse_change()`.execute(db);
}

/**
 * Applies so much of what an entry credited to receivables (a payment, a credit note) to a document;
 * below zero takes it back. Answers what is open of it then. More than is open is refused by the
 * constraint open_item_never_over_applied, a document that never made anybody owe by FC004.
 */
async function createApply(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.apply_to_invoice(p_invoice uuid, p_entry uuid, p_amount bigint)
    returns bigint language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_open bigint;
    begin
      -- First of all, as whoever settles the rental does: else the two would wait for each other.
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || rental_id, 0))
        from open_item where invoice_id = p_invoice and rental_id is not null;
      update open_item set settled_minor = settled_minor + p_amount, version = version + 1
      where invoice_id = p_invoice
      returning due_minor - settled_minor into v_open;
      if not found then
        raise exception 'Nothing was ever open of document %.', p_invoice using errcode = 'FC004';
      end if;
      insert into application (invoice_id, entry_id, amount_minor)
        values (p_invoice, p_entry, p_amount);
      return v_open;
    end $$`.execute(db);
}

/**
 * What receivables say of a rental less what its documents say is open has been paid and not yet
 * applied: the oldest documents get it. A refund is the reverse, from the newest. What is left when
 * all are settled is owed back. Runs at commit, when documents and payments are both there.
 */
async function createSettle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.settle_rental(p_rental uuid, p_entry uuid) returns void
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      select coalesce(sum(due_minor - settled_minor), 0) into v_rest
        from open_item where rental_id = p_rental;
      v_rest := v_rest - coalesce((select sum(l.amount) from entry e
        join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.rental_id = p_rental and a.code = '1200'), 0);
      for n in select * from open_item where rental_id = p_rental
        order by row_number() over (order by issue_date, invoice_id) * sign(v_rest)
      loop
        exit when v_rest = 0;
        v_part := case when v_rest > 0 then least(v_rest, n.due_minor - n.settled_minor)
          else greatest(v_rest, -n.settled_minor) end;
        if v_part <> 0 then
          perform apply_to_invoice(n.invoice_id, p_entry, v_part);
          v_rest := v_rest - v_part;
        end if;
      end loop;
    end $$`.execute(db);
}

/** Minor units; 0 for a document that is settled, or that never made anybody owe. */
async function createOpenAmount(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.open_amount(p_invoice uuid) returns bigint
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select coalesce((select due_minor - settled_minor from open_item
        where invoice_id = p_invoice), 0)
    $$`.execute(db);
}

/** Triggers, so that every document and every payment there will be is counted. */
async function openDocuments(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.open_invoice() returns trigger
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_due bigint;
      v_open bigint;
    begin
      select sum(l.amount) into v_due from line l join account a on a.id = l.account_id
        where l.entry_id = new.entry_id and a.code = '1200';
      -- A credit note lowers its own invoice first.
      v_open := least(open_amount(new.preceding_id), -v_due);
      if v_open > 0 then
        perform apply_to_invoice(new.preceding_id, new.entry_id, v_open);
      end if;
      insert into open_item (invoice_id, entity_id, branch_id, customer_id, rental_id, currency,
        issue_date, due_minor)
      select new.id, new.entity_id, new.branch_id, new.customer_id, new.rental_id, new.currency,
        new.issue_date, v_due
      where v_due > 0;
      return null;
    end $$`.execute(db);
  await sql`
    create function accounting.settle_entry() returns trigger
    language plpgsql security definer set search_path = accounting, pg_temp as $$
    begin
      perform settle_rental(new.rental_id, new.id);
      return null;
    end $$`.execute(db);
  for (const name of ['open_invoice', 'settle_entry']) {
    await sql`alter function accounting.${sql.id(name)}() owner to accounting_rw`.execute(db);
  }
  await sql`create trigger open_invoice after insert on accounting.invoice
    for each row execute function accounting.open_invoice()`.execute(db);
  await sql`create constraint trigger settle_entry after insert on accounting.entry
    deferrable initially deferred for each row when (new.rental_id is not null)
    execute function accounting.settle_entry()`.execute(db);
}

/** What was issued and paid before. */
async function takeStock(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.open_item (invoice_id, entity_id, branch_id, customer_id, rental_id,
      currency, issue_date, due_minor)
    select i.id, i.entity_id, i.branch_id, i.customer_id, i.rental_id, i.currency, i.issue_date,
      sum(l.amount)
    from accounting.invoice i join accounting.line l on l.entry_id = i.entry_id
      join accounting.account a on a.id = l.account_id and a.code = '1200'
    group by i.id having sum(l.amount) > 0`.execute(db);
  await sql`
    select accounting.settle_rental(rental_id, (select e.id from accounting.entry e
      where e.rental_id = r.rental_id order by e.id desc limit 1))
    from (select distinct rental_id from accounting.open_item where rental_id is not null) r`.execute(
    db,
  );
}
