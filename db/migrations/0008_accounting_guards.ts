// What the ledger refuses by itself: unbalanced, late, changed, and postings into a closed period.
import { type Kysely, sql } from 'kysely';

/**
 * SQLSTATEs of refusals that a caller can act on (db/commands/accounting.ts names them):
 * FC001 unbalanced, FC002 period closed, FC003 key reused, FC004 not found, FC005 currency.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await refuseChange(db);
  await guardPeriods(db);
  await admitEntries(db);
  await admitLines(db);
  await completeEntries(db);
}

async function refuseChange(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'accounting.% is never changed: correct it by a reversal.', tg_table_name
        using errcode = 'restrict_violation';
    end $$`.execute(db);
  // Entities, accounts and periods stand in for the foreign keys that entries do not have.
  const changes = { entry: 'update or delete', line: 'update or delete' };
  const removals = { legal_entity: 'delete', account: 'update or delete', period: 'delete' };
  for (const [table, events] of Object.entries({ ...changes, ...removals })) {
    const name = sql.id('accounting', table);
    await sql`create trigger refuse_change before ${sql.raw(events)} on ${name}
      for each row execute function accounting.refuse_change()`.execute(db);
    await sql`create trigger refuse_truncate before truncate on ${name}
      for each statement execute function accounting.refuse_change()`.execute(db);
  }
}

/**
 * Posting holds a period's lock shared, a change of its status holds it alone: so a close waits
 * for every open posting, and whoever posts after it sees the new status.
 */
async function guardPeriods(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.guard_period() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(7301, old.id);
      if old.status = 'locked' or (new.id, new.entity_id, new.month)
          is distinct from (old.id, old.entity_id, old.month) then
        raise exception 'A locked period never changes, nor does the month of any.'
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger guard_period before update on accounting.period
    for each row execute function accounting.guard_period()`.execute(db);
}

async function admitEntries(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_entry() returns trigger language plpgsql as $$
    declare
      v_locked text;
      v_status text;
    begin
      -- An older snapshot would not see that the period was closed while we waited for its lock.
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'Entries are posted under READ COMMITTED only.'
          using errcode = 'restrict_violation';
      end if;
      v_locked := pg_advisory_xact_lock_shared(7301, new.period_id)::text;
      select p.status into v_status from accounting.period p
        where p.id = new.period_id and p.entity_id = new.entity_id
          and p.month = to_char(new.posting_date, 'YYYY-MM');
      if not found then
        raise exception 'The posting date is not in a period of this legal entity.'
          using errcode = 'foreign_key_violation';
      end if;
      if v_status <> 'open' then
        -- A repeat's key keeps it out, and its answer does not depend on the period.
        perform from accounting.entry x where x.idempotency_key = new.idempotency_key;
        if not found then
          raise exception 'The period % of % is %.', to_char(new.posting_date, 'YYYY-MM'),
            new.entity_id, v_status using errcode = 'FC002';
        end if;
      end if;
      new.tx := pg_current_xact_id();
      new.created_by := current_setting('app.principal');
      new.created_at := now();
      return new;
    end $$`.execute(db);
  await sql`create trigger admit_entry before insert on accounting.entry
    for each row execute function accounting.admit_entry()`.execute(db);
}

/**
 * One statement holds all lines of an entry, numbered 1 to its line_count, in the transaction that
 * made the entry. With the primary key that leaves no place for a later line. Runs as the owner,
 * because nobody else may write balances.
 *
 * It walks the lines and looks rows up by their keys: for the few lines of an entry the server
 * spends far less on that than on starting and ending joins and sums. The order makes a currency's
 * lines neighbours, and is that in which every entry writes its balances: two entries over the same
 * accounts wait and never deadlock.
 */
