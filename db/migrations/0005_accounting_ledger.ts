// The double-entry ledger's tables: legal entities, accounts, periods, entries, lines, balances.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createChart(db);
  await createEntries(db);
  await grant(db);
}

async function createChart(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.legal_entity (
      id text primary key check (id ~ '^[A-Z0-9-]{2,16}$'),
      name text not null check (name <> ''),
      functional_currency text not null check (functional_currency ~ '^[A-Z]{3}$'),
      time_zone text not null check (now() at time zone time_zone is not null),
      created_at timestamptz not null default now()
    )`.execute(db);
  // live_balance is off for accounts that many entries touch at once (revenue, VAT, clearing):
  // their balance row would make all of them wait for each other; it is summed from lines instead.
  await sql`
    create table accounting.account (
      id int generated always as identity primary key,
      entity_id text not null references accounting.legal_entity,
      code text not null check (code ~ '^[A-Z0-9.-]{1,16}$'),
      name text not null check (name <> ''),
      type text not null check (type in ('asset', 'liability', 'equity', 'income', 'expense')),
      currency text check (currency ~ '^[A-Z]{3}$'),
      live_balance boolean not null,
      created_at timestamptz not null default now(),
      unique (entity_id, code)
    )`.execute(db);
  await sql`comment on column accounting.account.currency is
    'The only currency that the account holds; null: any.'`.execute(db);
  await sql`
    create table accounting.period (
      id int generated always as identity primary key,
      entity_id text not null references accounting.legal_entity,
      month text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
      status text not null default 'open' check (status in ('open', 'closing', 'closed', 'locked')),
      version int not null default 1,
      created_at timestamptz not null default now(),
      unique (entity_id, month)
    )`.execute(db);
}

/**
 * No foreign key leaves entries and lines: each would lock one hot row (the period, the revenue
 * account) for every posting. The insert triggers look the same rows up, and none of them can be
 * deleted, which is all that a foreign key holds.
 */
async function createEntries(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.entry (
      id uuid primary key,
      entity_id text not null,
      period_id int not null,
      posting_date date not null,
      effective_at timestamptz not null,
      idempotency_key text not null unique check (idempotency_key <> ''),
      request_hash bytea not null,
      source text not null check (source <> ''),
      line_count smallint not null check (line_count >= 2),
      reverses uuid unique check (reverses <> id),
      intercompany_id uuid,
      rental_id uuid,
      tx xid8 not null,
      created_by text not null,
      created_at timestamptz not null
    )`.execute(db);
  await sql`create index entry_rental on accounting.entry (rental_id)
    where rental_id is not null`.execute(db);
  // Debit is above zero, credit below. base_amount is the same in the entity's own currency; a
  // line of 0.00 with a base amount is an exchange difference (decisions.md 23). admit_lines
  // (migration 0008) checks more: PostgreSQL parses each check anew for every statement.
  await sql`
    create table accounting.line (
      entry_id uuid not null,
      line_no smallint not null,
      account_id int not null,
      period_id int not null,
      currency text not null,
      amount bigint not null,
      base_amount bigint not null,
      primary key (entry_id, line_no),
      check (amount <> 0 or base_amount <> 0)
    )`.execute(db);
  await sql`
    create table accounting.account_balance (
      account_id int not null,
      period_id int not null,
      currency text not null,
      debit bigint not null,
      credit bigint not null,
      base_debit bigint not null,
      base_credit bigint not null,
      primary key (account_id, period_id, currency),
      check (least(debit, credit, base_debit, base_credit) >= 0)
    ) with (fillfactor = 50)`.execute(db);
}

/** accounting_rw adds; only a period's status may it change. Balances are the triggers' alone. */
async function grant(db: Kysely<unknown>): Promise<void> {
  const tables = ['legal_entity', 'account', 'period', 'entry', 'line', 'account_balance'];
  for (const table of tables) {
    const name = sql.id('accounting', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select on ${name} to accounting_rw, api_read`.execute(db);
  }
  await sql`grant insert on accounting.legal_entity, accounting.account, accounting.period,
    accounting.entry, accounting.line to accounting_rw`.execute(db);
  await sql`grant update (status, version) on accounting.period to accounting_rw`.execute(db);
}
