// Invoices: immutable documents with gapless numbers, each with the entry that it causes.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createInvoice(db);
  await createParts(db);
  await guardParts(db);
  await guardInvoice(db);
  await grant(db);
}

async function createInvoice(db: Kysely<unknown>): Promise<void> {
  // A series is numbered by entity and year; it may belong to one branch (decisions.md 26).
  await sql`
    create table accounting.series (
      entity_id text not null references accounting.legal_entity,
      series text not null check (series ~ '^[A-Z0-9]{1,8}$'),
      year int not null,
      branch_id text,
      next int not null check (next > 0),
      primary key (entity_id, series, year)
    )`.execute(db);
  await sql`
    create table accounting.invoice (
      id uuid primary key,
      entity_id text not null, -- its entry's; a foreign key would lock that row for every invoice
      branch_id text,
      series text not null,
      year int not null,
      sequence int not null check (sequence > 0),
      number text not null generated always as (series || '-' || year || '-'
        || lpad(sequence::text, greatest(6, length(sequence::text)), '0')) stored,
      kind smallint not null check (kind = 380),
      customer_id uuid not null,
      rental_id uuid,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      issue_date date not null,
      service_from timestamptz not null,
      service_to timestamptz not null check (service_to >= service_from),
      net_minor bigint not null,
      vat_minor bigint not null,
      total_minor bigint not null check (total_minor = net_minor + vat_minor),
      line_count smallint not null check (line_count > 0),
      tax_count smallint not null check (tax_count > 0),
      entry_id uuid not null unique references accounting.entry,
      idempotency_key text not null unique check (idempotency_key <> ''),
      request_hash bytea not null,
      tx xid8 not null default pg_current_xact_id(),
      created_at timestamptz not null default now(),
      unique (entity_id, series, year, sequence),
      check (year = extract(year from issue_date))
    )`.execute(db);
  for (const column of ['rental_id', 'customer_id']) {
    await sql`create index ${sql.id(`invoice_${column}`)} on accounting.invoice
      (${sql.id(column)})`.execute(db);
  }
}

async function createParts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.invoice_line (
      invoice_id uuid not null references accounting.invoice,
      line_no smallint not null,
      code text not null check (code <> ''),
      description_key text not null check (description_key <> ''),
      quantity int not null,
      unit_minor bigint not null,
      net_minor bigint not null,
      vat_rate_bp int not null check (vat_rate_bp between 0 and 10000),
      primary key (invoice_id, line_no)
    )`.execute(db);
  // Once per rate on the sum, half away from zero; prices that include VAT may differ by one unit
  // from that, never by more (EN 16931 BR-CO-17, decisions.md 11).
  await sql`
    create table accounting.invoice_tax (
      invoice_id uuid not null references accounting.invoice,
      rate_bp int not null check (rate_bp between 0 and 10000),
      base_minor bigint not null,
      vat_minor bigint not null,
      primary key (invoice_id, rate_bp),
      check (abs(vat_minor * 10000 - base_minor * rate_bp) <= 10000)
    )`.execute(db);
}

/** As with entries: lines, then taxes, each in one statement of the invoice's transaction. */
async function guardParts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_invoice_lines() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    begin
      perform from added n join accounting.invoice i on i.id = n.invoice_id
        group by i.id
        having i.tx <> pg_current_xact_id() or count(*) <> i.line_count or min(n.line_no) <> 1
          or max(n.line_no) <> i.line_count or sum(n.net_minor) <> i.net_minor;
      if found then
        raise exception 'Invoice lines come all at once and sum to the net amount.'
          using errcode = 'FC001';
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create function accounting.admit_invoice_taxes() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    begin
      perform from (
        select i.id, i.tx, i.tax_count, i.vat_minor, count(*) as taxes, sum(n.vat_minor) as vat,
          bool_or(n.base_minor is distinct from (select sum(l.net_minor)
            from accounting.invoice_line l
            where l.invoice_id = i.id and l.vat_rate_bp = n.rate_bp)) as other_base
        from added n join accounting.invoice i on i.id = n.invoice_id
        group by i.id
      ) t
      where t.tx <> pg_current_xact_id() or t.taxes <> t.tax_count or t.vat <> t.vat_minor
        or t.other_base;
      if found then
        raise exception 'Invoice taxes come all at once, by rate, and sum to the VAT.'
          using errcode = 'FC001';
      end if;
      return null;
    end $$`.execute(db);
  for (const [table, fn] of [
    ['invoice_line', 'admit_invoice_lines'],
    ['invoice_tax', 'admit_invoice_taxes'],
  ] as const) {
    await sql`create trigger admit_parts after insert on ${sql.id('accounting', table)}
      referencing new table as added
      for each statement execute function ${sql.id('accounting', fn)}()`.execute(db);
  }
}

/** At commit: every line's rate has its tax row, and the entry debits what the customer owes. */
async function guardInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.complete_invoice() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    begin
      if new.tx <> pg_current_xact_id() or not exists (
          select from accounting.entry e where e.id = new.entry_id and e.tx = new.tx
            and e.entity_id = new.entity_id and e.posting_date = new.issue_date) then
        raise exception 'An invoice and its entry are made together, for one date and entity.'
          using errcode = 'FC001';
      end if;
      if new.net_minor is distinct from (select sum(t.base_minor)
            from accounting.invoice_tax t where t.invoice_id = new.id)
          or new.total_minor is distinct from (select sum(l.amount) from accounting.line l
            where l.entry_id = new.entry_id and l.currency = new.currency and l.amount > 0) then
        raise exception 'Lines, taxes or entry do not sum to the invoice.' using errcode = 'FC001';
      end if;
      return null;
    end $$`.execute(db);
  await sql`create constraint trigger complete_invoice after insert on accounting.invoice
    deferrable initially deferred
    for each row execute function accounting.complete_invoice()`.execute(db);
  for (const table of ['invoice', 'invoice_line', 'invoice_tax']) {
    const name = sql.id('accounting', table);
    await sql`create trigger refuse_change before update or delete on ${name}
      for each row execute function accounting.refuse_change()`.execute(db);
    await sql`create trigger refuse_truncate before truncate on ${name}
      for each statement execute function accounting.refuse_change()`.execute(db);
  }
}

/** Numbers are taken by issue_invoice alone: accounting_rw may raise `next`, nothing else. */
async function grant(db: Kysely<unknown>): Promise<void> {
  for (const table of ['series', 'invoice', 'invoice_line', 'invoice_tax']) {
    const name = sql.id('accounting', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select on ${name} to accounting_rw, api_read`.execute(db);
    await sql`grant insert on ${name} to accounting_rw`.execute(db);
  }
  await sql`grant update (next) on accounting.series to accounting_rw`.execute(db);
}
