// Money of rentals that nobody's document took: never another payer's, and asked for at the end.
import { type Kysely, sql } from 'kysely';
import { branchRows } from './support/policies.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createHeld(db);
  await createPayerCredit(db);
  await replaceOwnCredits(db);
  await replaceUndoRefund(db);
  await replaceSettle(db);
  await takeStock(db);
  await securedLessLeaving(db);
  await replaceHoldRental(db);
  await waitForRefunds(db);
  await addReopening(db);
}

/**
 * By rental: what is held as security deposits (2120), and what receivables have beyond its documents.
 * Kept by each entry of the rental at its commit, so that nobody has to add the ledger up.
 */
async function createHeld(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.rental_money (
      rental_id uuid primary key,
      entity_id text not null references accounting.legal_entity,
      deposit_minor bigint not null,
      unapplied_minor bigint not null,
      -- When it came to be other than nothing.
      since timestamptz not null default now()
    )`.execute(db);
  await sql`create index rental_money_kept on accounting.rental_money (entity_id, rental_id)
    where deposit_minor <> 0 or unapplied_minor <> 0`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or rentals.is_in_scope(rental_id)`;
  await branchRows(db, 'accounting', 'rental_money', 'accounting_rw', rule);
  await sql`grant update (deposit_minor, unapplied_minor, since) on accounting.rental_money
    to accounting_rw`.execute(db);
}

/**
 * What an entry gave back to a payer whose documents had no room for it: a refund that failed after
 * they were paid otherwise. It is that payer's as a credit note's rest is.
 */
async function createPayerCredit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.payer_credit (
      entry_id uuid not null references accounting.entry,
      customer_id uuid not null,
      rental_id uuid not null,
      -- All that it gave this payer: what it settled of it is in accounting.application.
      given_minor bigint not null check (given_minor > 0),
      primary key (entry_id, customer_id)
    )`.execute(db);
  await sql`create index payer_credit_of_rental on accounting.payer_credit (rental_id)`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or rentals.is_in_scope(rental_id)`;
  await branchRows(db, 'accounting', 'payer_credit', 'accounting_rw', rule);
  await sql`create trigger refuse_change before update or delete on accounting.payer_credit
    for each row execute function accounting.refuse_change()`.execute(db);
  const ofIts = sql`exists (select from accounting.invoice i where i.entry_id = credit_entry_id)
    or exists (select from accounting.payer_credit c where c.entry_id = credit_entry_id)`;
  await sql`alter policy in_scope on accounting.credit_refund using (${ofIts})
    with check (${ofIts})`.execute(db);
}

/** As in 0180, and what else is a payer's own. */
async function replaceOwnCredits(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.own_credits(p_rental uuid)
    returns table (customer_id uuid, entry_id uuid, left_minor bigint)
    language plpgsql stable set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      return query
        select n.customer_id, n.entry_id, n.given - coalesce((select sum(p.amount_minor)
          from open_item o join application p on p.invoice_id = o.invoice_id
          where o.rental_id = p_rental and p.entry_id = n.entry_id
            and o.customer_id = n.customer_id), 0)::bigint
          - coalesce((select sum(r.amount_minor) from credit_refund r
          where r.credit_entry_id = n.entry_id), 0)::bigint
        from (select i.id, i.customer_id, i.entry_id, -sum(l.amount)::bigint as given
          from invoice i join line l on l.entry_id = i.entry_id
          join account a on a.id = l.account_id
          where i.rental_id = p_rental and a.code = '1200'
          group by i.id having sum(l.amount) < 0
          union all select c.entry_id, c.customer_id, c.entry_id, c.given_minor
          from payer_credit c where c.rental_id = p_rental) n
        order by n.id;
    end $$`.execute(db);
}

/** As in 0180, and what finds no room on the payer's document is the payer's all the same. */
async function replaceUndoRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.undo_refund(p_rental uuid, p_entry uuid, p_refund uuid)
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
            o.due_minor - o.settled_minor)::bigint as part
          from open_item o join application p on p.invoice_id = o.invoice_id
          where o.rental_id = p_rental and p.entry_id = p_refund group by o.invoice_id
      loop
        continue when n.part <= 0;
        perform apply_to_invoice(n.invoice_id, p_entry, n.part);
      end loop;
      insert into payer_credit (entry_id, customer_id, rental_id, given_minor)
        select p_entry, o.customer_id, p_rental,
          -sum(p.amount_minor) filter (where p.entry_id = p_refund)
        from open_item o join application p on p.invoice_id = o.invoice_id
        where o.rental_id = p_rental and p.entry_id in (p_refund, p_entry)
        group by o.customer_id having sum(p.amount_minor) < 0;
    end $$`.execute(db);
}

/**
 * As in 0177, but what no document was named for settles documents of the rental where they all are
 * one customer's: of several payers nobody can say whose it is, so it stays, and is shown.
 */
