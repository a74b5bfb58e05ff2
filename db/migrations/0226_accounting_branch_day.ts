// A branch's business days: closed in order, and from then on no shift, tender or bag is of that day.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { branchRows } from './support/policies.ts';

const LOCK = 'accounting.lock_branch_days(text)';
const LAST = 'accounting.last_closed_day(text)';
const DAY = 'accounting.business_day(text, uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`grant usage on schema vehicles to accounting_rw`.execute(db);
  await publishedTo(db, 'accounting_rw', ['vehicles.zone_of(text)']);
  await createDay(db);
  await createFunctions(db);
  await guardDay(db);
  await guardShift(db);
  await dateRows(db);
  await ownedBy(db, 'accounting_rw', [LOCK, LAST, DAY]);
  await publishedTo(db, 'rentals_rw', [DAY]);
  await publishedTo(db, 'api_read', [LAST]);
}

/** `state` is open again after a reopening; `figures` are those of the last close. */
async function createDay(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.branch_day (
      id uuid primary key,
      entity_id text not null references accounting.legal_entity,
      branch_id text not null,
      day date not null,
      state text not null check (state in ('closed', 'open')),
      figures jsonb not null,
      -- Which command made it what it is, for those that are sent again.
      command_id uuid not null,
      reason text check (reason <> ''),
      closed_by text not null default current_setting('app.principal'),
      closed_at timestamptz not null default now(),
      reopened_by text,
      reopened_at timestamptz,
      version int not null default 1,
      unique (branch_id, day),
      constraint branch_day_reopened check (state = 'closed'
        or num_nulls(reopened_by, reopened_at, reason) = 0)
    )`.execute(db);
  await branchRows(db, 'accounting', 'branch_day', 'accounting_rw');
  await sql`grant update (state, figures, command_id, reason, closed_by, closed_at, reopened_by,
    reopened_at, version) on accounting.branch_day to accounting_rw`.execute(db);
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.lock_branch_days(p_branch text) returns void
    language plpgsql set search_path = accounting, pg_temp as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('branch day ' || p_branch, 0));
    end $$`.execute(db);
  await sql`
    create function accounting.last_closed_day(p_branch text) returns date
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select max(day) from branch_day where branch_id = p_branch and state = 'closed'
    $$`.execute(db);
  // Of the shift that takes it, which has to be of an open day; else the branch's first open day from
  // today on: what comes after the close is of the next day. The branch's days wait for the caller.
  await sql`
    create function accounting.business_day(p_branch text, p_shift uuid) returns date
    language plpgsql volatile security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_branch text := p_branch;
      v_day date;
      v_closed date;
    begin
      if p_shift is not null then
        select branch_id, day into v_branch, v_day from drawer_shift where id = p_shift;
      end if;
      perform pg_advisory_xact_lock_shared(hashtextextended('branch day ' || v_branch, 0));
      select max(day) into v_closed from branch_day
        where branch_id = v_branch and state = 'closed';
      if v_day <= v_closed then
        raise exception 'The day % of % is closed.', v_day, v_branch
          using errcode = 'check_violation', constraint = 'branch_day_closed';
      end if;
      return coalesce(v_day, greatest((now() at time zone
        coalesce(vehicles.zone_of(v_branch), 'UTC'))::date, v_closed + 1));
    end $$`.execute(db);
}

