// What a customer's credit notes give is that customer's: others' documents of the rental stay open.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const UNAPPLIED = 'accounting.unapplied_of(uuid)';
const CREDITS = 'accounting.own_credits(uuid)';
const SETTLE_OWN = 'accounting.settle_own_credits(uuid)';
const OWED_BACK = 'accounting.owed_back(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createUnapplied(db);
  await createOwnCredits(db);
  await createSettleOwn(db);
  await replaceSettle(db);
  await replaceOwedBy(db);
  await createOwedBack(db);
  await ownedBy(db, 'accounting_rw', [UNAPPLIED, CREDITS, SETTLE_OWN, OWED_BACK]);
  await publishedTo(db, 'rentals_rw', [OWED_BACK]);
}

/** What the rental's documents say is open less what receivables say; below zero after a refund. */
async function createUnapplied(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.unapplied_of(p_rental uuid) returns bigint
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(due_minor - settled_minor), 0)
          from open_item where rental_id = p_rental)
        - (select coalesce(sum(l.amount), 0) from entry e
          join line l on l.entry_id = e.id join account a on a.id = l.account_id
          where e.rental_id = p_rental and a.code = '1200');
    end $$`.execute(db);
}

/** What documents credited to receivables and settled nothing yet, by the customer of each. */
async function createOwnCredits(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.own_credits(p_rental uuid)
    returns table (customer_id uuid, entry_id uuid, left_minor bigint)
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return query
        select n.customer_id, n.entry_id, n.given - coalesce((select sum(p.amount_minor)
          from open_item o join application p on p.invoice_id = o.invoice_id
          where o.rental_id = p_rental and p.entry_id = n.entry_id), 0)::bigint
        from (select i.id, i.customer_id, i.entry_id, -sum(l.amount)::bigint as given
          from invoice i join line l on l.entry_id = i.entry_id
          join account a on a.id = l.account_id
          where i.rental_id = p_rental and a.code = '1200'
          group by i.id having sum(l.amount) < 0) n
        order by n.id;
    end $$`.execute(db);
}

/** Applied to that customer's other documents, the oldest first; what was refunded is not there. */
async function createSettleOwn(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.settle_own_credits(p_rental uuid) returns void
    language plpgsql set search_path = accounting, pg_temp set enable_seqscan = off as $$
    declare
      v_pool bigint := unapplied_of(p_rental);
      v_left bigint;
      v_part bigint;
      c record;
      n record;
    begin
      if v_pool <= 0 then return; end if;
      for c in select * from own_credits(p_rental) loop
        v_left := least(c.left_minor, v_pool);
        for n in select * from open_item o where o.rental_id = p_rental
            and o.customer_id = c.customer_id and o.settled_minor < o.due_minor
          order by o.issue_date, o.invoice_id
        loop
          exit when v_left <= 0;
          v_part := least(v_left, n.due_minor - n.settled_minor);
          perform apply_to_invoice(n.invoice_id, c.entry_id, v_part);
          v_left := v_left - v_part;
          v_pool := v_pool - v_part;
        end loop;
      end loop;
    end $$`.execute(db);
}

/** As before, but what customers' own credits left is nobody else's: it waits to be refunded. */
async function replaceSettle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.settle_rental(p_rental uuid, p_entry uuid) returns void
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      v_rest := unapplied_of(p_rental);
      if v_rest > 0 then
        perform settle_own_credits(p_rental);
        v_rest := greatest(0, unapplied_of(p_rental)
          - (select coalesce(sum(left_minor), 0) from own_credits(p_rental)));
      end if;
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

/** As before, less the credits that the customers of this very transaction's notes have left. */
async function replaceOwedBy(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.owed_by(
      p_rental uuid, p_customer uuid, p_is_theirs boolean
    ) returns bigint language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      perform settle_own_credits(p_rental);
      return (select coalesce(sum(due_minor - settled_minor), 0) from open_item
        where rental_id = p_rental and (customer_id = p_customer) = p_is_theirs);
    end $$`.execute(db);
}

/** To the customer of a document, by its rental: what others owe of that lowers none of it. */
async function createOwedBack(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.owed_back(p_invoice uuid) returns bigint
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_rental uuid;
      v_customer uuid;
    begin
      select rental_id, customer_id into v_rental, v_customer from invoice where id = p_invoice;
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || v_rental, 0));
      return greatest(0, unapplied_of(v_rental) - (select coalesce(sum(due_minor - settled_minor),
        0) from open_item where rental_id = v_rental and customer_id = v_customer));
    end $$`.execute(db);
}
