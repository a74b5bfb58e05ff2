// Documents besides the invoice: prepayment invoices (386), what a final one deducts, credit notes.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const LEFT = 'accounting.taxes_left(uuid)';
const CREDITABLE = 'accounting.creditable(uuid)';
const COMPLETE = 'accounting.complete_credit_note(accounting.invoice)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await extendInvoice(db);
  await createDeduction(db);
  await createTaxesLeft(db);
  await guardTaken(db);
  await replaceCompletion(db);
  await createCreditable(db);
  await ownedBy(db, 'accounting_rw', [LEFT, CREDITABLE, COMPLETE]);
  await publishedTo(db, 'rentals_rw', [CREDITABLE]);
  const waivers = ['people.take_waiver(uuid, text, date, bigint, bigint)'];
  waivers.push('people.use_waiver_approval(uuid, text, text, bigint)');
  await publishedTo(db, 'accounting_rw', waivers);
}

/** Kinds of UNTDID 1001: 380 invoice, 381 credit note, 386 prepayment invoice. */
async function extendInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounting.invoice
      drop constraint invoice_kind_check,
      -- The invoice that a credit note refers to (BT-25).
      add column preceding_id uuid references accounting.invoice,
      -- What was invoiced before it was earned, and is taken off what is to be paid.
      add column prepaid_net_minor bigint not null default 0,
      add column prepaid_vat_minor bigint not null default 0,
      add constraint invoice_kind_known check (kind in (380, 381, 386)),
      add constraint invoice_credit_refers check ((kind = 381) = (preceding_id is not null)),
      add constraint invoice_credit_gives check (kind <> 381 or total_minor > 0),
      add constraint invoice_prepaid_within check (
        least(prepaid_net_minor, prepaid_vat_minor) >= 0
        and prepaid_net_minor + prepaid_vat_minor <= greatest(total_minor, 0)
        and (kind = 380 or prepaid_net_minor + prepaid_vat_minor = 0))`.execute(db);
  // A part of a gross amount has the rounding of two sums in it, which its net amount shows larger.
  await sql`
    alter table accounting.invoice_tax
      drop constraint invoice_tax_check,
      add constraint invoice_tax_check
        check (abs(vat_minor * 10000 - base_minor * rate_bp) <= 10000 + rate_bp)`.execute(db);
  await sql`create index invoice_preceding on accounting.invoice (preceding_id)
    where preceding_id is not null`.execute(db);
}

async function createDeduction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.prepayment_deduction (
      invoice_id uuid not null references accounting.invoice,
      prepayment_id uuid not null references accounting.invoice,
      rate_bp int not null check (rate_bp between 0 and 10000),
      base_minor bigint not null check (base_minor >= 0),
      vat_minor bigint not null check (vat_minor >= 0),
      primary key (invoice_id, prepayment_id, rate_bp),
      check (base_minor + vat_minor > 0)
    )`.execute(db);
  await sql`create index prepayment_deduction_of on accounting.prepayment_deduction
    (prepayment_id)`.execute(db);
  const name = sql.table('accounting.prepayment_deduction');
  await sql`create trigger refuse_change before update or delete on ${name}
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`create trigger refuse_truncate before truncate on ${name}
    for each statement execute function accounting.refuse_change()`.execute(db);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on ${name} to accounting_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
}

/** Of a document, by rate: less what was credited of it and what later invoices deducted. */
async function createTaxesLeft(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.taxes_left(p_invoice uuid)
    returns table (rate_bp int, base_minor bigint, vat_minor bigint)
    language sql stable set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
      select t.rate_bp, sum(t.base_minor)::bigint, sum(t.vat_minor)::bigint from (
        select rate_bp, base_minor, vat_minor from invoice_tax where invoice_id = p_invoice
        union all
        select c.rate_bp, -c.base_minor, -c.vat_minor
          from invoice i join invoice_tax c on c.invoice_id = i.id
          where i.preceding_id = p_invoice
        union all
        select d.rate_bp, -d.base_minor, -d.vat_minor
          from prepayment_deduction d where d.prepayment_id = p_invoice
      ) t group by t.rate_bp
    $$`.execute(db);
}

/**
 * Nobody credits or deducts more of a document than is left of it. Whoever takes of one waits for
 * whoever took before, so that each sees what the other left.
 */
