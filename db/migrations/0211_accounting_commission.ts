// Commissions: what each document of a rental earns its agent, as a sub-ledger of account 2140.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const STATE = 'accounting.commission_state(uuid)';
const OF_NOTE = 'accounting.commission_of_note(uuid)';
const POST = 'accounting.post_commission(jsonb)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCommission(db);
  await guardCommission(db);
  await createState(db);
  await createOfNote(db);
  await createPost(db);
  await ownedBy(db, 'accounting_rw', [STATE, OF_NOTE, POST]);
  await publishedTo(db, 'rentals_rw', [STATE, OF_NOTE, POST]);
}

/**
 * `rated` is what the price says, `credited` what people gave back of it: a price that is worked out
 * anew does not take that away again. Amounts are above zero where the agent is owed more.
 */
async function createCommission(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.commission (
      rental_id uuid not null,
      seq smallint not null check (seq > 0),
      agent_id uuid not null references accounting.agent,
      document_id uuid not null references accounting.invoice,
      reason text not null check (reason in ('rated', 'credited')),
      rate_bp int not null check (rate_bp between 0 and 5000),
      kinds text[] not null,
      base_minor bigint not null,
      amount_minor bigint not null,
      entry_id uuid unique references accounting.entry,
      posting_date date not null,
      created_at timestamptz not null default now(),
      primary key (rental_id, seq),
      constraint commission_is_posted check ((amount_minor = 0) = (entry_id is null))
    )`.execute(db);
  await sql`create index commission_of_agent on accounting.commission
    (agent_id, posting_date, rental_id, seq)`.execute(db);
  await sql`create index commission_of_document on accounting.commission
    (document_id)`.execute(db);
  await sql`alter table accounting.commission owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on accounting.commission to accounting_rw`.execute(db);
  await sql`grant select on accounting.commission to api_read`.execute(db);
}

/**
 * At commit: each row is what its entry posted to 2140, and all of a rental are its rate of their base,
 * rounded once. So no cent is lost on the way, and a rental that is credited as a whole earns nothing.
 */
async function guardCommission(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.complete_commission() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      if new.entry_id is not null and not exists (
          select from entry e join agent g on g.id = new.agent_id and g.entity_id = e.entity_id
            join line l on l.entry_id = e.id join account a on a.id = l.account_id
          where e.id = new.entry_id and e.rental_id = new.rental_id
            and e.posting_date = new.posting_date and a.code = '2140'
          having sum(l.amount) = -new.amount_minor) then
        raise exception 'A commission is what its entry posted.'
          using errcode = 'check_violation', constraint = 'commission_as_posted';
      end if;
      if exists (select from commission where rental_id = new.rental_id
          group by agent_id, rate_bp
          having sum(amount_minor) <> round(sum(base_minor) * rate_bp / 10000.0)) then
        raise exception 'The commissions of a rental are its rate of their base.'
          using errcode = 'check_violation', constraint = 'commission_at_its_rate';
      end if;
      return null;
    end $$`.execute(db);
  await sql`alter function accounting.complete_commission() owner to accounting_rw`.execute(db);
  await sql`create constraint trigger complete_commission after insert on accounting.commission
    deferrable initially deferred for each row
    execute function accounting.complete_commission()`.execute(db);
  await sql`create trigger refuse_change before update or delete on accounting.commission
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`create trigger refuse_truncate before truncate on accounting.commission
    for each statement execute function accounting.refuse_change()`.execute(db);
}

/**
 * Json {count, ratedBaseMinor, baseMinor, amountMinor, newest, documents: [{documentId, netMinor,
 * lines: [{code, netMinor}]}]}: what a rental earned so far, and the invoices of its hire that this
 * transaction issued. `newest` is the latest of its invoices of which something is left, else the
 * latest. Payments of the rental wait from here on.
 */
async function createState(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.commission_state(p_rental uuid) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      perform lock_money(p_rental);
      return (select jsonb_build_object('count', count(*),
          'ratedBaseMinor', coalesce(sum(base_minor) filter (where reason = 'rated'), 0),
          'baseMinor', coalesce(sum(base_minor), 0),
          'amountMinor', coalesce(sum(amount_minor), 0),
          'newest', (select i.id from invoice i join entry e on e.id = i.entry_id
            where i.rental_id = p_rental
              and e.source in ('rental.final-invoice', 'rental.cycle-invoice')
            order by i.net_minor > coalesce((select sum(n.net_minor) from invoice n
                where n.preceding_id = i.id), 0) desc, i.id desc limit 1),
          'documents', (select coalesce(jsonb_agg(jsonb_build_object('documentId', i.id,
              'netMinor', i.net_minor, 'lines', (select jsonb_agg(jsonb_build_object(
                'code', l.code, 'netMinor', l.net_minor) order by l.line_no)
                from invoice_line l where l.invoice_id = i.id)) order by i.id), '[]')
            from invoice i join entry e on e.id = i.entry_id
            where i.rental_id = p_rental and i.kind = 380 and i.tx = pg_current_xact_id()
              and e.source in ('rental.final-invoice', 'rental.cycle-invoice')))
        from commission where rental_id = p_rental);
    end $$`.execute(db);
}