async function replaceSettle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.settle_rental(p_rental uuid, p_entry uuid) returns void
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      n record;
      v_rest bigint;
      v_part bigint;
      v_deposit bigint;
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      v_rest := unapplied_of(p_rental);
      if v_rest > 0 then
        perform settle_own_credits(p_rental);
        v_rest := greatest(0, unapplied_of(p_rental)
          - (select coalesce(sum(left_minor), 0) from own_credits(p_rental)));
        if (select count(distinct customer_id) from open_item where rental_id = p_rental) > 1 then
          v_rest := 0;
        end if;
      end if;
      for n in select * from open_item where rental_id = p_rental
        order by row_number() over (order by coalesce(payable_by, issue_date), issue_date,
          invoice_id) * sign(v_rest)
      loop
        exit when v_rest = 0;
        v_part := case when v_rest > 0 then least(v_rest, n.due_minor - n.settled_minor)
          else greatest(v_rest, -n.settled_minor) end;
        if v_part <> 0 then
          perform apply_to_invoice(n.invoice_id, p_entry, v_part);
          v_rest := v_rest - v_part;
        end if;
      end loop;
      v_rest := greatest(0, unapplied_of(p_rental));
      select coalesce(-sum(l.amount), 0) into v_deposit from entry e
        join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.rental_id = p_rental and a.code = '2120';
      update rental_money set deposit_minor = v_deposit, unapplied_minor = v_rest,
          since = case when (deposit_minor, unapplied_minor) = (0, 0) then now() else since end
        where rental_id = p_rental and (deposit_minor, unapplied_minor) <> (v_deposit, v_rest);
      if (v_deposit, v_rest) <> (0, 0) then
        insert into rental_money (rental_id, entity_id, deposit_minor, unapplied_minor)
          select p_rental, entity_id, v_deposit, v_rest from entry where id = p_entry
          on conflict do nothing;
      end if;
    end $$`.execute(db);
}

/** What is held already, since it was first. */
async function takeStock(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.rental_money (rental_id, entity_id, deposit_minor, unapplied_minor, since)
    select * from (select e.rental_id, min(e.entity_id),
        coalesce(-sum(l.amount) filter (where a.code = '2120'), 0)::bigint as deposit,
        greatest(0, accounting.unapplied_of(e.rental_id)) as unapplied, min(e.created_at)
      from accounting.entry e join accounting.line l on l.entry_id = e.id
        join accounting.account a on a.id = l.account_id
      where e.rental_id is not null and a.code in ('1200', '2120') group by e.rental_id) r
    where (deposit, unapplied) <> (0, 0)`.execute(db);
}

/** As in 0176, and what a gateway was asked to give back of a deposit that was paid secures nothing. */
async function securedLessLeaving(db: Kysely<unknown>): Promise<void> {
  const name = sql`rentals.deposit_left(uuid)`;
  await sql`
    create function ${name} returns bigint language sql stable set search_path = rentals, pg_temp as $$
      select greatest(0, accounting.deposit_paid($1) - coalesce((select sum(p.amount_minor)
        from authorisation a join payment_attempt p on p.authorisation_id = a.id
        where a.rental_id = $1 and a.purpose = 'deposit' and p.kind = 'refund'
          and p.state = 'unknown'), 0))::bigint
    $$`.execute(db);
  await sql`alter function ${name} owner to forecourt_owner`.execute(db);
  await sql`revoke all on function ${name} from public`.execute(db);
  await sql`grant execute on function ${name} to rentals_rw, api_read`.execute(db);
  await sql`
    create or replace function rentals.deposit_secured(p_rental uuid) returns bigint
    language sql stable set search_path = rentals, pg_temp as $$
      select coalesce((select sum(amount_minor) from authorisation a where rental_id = p_rental
          and purpose = 'deposit' and state = 'open' and replaced_by is null
          and valid_until > now() and not exists (select from payment_attempt p
            where p.authorisation_id = a.id and p.state = 'unknown'
              and p.kind in ('release', 'capture'))), 0)::bigint
        + coalesce((select sum(amount_minor) from deposit_waiver
          where rental_id = p_rental), 0)::bigint
        + deposit_left(p_rental)
    $$`.execute(db);
}

/** As in 0182: what is on its way out is no part of what secures any more. */
async function replaceHoldRental(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.hold_rental(p_rental uuid)
    returns table (status text, spare_minor bigint)
    language plpgsql volatile security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
    declare
      v_rental rental;
    begin
      select * into v_rental from rental where id = p_rental for no key update;
      if not found then return; end if;
      status := v_rental.status;
      if status = 'active' and v_rental.deposit_minor > 0 then
        perform accounting.lock_money(p_rental);
        spare_minor := deposit_secured(p_rental) - v_rental.deposit_minor;
      end if;
      return next;
    end $$`.execute(db);
}

/** As in 0159, after whoever asks for a refund of the rental's money, and before the next who does. */
async function waitForRefunds(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_unsecured() returns trigger language plpgsql as $$
    begin
      perform accounting.lock_money(new.id);
      if new.deposit_minor > rentals.deposit_secured(new.id) then
        raise exception 'Rental % needs a deposit of %.', new.id, new.deposit_minor
          using errcode = 'check_violation', constraint = 'rental_deposit_held';
      end if;
      return new;
    end $$`.execute(db);
}

/** A branch's day is opened again by two people. */
async function addReopening(db: Kysely<unknown>): Promise<void> {
  await sql`alter table people.approval drop constraint approval_kind_check,
    add constraint approval_kind_check check (kind in ('discount-bp', 'refund', 'fee-waiver',
      'write-off', 'manual-journal', 'period-reopen', 'bank-detail-change', 'erasure',
      'hold-release', 'day-reopen'))`.execute(db);
}
