// Money that customers give and get back outside the gateway, and cash on its way to the bank.
import { type Kysely, sql } from 'kysely';
import { publishedTo } from './support/functions.ts';
import { branchRows, OF_BRANCH_OR_CUSTOMER } from './support/policies.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPayment(db);
  await createOnAccount(db);
  await createRefund(db);
  await guardTenders(db);
  await createTerminalCount(db);
  await createTransit(db);
  const limits = [
    'people.take_refund(uuid, text, date, bigint, bigint)',
    'people.use_refund_approval(uuid, text, text, bigint)',
  ];
  await publishedTo(db, 'accounting_rw', limits);
}

/** Cash names its shift, and its move in it; so does a slip of a terminal, with its batch. */
async function createPayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.payment (
      id uuid primary key,
      entity_id text not null references accounting.legal_entity,
      branch_id text not null,
      customer_id uuid not null,
      rental_id uuid,
      invoice_id uuid references accounting.invoice,
      purpose text not null check (purpose in ('invoice', 'deposit')),
      tender text not null check (tender in ('cash', 'bank-transfer', 'card', 'account')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor > 0),
      applied_minor bigint not null check (applied_minor >= 0),
      unapplied_minor bigint not null check (unapplied_minor >= 0),
      rounding_minor bigint not null,
      refunded_minor bigint not null default 0,
      shift_id uuid references accounting.drawer_shift,
      terminal_batch text check (terminal_batch <> ''),
      reference text check (reference <> ''),
      entry_id uuid not null unique references accounting.entry,
      cash_entry_id uuid generated always as (case when tender = 'cash' then entry_id end) stored
        references accounting.cash_movement (entry_id),
      received_by text not null default current_setting('app.principal'),
      received_at timestamptz not null default now(),
      version int not null default 1,
      constraint payment_whole check (purpose = 'deposit'
        or amount_minor = applied_minor + unapplied_minor + rounding_minor),
      constraint payment_names_its_shift
        check ((tender in ('cash', 'card')) = (shift_id is not null)),
      constraint payment_names_its_batch check ((tender = 'card') = (terminal_batch is not null)),
      constraint payment_for_something check (case purpose
        when 'invoice' then invoice_id is not null
        else rental_id is not null and tender in ('cash', 'bank-transfer') end),
      constraint payment_refunded_within check (refunded_minor between 0 and amount_minor)
    )`.execute(db);
  for (const column of ['invoice_id', 'rental_id', 'shift_id']) {
    await sql`create index ${sql.id(`payment_${column}`)} on accounting.payment
      (${sql.id(column)}) where ${sql.id(column)} is not null`.execute(db);
  }
  await branchRows(db, 'accounting', 'payment', 'accounting_rw', OF_BRANCH_OR_CUSTOMER);
  await sql`grant update (refunded_minor, version) on accounting.payment to accounting_rw`.execute(
    db,
  );
}

/** What customers paid beyond their documents: no receivable is netted with it, and none overdrawn. */
async function createOnAccount(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.money_on_account (
      entity_id text not null references accounting.legal_entity,
      customer_id uuid not null,
      amount_minor bigint not null,
      primary key (entity_id, customer_id),
      constraint money_on_account_never_overdrawn check (amount_minor >= 0)
    )`.execute(db);
  const staff = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
    and (current_setting('app.scope', true) = '*'
      or current_setting('app.scope', true) like 'branches:%'))`;
  await branchRows(db, 'accounting', 'money_on_account', 'accounting_rw', staff);
  await sql`grant update (amount_minor) on accounting.money_on_account to accounting_rw`.execute(
    db,
  );
}

async function createRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.payment_refund (
      id uuid primary key,
      payment_id uuid not null references accounting.payment,
      tender text not null check (tender in ('cash', 'bank-transfer', 'card', 'account')),
      amount_minor bigint not null check (amount_minor > 0),
      from_account_minor bigint not null check (from_account_minor between 0 and amount_minor),
      reason text not null check (reason <> ''),
      approval_id uuid,
      shift_id uuid references accounting.drawer_shift,
      entry_id uuid not null unique references accounting.entry,
      cash_entry_id uuid generated always as (case when tender = 'cash' then entry_id end) stored
        references accounting.cash_movement (entry_id),
      refunded_by text not null default current_setting('app.principal'),
      refunded_at timestamptz not null default now(),
      constraint refund_names_its_shift check ((tender = 'cash') = (shift_id is not null))
    )`.execute(db);
  await sql`create index payment_refund_of on accounting.payment_refund (payment_id, id)`.execute(
    db,
  );
  const inScope = sql`exists (select from accounting.payment p where p.id = payment_id)`;
  await branchRows(db, 'accounting', 'payment_refund', 'accounting_rw', inScope);
  await sql`create trigger refuse_change before update or delete on accounting.payment_refund
    for each row execute function accounting.refuse_change()`.execute(db);
}

