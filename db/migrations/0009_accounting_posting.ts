// Posting: the published function that makes an entry, and its period when the month is new.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPostingPeriod(db);
  await createPostEntry(db);
  await createPostEntryJson(db);
  const entry = `uuid, text, date, timestamptz, text, text, uuid, uuid, uuid,
    text[], text[], bigint[], bigint[], uuid, text, text, text`;
  for (const signature of [
    'posting_period(text, date)',
    `post_entry(${entry})`,
    'post_entry(jsonb)',
  ]) {
    const fn = sql.raw(`function accounting.${signature}`);
    await sql`alter ${fn} owner to accounting_rw`.execute(db);
    await sql`revoke all on ${fn} from public`.execute(db);
  }
}

/**
 * The open period of a date, its lock held. A month's period opens when it is first posted to,
 * unless a later one of the entity was closed already. `p_demanded` demands that very date (FC002);
 * without one it is today by the entity's clock, or else the first day of the next open month, so
 * that a late fact is still posted (decisions.md 24).
 */
async function createPostingPeriod(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.posting_period(
      p_entity text, p_demanded date, out period_id int, out posting_date date
    ) language plpgsql set search_path = accounting, pg_temp as $$
    declare
      v_month text;
      v_status text;
    begin
      posting_date := p_demanded;
      if p_demanded is null then
        select (now() at time zone time_zone)::date into posting_date
          from legal_entity where id = p_entity;
      end if;
      loop
        v_month := to_char(posting_date, 'YYYY-MM');
        select id into period_id from period where entity_id = p_entity and month = v_month;
        if not found then
          perform from legal_entity where id = p_entity;
          if not found then
            raise exception 'There is no legal entity %.', p_entity using errcode = 'FC004';
          end if;
          insert into period (entity_id, month)
            select p_entity, v_month where not exists (select from period
              where entity_id = p_entity and status <> 'open' and month > v_month)
            on conflict do nothing;
          -- A statement of its own sees the row of whoever opened the month just before us.
          select id into period_id from period where entity_id = p_entity and month = v_month;
        end if;
        if period_id is not null then
          perform pg_advisory_xact_lock_shared(7301, period_id);
          select status into v_status from period where id = period_id;
          if v_status = 'open' then return; end if;
        end if;
        if p_demanded is not null then
          raise exception 'The period % of % is closed.', v_month, p_entity
            using errcode = 'FC002';
        end if;
        posting_date := date_trunc('month', posting_date::timestamp) + interval '1 month';
      end loop;
    end $$`.execute(db);
}

/**
 * Posts an entry with its event; answers its id, or that of the entry which the same request made
 * before: then it publishes nothing. The four arrays are its postings, side by side: account code,
 * currency, amount and base amount in minor units; debit is above zero. Without p_date it is today
 * in the entity's zone. p_event is the CloudEvent's text; its data gets the posting date when the
 * entry left it open; without p_event_id the caller publishes. Raises FC001 to FC005.
 *
 * Typed parameters and one statement: the server spends more on taking json apart, and on starting
 * and ending statements, than on the rows.
 */
async function createPostEntry(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_entry(
      p_id uuid, p_entity text, p_date date, p_effective_at timestamptz, p_key text,
      p_source text, p_rental uuid, p_reverses uuid, p_intercompany uuid,
      p_accounts text[], p_currencies text[], p_amounts bigint[], p_bases bigint[],
      p_event_id uuid, p_topic text, p_type text, p_event text
    ) returns uuid language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      -- Numbers for date and instant: their texts would differ with the session's settings.
      v_hash constant bytea := sha256(convert_to(row(p_entity, p_date - date '2000-01-01',
        extract(epoch from p_effective_at), p_source, p_rental, p_reverses, p_intercompany,
        p_accounts, p_currencies, p_amounts, p_bases)::text, 'UTF8'));
      v_date date := p_date;
      v_event text := p_event;
      v_known uuid;
      v_known_hash bytea;
    begin
      if cardinality(p_accounts) < greatest(cardinality(p_currencies), cardinality(p_amounts),
          cardinality(p_bases)) then
        raise exception 'Each posting needs its account.' using errcode = 'FC001';
      end if;
      loop
        -- An open month needs no lock here: admit_entry takes it and looks again. An unknown code
        -- leaves account_id empty, which the column refuses by its name.
        with posted_entry as (
          insert into entry (id, entity_id, period_id, posting_date, effective_at,
            idempotency_key, request_hash, source, line_count, reverses, intercompany_id, rental_id)
          select p_id, p_entity, p.id, v_date, p_effective_at, p_key, v_hash, p_source,
            cardinality(p_accounts), p_reverses, p_intercompany, p_rental
          from period p where p.entity_id = p_entity and p.month = to_char(v_date, 'YYYY-MM')
            and p.status = 'open'
          on conflict (idempotency_key) do nothing
          returning id, period_id
        ), posted_lines as (
          insert into line (entry_id, line_no, account_id, period_id, currency, amount, base_amount)
          select e.id, n,
            (select a.id from account a where a.entity_id = p_entity and a.code = p_accounts[n]),
            e.period_id, p_currencies[n], p_amounts[n], p_bases[n]
          from posted_entry e, generate_series(1, cardinality(p_accounts)) n
        ), published as (
          insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
          select p_event_id, p_topic, e.id, 1, p_type, v_event
          from posted_entry e where p_event_id is not null
        )
        select e.id into v_known from posted_entry e;
        if found then return v_known; end if;
        select id, request_hash into v_known, v_known_hash from entry where idempotency_key = p_key;
        exit when found;
        -- Holds the period's lock, so that the next turn finds it open.
        select posting_date into v_date from posting_period(p_entity, p_date);
        if p_date is null then
          v_event := jsonb_set(p_event::jsonb, '{data,postingDate}', to_jsonb(v_date));
        end if;
      end loop;
      if v_known_hash <> v_hash then
        raise exception 'The key was used for another entry.' using errcode = 'FC003';
      end if;
      return v_known;
    end $$`.execute(db);
}

/**
 * The same from json, for functions that got it as a part of theirs: {id?, entityId, postingDate?,
 * effectiveAt, idempotencyKey, source, rentalId?, reverses?, intercompanyId?,
 * postings: [{account, currency, amountMinor, baseMinor}]}.
 */
async function createPostEntryJson(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_entry(p jsonb) returns uuid
    language plpgsql security definer set search_path = accounting, pg_temp as $$
    declare
      v_accounts text[];
      v_currencies text[];
      v_amounts bigint[];
      v_bases bigint[];
    begin
      select array_agg(r.value->>'account' order by r.ordinality),
        array_agg(r.value->>'currency' order by r.ordinality),
        array_agg((r.value->>'amountMinor')::bigint order by r.ordinality),
        array_agg((r.value->>'baseMinor')::bigint order by r.ordinality)
        into v_accounts, v_currencies, v_amounts, v_bases
        from jsonb_array_elements(p->'postings') with ordinality r;
      return post_entry(coalesce((p->>'id')::uuid, uuidv7()), p->>'entityId',
        (p->>'postingDate')::date, (p->>'effectiveAt')::timestamptz, p->>'idempotencyKey',
        p->>'source', (p->>'rentalId')::uuid, (p->>'reverses')::uuid,
        (p->>'intercompanyId')::uuid, v_accounts, v_currencies, v_amounts, v_bases,
        null, null, null, null);
    end $$`.execute(db);
}
