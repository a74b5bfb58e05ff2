// Issuing a document of any kind: one function for invoices, prepayment invoices and credit notes.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const DOCUMENT = 'accounting.issue_document(jsonb)';
const DEDUCT = 'accounting.add_deductions(uuid, jsonb)';
const CREDIT = 'accounting.issue_credit_note(jsonb)';
const ISSUED = 'accounting.issued_credit_note(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createIssueDocument(db);
  await createAddDeductions(db);
  await replaceIssueInvoice(db);
  await createIssuedCreditNote(db);
  await createIssueCreditNote(db);
  await ownedBy(db, 'accounting_rw', [DOCUMENT, DEDUCT, CREDIT, ISSUED]);
  await publishedTo(db, 'rentals_rw', [CREDIT, ISSUED]);
}

/**
 * As issue_invoice of migration 0016 does, with {kind?, precedingId?, prepayments?: [{prepaymentId,
 * rateBp, baseMinor, vatMinor}]}; a line may name `creditsLine`.
 */
async function createIssueDocument(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.issue_document(p jsonb) returns jsonb
    language plpgsql set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_key constant text := p->>'idempotencyKey';
      v_hash constant bytea := sha256(convert_to(((p #- '{entry,id}') - 'id')::text, 'UTF8'));
      v_known jsonb := issued_invoice(v_key, v_hash);
      v_invoice constant uuid := (p->>'id')::uuid;
      v_prepaid constant jsonb := coalesce(p->'prepayments', '[]');
      v_entry uuid;
      v_date date;
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
      insert into series as s (entity_id, series, year, next)
        values (p->>'entityId', p->>'series', extract(year from v_date), 2)
        on conflict (entity_id, series, year) do update set next = s.next + 1
        returning s.next - 1 into v_number;
      insert into invoice (id, entity_id, branch_id, series, year, sequence, kind, preceding_id,
        customer_id, rental_id, currency, issue_date, service_from, service_to, net_minor,
        vat_minor, total_minor, prepaid_net_minor, prepaid_vat_minor, line_count, tax_count,
        entry_id, idempotency_key, request_hash)
      values (v_invoice, p->>'entityId', p->>'branchId', p->>'series',
        extract(year from v_date), v_number, coalesce((p->>'kind')::smallint, 380),
        (p->>'precedingId')::uuid, (p->>'customerId')::uuid, (p->>'rentalId')::uuid,
        p->>'currency', v_date, (p->>'serviceFrom')::timestamptz,
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

async function createAddDeductions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.add_deductions(p_invoice uuid, p_prepaid jsonb) returns void
    language sql set search_path = accounting, pg_temp as $$
      insert into prepayment_deduction (invoice_id, prepayment_id, rate_bp, base_minor, vat_minor)
      select p_invoice, (d->>'prepaymentId')::uuid, (d->>'rateBp')::int,
        (d->>'baseMinor')::bigint, (d->>'vatMinor')::bigint
      from jsonb_array_elements(p_prepaid) d
    $$`.execute(db);
}

/** Credit notes have a function of their own, which knows what they refer to. */
async function replaceIssueInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.issue_invoice(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      if p->>'kind' = '381' or p ? 'precedingId' then
        raise exception 'A credit note is issued by its own function.' using errcode = 'FC001';
      end if;
      return issue_document(p);
    end $$`.execute(db);
}

/** What was issued under a key, for its repeat: by then less is left of the invoice. */
async function createIssuedCreditNote(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.issued_credit_note(p_key text) returns jsonb
    language sql stable security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
      select jsonb_build_object('creditNoteId', id, 'number', number, 'entryId', entry_id,
        'totalMinor', total_minor)
      from invoice where idempotency_key = p_key and kind = 381
    $$`.execute(db);
}

/**
 * Json: {id, idempotencyKey, precedingId, netMinor, vatMinor, totalMinor, lines: [as issue_invoice,
 * with creditsLine], taxes, entry: {id, effectiveAt, source, postings}}; the rest is the invoice's that
 * it refers to. Series CRN. Answers as issue_invoice. Raises FC001 to FC005, and a check violation
 * `invoice_not_over_credited`.
 */
async function createIssueCreditNote(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.issue_credit_note(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_preceding invoice;
    begin
      select * into v_preceding from invoice where id = (p->>'precedingId')::uuid;
      if not found then
        raise exception 'There is no such invoice.' using errcode = 'FC004';
      end if;
      return issue_document(p || jsonb_build_object('kind', 381, 'series', 'CRN',
        'entityId', v_preceding.entity_id, 'branchId', v_preceding.branch_id,
        'customerId', v_preceding.customer_id, 'rentalId', v_preceding.rental_id,
        'currency', v_preceding.currency, 'serviceFrom', v_preceding.service_from,
        'serviceTo', v_preceding.service_to));
    end $$`.execute(db);
}