/** Not before it begins, in order, and with nothing of it under way; only the last is reopened. */
async function guardDay(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.guard_branch_day() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set app.scope = '*'
    set enable_seqscan = off as $$
    declare
      v_last date;
    begin
      perform lock_branch_days(new.branch_id);
      select max(day) into v_last from branch_day
        where branch_id = new.branch_id and state = 'closed';
      if tg_op = 'UPDATE' and (new.version <> old.version + 1 or new.state = old.state
          or (new.state = 'open' and old.day <> v_last)
          or (new.id, new.entity_id, new.branch_id, new.day)
            is distinct from (old.id, old.entity_id, old.branch_id, old.day)) then
        raise exception 'The day % of % cannot become % so.', old.day, old.branch_id, new.state
          using errcode = 'check_violation', constraint = 'branch_day_transition';
      end if;
      if new.state = 'open' then return new; end if;
      if new.day > (now() at time zone
          coalesce(vehicles.zone_of(new.branch_id), 'UTC'))::date then
        raise exception 'The day % has not begun.', new.day
          using errcode = 'check_violation', constraint = 'branch_day_begun';
      end if;
      if new.day <> v_last + 1 then
        raise exception 'Days are closed in order.'
          using errcode = 'check_violation', constraint = 'branch_day_in_order';
      end if;
      if exists (select from drawer_shift where branch_id = new.branch_id and day <= new.day
          and state <> 'verified') then
        raise exception 'A shift of this day is not verified.'
          using errcode = 'check_violation', constraint = 'branch_day_shifts_verified';
      end if;
      if exists (select from drawer_shift s where s.branch_id = new.branch_id and s.day = new.day
          and exists (select terminal_batch from payment
              where shift_id = s.id and tender = 'card'
            union select batch from rentals.card_slips(s.id)
            except select batch from terminal_count where shift_id = s.id)) then
        raise exception 'Slips of a terminal are not counted.'
          using errcode = 'check_violation', constraint = 'branch_day_slips_counted';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function accounting.guard_branch_day() owner to accounting_rw`.execute(db);
  await sql`create trigger branch_day_transition before insert or update on accounting.branch_day
    for each row execute function accounting.guard_branch_day()`.execute(db);
  await sql`create trigger refuse_delete before delete on accounting.branch_day
    for each row execute function accounting.refuse_change()`.execute(db);
}

async function guardShift(db: Kysely<unknown>): Promise<void> {
  await sql`create index drawer_shift_unverified on accounting.drawer_shift (branch_id, day)
    where state <> 'verified'`.execute(db);
  await sql`create index invoice_of_branch on accounting.invoice (branch_id, issue_date)`.execute(
    db,
  );
  await sql`create index drawer_shift_of_day on accounting.drawer_shift (branch_id, day)`.execute(
    db,
  );
  await sql`
    create function accounting.refuse_closed_day() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set app.scope = '*'
    set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock_shared(hashtextextended('branch day ' || new.branch_id, 0));
      if exists (select from branch_day where branch_id = new.branch_id and state = 'closed'
          and day >= new.day) then
        raise exception 'The day % of % is closed.', new.day, new.branch_id
          using errcode = 'check_violation', constraint = 'branch_day_closed';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function accounting.refuse_closed_day() owner to accounting_rw`.execute(db);
  await sql`create trigger branch_day_closed before insert on accounting.drawer_shift
    for each row execute function accounting.refuse_closed_day()`.execute(db);
}

type Dated = {
  readonly table: string;
  /** Of the row, in SQL. */
  readonly branch: string;
  readonly shift: string;
  readonly at: string;
};

const DATED: readonly Dated[] = [
  { table: 'payment', branch: 'new.branch_id', shift: 'new.shift_id', at: 'received_at' },
  {
    table: 'payment_refund',
    branch: '(select p.branch_id from accounting.payment p where p.id = new.payment_id)',
    ...{ shift: 'new.shift_id', at: 'refunded_at' },
  },
  { table: 'cash_in_transit', branch: 'new.branch_id', shift: 'null', at: 'sent_at' },
];

/** Each row gets its day when it is written, and no other one. What was there has that of its time. */
async function dateRows(db: Kysely<unknown>): Promise<void> {
  for (const { table, branch, shift, at } of DATED) {
    const [of, name] = [sql.id('accounting', table), sql.id(`date_${table}`)];
    await sql`alter table ${of} add column day date`.execute(db);
    await sql`alter table ${of} disable trigger user`.execute(db);
    await sql`update ${of} set day = ${sql.id(at)}::date`.execute(db);
    await sql`alter table ${of} enable trigger user`.execute(db);
    await sql`alter table ${of} alter column day set not null`.execute(db);
    await sql`create index ${sql.id(`${table}_of_day`)} on ${of} (day)`.execute(db);
    await sql`
      create function accounting.${name}() returns trigger language plpgsql
      security definer set search_path = accounting, pg_temp set app.scope = '*' as $$
      begin
        new.day := business_day(${sql.raw(branch)}, ${sql.raw(shift)});
        return new;
      end $$`.execute(db);
    await sql`alter function accounting.${name}() owner to accounting_rw`.execute(db);
    await sql`create trigger ${name} before insert on ${of}
      for each row execute function accounting.${name}()`.execute(db);
  }
}
