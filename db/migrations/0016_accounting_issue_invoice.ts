// Issuing an invoice: document, entry and gapless number in the caller's transaction.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createIssuedInvoice(db);
  await createIssueInvoice(db);
  const issued = sql`function accounting.issued_invoice(text, bytea)`;
  const issue = sql`function accounting.issue_invoice(jsonb)`;
  for (const fn of [issued, issue]) {
    await sql`alter ${fn} owner to accounting_rw`.execute(db);
    await sql`revoke all on ${fn} from public`.execute(db);
  }
  await sql`grant usage on schema accounting to rentals_rw`.execute(db);
  await sql`grant execute on ${issue} to rentals_rw`.execute(db);
}

/** What was issued under a key; null when nothing was. Raises FC003 when it was something else. */
async function createIssuedInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.issued_invoice(p_key text, p_hash bytea) returns jsonb
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
        'entryId', v_known.entry_id, 'issueDate', v_known.issue_date, 'created', false);
    end $$`.execute(db);
}

/**
 * Json: {id, idempotencyKey, entityId, branchId?, series, customerId, rentalId?, currency,
 * serviceFrom, serviceTo, netMinor, vatMinor, totalMinor, lines: [{code, descriptionKey, quantity,
 * unitMinor, netMinor, vatRateBp}], taxes: [{rateBp, baseMinor, vatMinor}],
 * entry: {id, effectiveAt, source, postings}}; the entry shares key, entity and rental.
 * Answers {invoiceId, number, entryId, issueDate, created}; a repeat answers the same invoice.
 * The number comes after the entry: its row makes the whole series wait until the caller commits,
 * and a rollback gives it back, so no number is ever missing. Raises FC001 to FC005.
 */
async function createIssueInvoice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.issue_invoice(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_key constant text := p->>'idempotencyKey';
      v_hash constant bytea := sha256(convert_to(((p #- '{entry,id}') - 'id')::text, 'UTF8'));
      v_known jsonb := issued_invoice(v_key, v_hash);
      v_invoice constant uuid := (p->>'id')::uuid;
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
      insert into invoice (id, entity_id, branch_id, series, year, sequence, kind, customer_id,
        rental_id, currency, issue_date, service_from, service_to, net_minor, vat_minor,
        total_minor, line_count, tax_count, entry_id, idempotency_key, request_hash)
      values (v_invoice, p->>'entityId', p->>'branchId', p->>'series',
        extract(year from v_date), v_number, 380, (p->>'customerId')::uuid,
        (p->>'rentalId')::uuid, p->>'currency', v_date, (p->>'serviceFrom')::timestamptz,
        (p->>'serviceTo')::timestamptz, (p->>'netMinor')::bigint, (p->>'vatMinor')::bigint,
        (p->>'totalMinor')::bigint, jsonb_array_length(p->'lines'),
        jsonb_array_length(p->'taxes'), v_entry, v_key, v_hash);
      insert into invoice_line (invoice_id, line_no, code, description_key, quantity, unit_minor,
        net_minor, vat_rate_bp)
      select v_invoice, l.ordinality, l.value->>'code', l.value->>'descriptionKey',
        (l.value->>'quantity')::int, (l.value->>'unitMinor')::bigint,
        (l.value->>'netMinor')::bigint, (l.value->>'vatRateBp')::int
      from jsonb_array_elements(p->'lines') with ordinality l;
      insert into invoice_tax (invoice_id, rate_bp, base_minor, vat_minor)
      select v_invoice, (t->>'rateBp')::int, (t->>'baseMinor')::bigint, (t->>'vatMinor')::bigint
      from jsonb_array_elements(p->'taxes') t;
      return issued_invoice(v_key, v_hash) || '{"created": true}';
    end $$`.execute(db);
}