/** Legal cash limit, refunds in the payment's own tender, and money on account following both. */
async function guardTenders(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_payment() returns trigger language plpgsql
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
  await sql`
    create function accounting.admit_refund() returns trigger language plpgsql
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
      if new.from_account_minor > 0 or new.tender = 'account' then
        update money_on_account set amount_minor = amount_minor - new.from_account_minor
            + case new.tender when 'account' then new.amount_minor else 0 end
          where entity_id = v_payment.entity_id and customer_id = v_payment.customer_id;
      end if;
      return new;
    end $$`.execute(db);
  for (const [table, name] of [
    ['payment', 'admit_payment'],
    ['payment_refund', 'admit_refund'],
  ] as const) {
    await sql`alter function accounting.${sql.id(name)}() owner to accounting_rw`.execute(db);
    await sql`create trigger ${sql.id(name)} before insert on ${sql.id('accounting', table)}
      for each row execute function accounting.${sql.id(name)}()`.execute(db);
  }
}

/** The slips of a terminal's batch as they were counted with the drawer, beside what is booked. */
async function createTerminalCount(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.terminal_count (
      shift_id uuid not null references accounting.drawer_shift,
      batch text not null,
      slips int not null check (slips >= 0),
      amount_minor bigint not null check (amount_minor >= 0),
      booked_slips int not null,
      booked_minor bigint not null,
      primary key (shift_id, batch)
    )`.execute(db);
  const inScope = sql`exists (select from accounting.drawer_shift s where s.id = shift_id)`;
  await branchRows(db, 'accounting', 'terminal_count', 'accounting_rw', inScope);
  await sql`create trigger refuse_change before update or delete on accounting.terminal_count
    for each row execute function accounting.refuse_change()`.execute(db);
}

/** In transit from the safe to the bank, or from the bank as change, until the statement shows it. */
async function createTransit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.cash_in_transit (
      id uuid primary key,
      entity_id text not null references accounting.legal_entity,
      branch_id text not null,
      direction text not null check (direction in ('to-bank', 'from-bank')),
      amount_minor bigint not null check (amount_minor > 0),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      bag text not null check (bag <> ''),
      state text not null default 'in_transit' check (state in ('in_transit', 'matched')),
      entry_id uuid not null unique references accounting.entry,
      sent_by text not null default current_setting('app.principal'),
      sent_at timestamptz not null default now(),
      statement text check (statement <> ''),
      matched_entry_id uuid unique references accounting.entry,
      matched_by text,
      matched_at timestamptz,
      version int not null default 1,
      unique (entity_id, bag),
      constraint cash_in_transit_matched check (num_nulls(statement, matched_entry_id, matched_by,
        matched_at) = case state when 'matched' then 0 else 4 end),
      constraint cash_in_transit_four_eyes check (matched_by <> sent_by)
    )`.execute(db);
  await branchRows(db, 'accounting', 'cash_in_transit', 'accounting_rw');
  await sql`grant update (state, statement, matched_entry_id, matched_by, matched_at, version)
    on accounting.cash_in_transit to accounting_rw`.execute(db);
  await sql`
    create function accounting.move_safe() returns trigger language plpgsql
    set search_path = accounting, pg_temp as $$
    begin
      insert into branch_safe (branch_id, entity_id, amount_minor)
        values (new.branch_id, new.entity_id, 0) on conflict do nothing;
      update branch_safe set amount_minor = amount_minor
          + case new.direction when 'to-bank' then -new.amount_minor else new.amount_minor end
        where branch_id = new.branch_id;
      return null;
    end $$`.execute(db);
  await sql`create trigger move_safe after insert on accounting.cash_in_transit
    for each row execute function accounting.move_safe()`.execute(db);
}