async function admitLines(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_lines() returns trigger
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    declare
      n record;
      v_entry uuid;
      v_tx xid8;
      v_entity text;
      v_period int;
      v_lines int;
      v_left int := 0;
      v_currency text;
      v_sum bigint;
      v_base_sum bigint;
    begin
      for n in
        select p.*, a.entity_id as holder, a.currency as holds, a.live_balance
        from posted p left join account a on a.id = p.account_id
        order by p.entry_id, p.currency, p.account_id
      loop
        if n.entry_id is distinct from v_entry then
          if v_left <> 0 then perform refuse_lines('incomplete'); end if;
          select e.tx, e.entity_id, e.period_id, e.line_count, e.line_count
            into v_tx, v_entity, v_period, v_lines, v_left from entry e where e.id = n.entry_id;
          if v_tx is distinct from pg_current_xact_id() then perform refuse_lines('late'); end if;
          v_entry := n.entry_id;
          v_currency := n.currency;
          v_sum := 0;
          v_base_sum := 0;
        end if;
        if n.currency <> v_currency then
          if v_sum <> 0 then perform refuse_lines('unbalanced'); end if;
          v_currency := n.currency;
          v_sum := 0;
        end if;
        if v_left = 0 or n.line_no < 1 or n.line_no > v_lines then
          perform refuse_lines('incomplete');
        elsif n.period_id <> v_period or n.holder is distinct from v_entity then
          perform refuse_lines('foreign account or period');
        elsif n.holds <> n.currency or n.currency !~ '^[A-Z]{3}$' then
          perform refuse_lines('currency');
        elsif greatest(abs(n.amount), abs(n.base_amount)) > 9007199254740991 then
          perform refuse_lines('size');
        elsif n.amount <> n.base_amount then
          perform from legal_entity f
            where f.id = v_entity and f.functional_currency = n.currency;
          if found then perform refuse_lines('base'); end if;
        end if;
        v_sum := v_sum + n.amount;
        v_base_sum := v_base_sum + n.base_amount;
        v_left := v_left - 1;
        if v_left = 0 and (v_sum <> 0 or v_base_sum <> 0) then
          perform refuse_lines('unbalanced');
        end if;
        continue when not n.live_balance;
        insert into account_balance as b values (n.account_id, n.period_id, n.currency,
          greatest(n.amount, 0), greatest(-n.amount, 0),
          greatest(n.base_amount, 0), greatest(-n.base_amount, 0))
        on conflict (account_id, period_id, currency) do update set
          debit = b.debit + excluded.debit, credit = b.credit + excluded.credit,
          base_debit = b.base_debit + excluded.base_debit,
          base_credit = b.base_credit + excluded.base_credit;
      end loop;
      if v_left <> 0 then perform refuse_lines('incomplete'); end if;
      return null;
    end $$`.execute(db);
  await refuseLines(db);
  await sql`alter function accounting.admit_lines() owner to forecourt_owner`.execute(db);
  await sql`create trigger admit_lines after insert on accounting.line
    referencing new table as posted
    for each statement execute function accounting.admit_lines()`.execute(db);
}

/** Says which rule the lines broke. */
async function refuseLines(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.refuse_lines(p_fault text) returns void language plpgsql as $$
    begin
      case p_fault
        when 'late' then raise exception
          'Lines are added only by the transaction that makes their entry.'
          using errcode = 'restrict_violation';
        when 'incomplete' then raise exception
          'All lines of an entry come in one statement, numbered 1 to its line_count.'
          using errcode = 'FC001';
        when 'unbalanced' then raise exception 'Debits and credits differ.'
          using errcode = 'FC001';
        when 'currency' then raise exception 'An account does not hold this currency.'
          using errcode = 'FC005';
        when 'base' then raise exception
          'In the entity''s own currency amount and base amount are the same.'
          using errcode = 'FC005';
        when 'size' then raise exception 'An amount is beyond a safe integer.'
          using errcode = 'numeric_value_out_of_range';
        else raise exception 'A line is outside its entry''s legal entity: %.', p_fault
          using errcode = 'foreign_key_violation';
      end case;
    end $$`.execute(db);
  await sql`revoke all on function accounting.refuse_lines(text) from public`.execute(db);
  await sql`alter function accounting.refuse_lines(text) owner to forecourt_owner`.execute(db);
}

/** At commit: an entry has its lines, and a reversal undoes its original line by line. */
async function completeEntries(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.complete_entry() returns trigger language plpgsql
    set enable_seqscan = off as $$
    begin
      perform from accounting.line l where l.entry_id = new.id limit 1;
      if not found then
        raise exception 'An entry without lines is none.' using errcode = 'FC001';
      end if;
      if new.reverses is null then return null; end if;
      if exists (
        select from (
          select l.account_id, l.currency, l.amount, l.base_amount
            from accounting.line l where l.entry_id = new.id
          union all
          select l.account_id, l.currency, l.amount, l.base_amount
            from accounting.line l where l.entry_id = new.reverses
        ) both_entries
        group by account_id, currency having sum(amount) <> 0 or sum(base_amount) <> 0
      ) then
        raise exception 'A reversal undoes exactly what it reverses.' using errcode = 'FC001';
      end if;
      return null;
    end $$`.execute(db);
  await sql`create constraint trigger complete_entry after insert on accounting.entry
    deferrable initially deferred
    for each row execute function accounting.complete_entry()`.execute(db);
}
