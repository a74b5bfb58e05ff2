// Posting several new entries at once: one statement, one commit.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPostTogether(db);
  const fn = sql`function accounting.post_together(uuid[], text[], date[], timestamptz[], text[],
    text[], uuid[], uuid[], uuid[], text[], text[], text[], text[], uuid[], text[], text[], text[])`;
  await sql`alter ${fn} owner to accounting_rw`.execute(db);
  await sql`revoke all on ${fn} from public`.execute(db);
}

/**
 * Posts entries that nobody posted before into months that are open, all or none; each with its
 * event. The arrays are theirs, side by side, as post_entry takes one; the four of postings hold
 * arrays as text. Refuses more than post_entry does, so what fails here is to be tried there:
 * a key that was used (23505), an entry without a date or in a month not posted to so far (23502).
 */
async function createPostTogether(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_together(
      p_ids uuid[], p_entities text[], p_dates date[], p_effective_at timestamptz[], p_keys text[],
      p_sources text[], p_rentals uuid[], p_reverses uuid[], p_intercompany uuid[],
      p_accounts text[], p_currencies text[], p_amounts text[], p_bases text[],
      p_event_ids uuid[], p_topics text[], p_types text[], p_events text[]
    ) returns void language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    begin
      with asked as materialized (
        select e.*, (select p.id from period p where p.entity_id = e.entity
          and p.month = to_char(e.date, 'YYYY-MM')) as period
        from (select e.id, e.entity, e.date, e.effective_at, e.key, e.source, e.rental, e.reverses,
            e.intercompany, e.accounts::text[] as accounts, e.currencies::text[] as currencies,
            e.amounts::bigint[] as amounts, e.bases::bigint[] as bases, e.event_id, e.topic,
            e.type, e.event
          from unnest(p_ids, p_entities, p_dates, p_effective_at, p_keys, p_sources, p_rentals,
              p_reverses, p_intercompany, p_accounts, p_currencies, p_amounts, p_bases,
              p_event_ids, p_topics, p_types, p_events)
            as e(id, entity, date, effective_at, key, source, rental, reverses, intercompany,
              accounts, currencies, amounts, bases, event_id, topic, type, event)) e
      ), made as (
        insert into entry (id, entity_id, period_id, posting_date, effective_at,
          idempotency_key, request_hash, source, line_count, reverses, intercompany_id, rental_id)
        select id, entity, period, date, effective_at, key,
          -- As post_entry makes it.
          sha256(convert_to(row(entity, date - date '2000-01-01', extract(epoch from effective_at),
            source, rental, reverses, intercompany, accounts, currencies, amounts, bases)::text,
            'UTF8')),
          source, cardinality(accounts), reverses, intercompany, rental
        -- Two callers with the same keys wait for each other in one order, and never deadlock.
        from asked order by key
      ), lines as (
        insert into line (entry_id, line_no, account_id, period_id, currency, amount, base_amount)
        select e.id, l.no,
          (select a.id from account a where a.entity_id = e.entity and a.code = l.account),
          e.period, l.currency, l.amount, l.base
        from asked e, unnest(e.accounts, e.currencies, e.amounts, e.bases) with ordinality
          as l(account, currency, amount, base, no)
      )
      insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
      select event_id, topic, id, 1, type, event from asked;
    end $$`.execute(db);
}
