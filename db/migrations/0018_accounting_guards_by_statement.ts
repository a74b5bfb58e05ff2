// The ledger's guards by the statement: what they cost is shared by all the entries of one.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger complete_entry on accounting.entry`.execute(db);
  await sql`drop function accounting.complete_entry()`.execute(db);
  await moveChecks(db);
  await replaceAdmitEntry(db);
  await createAdmitEntries(db);
  await replaceAdmitLines(db);
}

/**
 * The triggers check this too: PostgreSQL reads a constraint's expression anew for every statement,
 * but a function's once. A balance cannot be negative, because only admit_lines adds to it; and an
 * index over the few reversals is no work for the many other entries.
 */
async function moveChecks(db: Kysely<unknown>): Promise<void> {
  await sql`alter table accounting.entry drop constraint entry_idempotency_key_check,
    drop constraint entry_source_check, drop constraint entry_line_count_check,
    drop constraint entry_check, drop constraint entry_reverses_key`.execute(db);
  await sql`create unique index entry_reverses on accounting.entry (reverses)
    where reverses is not null`.execute(db);
  await sql`alter table accounting.line drop constraint line_check`.execute(db);
  await sql`alter table accounting.account_balance
    drop constraint account_balance_check`.execute(db);
}

/** Says who made an entry, when and in which transaction, whatever the insert says. */
async function replaceAdmitEntry(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger admit_entry on accounting.entry`.execute(db);
  await sql`drop function accounting.admit_entry()`.execute(db);
  await sql`
    create function accounting.stamp_entry() returns trigger language plpgsql as $$
    begin
      if new.idempotency_key = '' or new.source = '' or new.line_count < 2
          or new.reverses = new.id then
        raise exception 'An entry has a key, a source and two lines, and does not reverse itself.'
          using errcode = 'check_violation';
      end if;
      new.tx := pg_current_xact_id();
      new.created_by := current_setting('app.principal');
      new.created_at := now();
      return new;
    end $$`.execute(db);
  await sql`create trigger stamp_entry before insert on accounting.entry
    for each row execute function accounting.stamp_entry()`.execute(db);
}

/**
 * Entries come with their lines, in one statement, into an open period of their month; a reversal
 * undoes its original line by line.
 */
async function createAdmitEntries(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_entries() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    declare
      v_fault record;
    begin
      -- An older snapshot would not see that the period was closed while we waited for its lock.
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'Entries are posted under READ COMMITTED only.'
          using errcode = 'restrict_violation';
      end if;
      perform pg_advisory_xact_lock_shared(7301, p.period_id)
        from (select distinct period_id from posted order by period_id) p;
      select x.* into v_fault from (
        select to_char(e.posting_date, 'YYYY-MM') as month, e.entity_id, p.status, case
            when p.month is distinct from to_char(e.posting_date, 'YYYY-MM')
              or p.entity_id <> e.entity_id then 'period'
            when p.status <> 'open' then 'closed'
            when not exists (select from accounting.line l where l.entry_id = e.id) then 'empty'
            when e.reverses is not null and exists (
              select from accounting.line l where l.entry_id in (e.id, e.reverses)
              group by l.account_id, l.currency
              having sum(l.amount) <> 0 or sum(l.base_amount) <> 0) then 'reversal'
          end as name
        from posted e left join accounting.period p on p.id = e.period_id
      ) x where x.name is not null limit 1;
      case v_fault.name
        when 'period' then raise exception
          'The posting date is not in a period of this legal entity.'
          using errcode = 'foreign_key_violation';
        when 'closed' then raise exception 'The period % of % is %.',
          v_fault.month, v_fault.entity_id, v_fault.status using errcode = 'FC002';
        when 'empty' then raise exception
          'An entry and all its lines come in one statement.' using errcode = 'FC001';
        when 'reversal' then raise exception
          'A reversal undoes exactly what it reverses.' using errcode = 'FC001';
        else return null;
      end case;
    end $$`.execute(db);
  await sql`create trigger admit_entries after insert on accounting.entry
    referencing new table as posted
    for each statement execute function accounting.admit_entries()`.execute(db);
}

/**
 * One statement holds all lines of an entry, numbered 1 to its line_count, in the transaction that
 * made the entry. With the primary key that leaves no place for a later line. Runs as the owner,
 * because nobody else may write balances. These are written in the order of their key, whichever
 * entries they come from: two postings over the same accounts wait and never deadlock.
 */
async function replaceAdmitLines(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.admit_lines() returns trigger
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    declare
      v_fault text;
    begin
      with admitted as materialized (
        select p.*, a.live_balance, e.line_count, case
            when e.tx is distinct from pg_current_xact_id() then 'late'
            when p.line_no not between 1 and e.line_count then 'incomplete'
            when p.period_id <> e.period_id or a.entity_id is distinct from e.entity_id
              then 'foreign account or period'
            when a.currency <> p.currency or p.currency !~ '^[A-Z]{3}$' then 'currency'
            when p.amount = 0 and p.base_amount = 0 then 'nothing'
            when greatest(abs(p.amount), abs(p.base_amount)) > 9007199254740991 then 'size'
            when p.amount <> p.base_amount and f.functional_currency = p.currency then 'base'
          end as fault
        from posted p left join account a on a.id = p.account_id
          left join entry e on e.id = p.entry_id
          left join legal_entity f on f.id = e.entity_id
      ), kept as (
        insert into account_balance as b
        select account_id, period_id, currency,
          sum(greatest(amount, 0)), sum(greatest(-amount, 0)),
          sum(greatest(base_amount, 0)), sum(greatest(-base_amount, 0))
        from admitted where live_balance
        group by account_id, period_id, currency order by account_id, period_id, currency
        on conflict (account_id, period_id, currency) do update set
          debit = b.debit + excluded.debit, credit = b.credit + excluded.credit,
          base_debit = b.base_debit + excluded.base_debit,
          base_credit = b.base_credit + excluded.base_credit
      ), summed as (
        select entry_id, currency, count(*) as lines, min(line_count) as line_count,
          sum(amount) as amount, sum(base_amount) as base_amount, min(fault) as fault
        from admitted group by entry_id, currency
      )
      select coalesce(min(fault), case
          when sum(lines) <> min(line_count) then 'incomplete'
          when bool_or(amount <> 0) or sum(base_amount) <> 0 then 'unbalanced'
        end) into v_fault
      from summed group by entry_id
      order by 1 limit 1;
      if v_fault = 'nothing' then
        raise exception 'A line moves an amount.' using errcode = 'check_violation';
      elsif v_fault is not null then
        perform refuse_lines(v_fault);
      end if;
      return null;
    end $$`.execute(db);
}