/**
 * Json of a credit note: {rentalId, agentId, entityId, currency, rateBp, kinds, count, baseMinor,
 * amountMinor, leftBaseMinor, netMinor, leftNetMinor, isBilledPart, lines: [{code, netMinor}]}, or null
 * where its invoice earned nothing. The amounts left are the invoice's before this note;
 * `isBilledPart` is true for one that deducts what was billed before.
 */
async function createOfNote(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.commission_of_note(p_note uuid) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_note invoice;
      v_of commission;
    begin
      select * into v_note from invoice where id = p_note and kind = 381;
      select * into v_of from commission where document_id = v_note.preceding_id
        order by seq limit 1;
      if not found then return null; end if;
      perform lock_money(v_of.rental_id);
      return (select jsonb_build_object('rentalId', v_of.rental_id, 'agentId', v_of.agent_id,
          'entityId', v_note.entity_id, 'currency', v_note.currency, 'rateBp', v_of.rate_bp,
          'kinds', v_of.kinds, 'count', count(*), 'baseMinor', sum(c.base_minor),
          'amountMinor', sum(c.amount_minor),
          'leftBaseMinor', sum(c.base_minor) filter (where i.id = v_note.preceding_id
            or i.preceding_id = v_note.preceding_id),
          'netMinor', v_note.net_minor,
          'leftNetMinor', (select o.net_minor from invoice o where o.id = v_note.preceding_id)
            - coalesce((select sum(n.net_minor) from invoice n
              where n.preceding_id = v_note.preceding_id and n.id <> p_note), 0),
          'isBilledPart', exists (select from invoice_line l
            where l.invoice_id = v_note.preceding_id and l.code = 'billed'),
          'lines', (select jsonb_agg(jsonb_build_object('code', l.code, 'netMinor', l.net_minor))
            from invoice_line l where l.invoice_id = p_note))
        from commission c join invoice i on i.id = c.document_id
        where c.rental_id = v_of.rental_id);
    end $$`.execute(db);
}

/**
 * Json: {id, rentalId, seq, agentId, entityId, documentId, reason, rateBp, kinds, baseMinor,
 * amountMinor, effectiveAt, postings}; `id` is its entry's, where it has one. Answers {entryId,
 * postingDate}. Raises FC001 to FC005.
 */
async function createPost(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_commission(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_amount constant bigint := (p->>'amountMinor')::bigint;
      v_entry uuid;
      v_date date;
    begin
      if v_amount <> 0 then
        v_entry := post_entry(jsonb_build_object('id', p->'id', 'entityId', p->'entityId',
          'rentalId', p->'rentalId', 'effectiveAt', p->'effectiveAt', 'postings', p->'postings',
          'idempotencyKey', 'commission/' || (p->>'rentalId') || '/' || (p->>'seq'),
          'source', 'commission.' || (p->>'reason')));
      end if;
      select posting_date into v_date from entry where id = v_entry;
      if not found then
        select issue_date into v_date from invoice where id = (p->>'documentId')::uuid;
      end if;
      insert into commission (rental_id, seq, agent_id, document_id, reason, rate_bp, kinds,
        base_minor, amount_minor, entry_id, posting_date)
      values ((p->>'rentalId')::uuid, (p->>'seq')::smallint, (p->>'agentId')::uuid,
        (p->>'documentId')::uuid, p->>'reason', (p->>'rateBp')::int,
        array(select jsonb_array_elements_text(p->'kinds')), (p->>'baseMinor')::bigint,
        v_amount, v_entry, v_date);
      return jsonb_build_object('entryId', v_entry, 'postingDate', v_date);
    end $$`.execute(db);
}
