// By when an invoice is to be paid: a date on the document, and on what is open of it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await addDates(db);
  await replaceIssued(db);
  await replaceIssueDocument(db);
  await replaceOpenInvoice(db);
}

/** Documents of before named no date: what was open of them was to be paid at once. */
async function addDates(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounting.invoice
      add column payable_by date,
      add constraint invoice_payable_in_time
        check (payable_by between issue_date and issue_date + 180),
      add constraint invoice_alone_is_payable check (kind = 380 or payable_by is null)`.execute(db);
  await sql`alter table accounting.open_item add column payable_by date`.execute(db);
  await sql`update accounting.open_item o set payable_by = greatest(o.issue_date, coalesce(
      (select (c.payable_by at time zone e.time_zone)::date from rentals.billed_cycle c
        join accounting.legal_entity e on e.id = o.entity_id where c.invoice_id = o.invoice_id),
      o.issue_date))`.execute(db);
  await sql`
    alter table accounting.open_item
      alter column payable_by set not null,
      add constraint open_item_payable_later check (payable_by >= issue_date)`.execute(db);
  await sql`create index open_item_payable on accounting.open_item (payable_by)
    where settled_minor < due_minor`.execute(db);
}

/** As in migration 0016, with the date. */
async function replaceIssued(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.issued_invoice(p_key text, p_hash bytea) returns jsonb
    language plpgsql set search_path = accounting, pg_temp as $$
    declare
      v_known invoice;
    begin
      select * into v_known from invoice where idempotency_key = p_key;
      if not found then return null; end if;
      if v_known.request_hash <> p_hash then
        raise exception 'The key was used for another invoice.' using errcode = 'FC003';
      end if;
      return jsonb_build_object('invoiceId', v_known.id, 'number', v_known.number,
        'entryId', v_known.entry_id, 'issueDate', v_known.issue_date,
        'payableBy', v_known.payable_by, 'created', false);
    end $$`.execute(db);
}

/**
 * As in migration 0162, with {paymentDays?}: whole days from the issue date, else the customer's own
 * terms, else none. They are no part of what a repeat has to be like: terms may have changed since.
 */
async function replaceIssueDocument(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.issue_document(p jsonb) returns jsonb
    language plpgsql set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_key constant text := p->>'idempotencyKey';
      v_hash constant bytea := sha256(convert_to(
        ((p #- '{entry,id}') - 'id' - 'paymentDays')::text, 'UTF8'));
      v_known jsonb := issued_invoice(v_key, v_hash);
      v_invoice constant uuid := (p->>'id')::uuid;
      v_prepaid constant jsonb := coalesce(p->'prepayments', '[]');
      v_kind constant smallint := coalesce((p->>'kind')::smallint, 380);
      v_entry uuid;
      v_date date;
      v_payable date;
      v_number int;
    begin
      if v_known is not null then return v_known; end if;
      perform from legal_entity where id = p->>'entityId'
        and functional_currency <> p->>'currency';
      if found then
        raise exception 'Invoices are in the legal entity''s own currency.' using errcode = 'FC005';
      end if;
      v_entry := post_entry((p->'entry') || jsonb_build_object('idempotencyKey', v_key,
        'entityId', p->'entityId', 'rentalId', p->'rentalId'));
      -- The same request ran beside us and was first: ours waited for its entry's key.
      if v_entry <> (p#>>'{entry,id}')::uuid then
        v_known := issued_invoice(v_key, v_hash);
        if v_known is null then
          raise exception 'The key was used for an entry.' using errcode = 'FC003';
        end if;
        return v_known;
      end if;
      select posting_date into v_date from entry where id = v_entry;
      if v_kind = 380 then
        v_payable := v_date + coalesce((p->>'paymentDays')::int,
          rentals.payment_days_of((p->>'customerId')::uuid), 0);
      end if;
      insert into series as s (entity_id, series, year, next)
        values (p->>'entityId', p->>'series', extract(year from v_date), 2)
        on conflict (entity_id, series, year) do update set next = s.next + 1
        returning s.next - 1 into v_number;
      insert into invoice (id, entity_id, branch_id, series, year, sequence, kind, preceding_id,
        customer_id, rental_id, currency, issue_date, payable_by, service_from, service_to,
        net_minor, vat_minor, total_minor, prepaid_net_minor, prepaid_vat_minor, line_count,
        tax_count, entry_id, idempotency_key, request_hash)
      values (v_invoice, p->>'entityId', p->>'branchId', p->>'series',
        extract(year from v_date), v_number, v_kind,
        (p->>'precedingId')::uuid, (p->>'customerId')::uuid, (p->>'rentalId')::uuid,
        p->>'currency', v_date, v_payable, (p->>'serviceFrom')::timestamptz,
        (p->>'serviceTo')::timestamptz, (p->>'netMinor')::bigint, (p->>'vatMinor')::bigint,
        (p->>'totalMinor')::bigint,
        (select coalesce(sum((d->>'baseMinor')::bigint), 0) from jsonb_array_elements(v_prepaid) d),
        (select coalesce(sum((d->>'vatMinor')::bigint), 0) from jsonb_array_elements(v_prepaid) d),
        jsonb_array_length(p->'lines'), jsonb_array_length(p->'taxes'), v_entry, v_key, v_hash);
      insert into invoice_line (invoice_id, line_no, code, description_key, quantity, unit_minor,
        net_minor, vat_rate_bp, credits_line)
      select v_invoice, l.ordinality, l.value->>'code', l.value->>'descriptionKey',
        (l.value->>'quantity')::int, (l.value->>'unitMinor')::bigint,
        (l.value->>'netMinor')::bigint, (l.value->>'vatRateBp')::int,
        (l.value->>'creditsLine')::smallint
      from jsonb_array_elements(p->'lines') with ordinality l;
      insert into invoice_tax (invoice_id, rate_bp, base_minor, vat_minor)
      select v_invoice, (t->>'rateBp')::int, (t->>'baseMinor')::bigint, (t->>'vatMinor')::bigint
      from jsonb_array_elements(p->'taxes') t;
      if v_prepaid <> '[]' then perform add_deductions(v_invoice, v_prepaid); end if;
      return issued_invoice(v_key, v_hash) || '{"created": true}';
    end $$`.execute(db);
}

/** As in migration 0165, with the date. */
async function replaceOpenInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.open_invoice() returns trigger
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
        issue_date, payable_by, due_minor)
      select new.id, new.entity_id, new.branch_id, new.customer_id, new.rental_id, new.currency,
        new.issue_date, coalesce(new.payable_by, new.issue_date), v_due
      where v_due > 0;
      return null;
    end $$`.execute(db);
}