async function guardTaken(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_taken() returns trigger language plpgsql
    set search_path = accounting, pg_temp set enable_seqscan = off as $$
    declare
      v_of uuid := case tg_table_name when 'prepayment_deduction'
        then (to_jsonb(new)->>'prepayment_id')::uuid
        else (select preceding_id from invoice where id = (to_jsonb(new)->>'invoice_id')::uuid) end;
    begin
      if v_of is null then return null; end if;
      perform pg_advisory_xact_lock(hashtextextended('taken of ' || v_of, 0));
      -- Discounts are below zero, and so may a rate's sum be: what is left never changes its side.
      if not exists (select from invoice_tax t where t.invoice_id = v_of
            and t.rate_bp = new.rate_bp)
          or exists (select from taxes_left(v_of) l join invoice_tax t
            on t.invoice_id = v_of and t.rate_bp = l.rate_bp
            where l.base_minor * sign(t.base_minor) < 0 or l.vat_minor * sign(t.vat_minor) < 0) then
        raise exception 'Of document % less is left than that.', v_of
          using errcode = 'check_violation', constraint = 'invoice_not_over_credited';
      end if;
      return null;
    end $$`.execute(db);
  await sql`create trigger admit_taken after insert on accounting.invoice_tax
    for each row execute function accounting.admit_taken()`.execute(db);
  await sql`create trigger admit_taken after insert on accounting.prepayment_deduction
    for each row execute function accounting.admit_taken()`.execute(db);
}

/**
 * At commit. An invoice's entry debits what is to be paid and the prepayments that it uses up. A
 * credit note is its invoice's, and takes from each account no more than that one's entry gave it.
 */
async function replaceCompletion(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.complete_invoice() returns trigger language plpgsql
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
          or new.total_minor - new.prepaid_vat_minor is distinct from (select sum(l.amount)
            from accounting.line l
            where l.entry_id = new.entry_id and l.currency = new.currency and l.amount > 0) then
        raise exception 'Lines, taxes or entry do not sum to the invoice.' using errcode = 'FC001';
      end if;
      perform from accounting.prepayment_deduction d
        join accounting.invoice p on p.id = d.prepayment_id
        where d.invoice_id = new.id
        having new.prepaid_net_minor <> coalesce(sum(d.base_minor), 0)
          or new.prepaid_vat_minor <> coalesce(sum(d.vat_minor), 0)
          or bool_or(p.kind <> 386 or (p.entity_id, p.currency, p.rental_id)
            is distinct from (new.entity_id, new.currency, new.rental_id));
      if found then
        raise exception 'An invoice deducts prepayments of its own rental, and their sums.'
          using errcode = 'FC001';
      end if;
      if new.kind = 381 then perform accounting.complete_credit_note(new); end if;
      return null;
    end $$`.execute(db);
  await sql`
    create function accounting.complete_credit_note(p accounting.invoice) returns void
    language plpgsql set enable_seqscan = off as $$
    begin
      if not exists (select from accounting.invoice o where o.id = p.preceding_id
          and o.kind <> 381 and (o.entity_id, o.customer_id, o.currency)
            = (p.entity_id, p.customer_id, p.currency)
          and o.rental_id is not distinct from p.rental_id) then
        raise exception 'A credit note is of its invoice''s books, customer and rental.'
          using errcode = 'FC001';
      end if;
      if exists (
        select from (
          select l.account_id, sum(l.amount) as taken
          from accounting.invoice c join accounting.line l on l.entry_id = c.entry_id
          where c.preceding_id = p.preceding_id and l.amount > 0 group by l.account_id
        ) t
        where t.taken > coalesce((select o.prepaid_vat_minor - sum(l.amount)
          from accounting.invoice o join accounting.line l on l.entry_id = o.entry_id
            and l.account_id = t.account_id and l.amount < 0
          where o.id = p.preceding_id group by o.id),
          (select o.prepaid_vat_minor from accounting.invoice o where o.id = p.preceding_id))
      ) then
        raise exception 'A credit note takes back what its invoice''s entry gave.'
          using errcode = 'FC001';
      end if;
    end $$`.execute(db);
}

/**
 * The document as it is to be credited, its lock held until the end of the transaction: {id, number,
 * kind, entityId, branchId, rentalId, customerId, currency, lines: [{lineNo, code, netMinor, leftMinor,
 * vatRateBp}], taxes: [{rateBp, baseMinor, vatMinor, leftBaseMinor, leftVatMinor}], accounts:
 * [{account, leftMinor}]}; `accounts` are those that its entry credited. Null for none.
 */
async function createCreditable(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.creditable(p_invoice uuid) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      -- In the order in which payments of its rental take them.
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || rental_id, 0))
        from invoice where id = p_invoice and rental_id is not null;
      perform pg_advisory_xact_lock(hashtextextended('taken of ' || p_invoice, 0));
      return (select jsonb_build_object('id', i.id, 'number', i.number, 'kind', i.kind,
        'entityId', i.entity_id, 'branchId', i.branch_id, 'rentalId', i.rental_id,
        'customerId', i.customer_id, 'currency', i.currency,
        'lines', (select jsonb_agg(jsonb_build_object('lineNo', l.line_no, 'code', l.code,
            'netMinor', l.net_minor, 'vatRateBp', l.vat_rate_bp,
            -- A prepayment has one line a rate; invoices that deducted it took of that too.
            'leftMinor', case i.kind when 386 then (select f.base_minor from taxes_left(i.id) f
                where f.rate_bp = l.vat_rate_bp)
              else l.net_minor - coalesce((select sum(c.net_minor)
                from invoice n join invoice_line c on c.invoice_id = n.id
                where n.preceding_id = i.id and c.credits_line = l.line_no), 0) end)
            order by l.line_no)
          from invoice_line l where l.invoice_id = i.id),
        'taxes', (select jsonb_agg(jsonb_build_object('rateBp', t.rate_bp,
            'baseMinor', t.base_minor, 'vatMinor', t.vat_minor,
            'leftBaseMinor', f.base_minor, 'leftVatMinor', f.vat_minor) order by t.rate_bp)
          from invoice_tax t join taxes_left(i.id) f on f.rate_bp = t.rate_bp
          where t.invoice_id = i.id),
        'accounts', (select jsonb_agg(jsonb_build_object('account', a.code,
            'leftMinor', -g.given - coalesce((select sum(l.amount)
              from invoice n join line l on l.entry_id = n.entry_id and l.account_id = a.id
                and l.amount > 0
              where n.preceding_id = i.id), 0)) order by a.code)
          from (select account_id, sum(amount) as given from line
            where entry_id = i.entry_id and amount < 0 group by account_id) g
          join account a on a.id = g.account_id))
        from invoice i where i.id = p_invoice);
    end $$`.execute(db);
  // Which line of its invoice a line of a credit note takes back.
  await sql`alter table accounting.invoice_line add column credits_line smallint`.execute(db);
}
