// Cash drawers: shifts, every move of cash within one, the branch's safe, and the entity's terms.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { branchRows } from './support/policies.ts';

const MOVE = 'accounting.move_cash(uuid, text, bigint, uuid)';
const OPEN = 'accounting.open_shifts(text, date)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await addAccounts(db);
  await createTerms(db);
  await createShift(db);
  await guardShift(db);
  await createSafe(db);
  await createMovement(db);
  await createFunctions(db);
  await ownedBy(db, 'accounting_rw', [MOVE, OPEN]);
  await publishedTo(db, 'rentals_rw', [MOVE, OPEN]);
  await publishedTo(db, 'api_read', [OPEN]);
}

/** Entities that were opened before have them too; a code that is taken stays what it is. */
async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, a.live from accounting.legal_entity e,
      (values ('1000', 'Cash in drawers', 'asset', false),
        ('1005', 'Cash in safes', 'asset', false),
        ('1006', 'Cash in transit', 'asset', true),
        ('2160', 'Customers’ money on account', 'liability', false),
        ('5420', 'Cash over and short', 'expense', true),
        ('5430', 'Cash rounding', 'expense', true)) a (code, name, type, live)
    on conflict do nothing`.execute(db);
}

/** Settings, in the entity's currency; the columns' defaults are the demo company's. */
async function createTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.cash_terms (
      entity_id text primary key references accounting.legal_entity,
      cash_limit_minor bigint not null default 1000000 check (cash_limit_minor > 0),
      rounding_minor int not null default 5 check (rounding_minor between 1 and 100),
      cash_refund_minor bigint not null default 10000 check (cash_refund_minor >= 0),
      reason_above_minor bigint not null default 500 check (reason_above_minor >= 0),
      manager_above_minor bigint not null default 5000
        check (manager_above_minor >= reason_above_minor),
      version int not null default 1,
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table accounting.cash_terms owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on accounting.cash_terms to accounting_rw`.execute(db);
  await sql`grant select on accounting.cash_terms to api_read`.execute(db);
  await sql`insert into accounting.cash_terms (entity_id)
    select id from accounting.legal_entity`.execute(db);
  await sql`
    create function accounting.default_cash_terms() returns trigger language plpgsql as $$
    begin
      insert into accounting.cash_terms (entity_id) values (new.id);
      return null;
    end $$`.execute(db);
  await sql`create trigger default_cash_terms after insert on accounting.legal_entity
    for each row execute function accounting.default_cash_terms()`.execute(db);
}

/** One open shift a drawer. Everybody is named, and nobody verifies what they counted themselves. */
async function createShift(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.drawer_shift (
      id uuid primary key,
      entity_id text not null references accounting.legal_entity,
      branch_id text not null,
      drawer text not null check (drawer ~ '^[A-Z0-9-]{1,16}$'),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      day date not null,
      state text not null default 'open' check (state in ('open', 'counting', 'closed', 'verified')),
      float_minor bigint not null check (float_minor >= 0),
      opened_by text not null default current_setting('app.principal'),
      opened_at timestamptz not null default now(),
      denominations jsonb,
      counted_minor bigint check (counted_minor >= 0),
      expected_minor bigint,
      difference_minor bigint generated always as (counted_minor - expected_minor) stored,
      counted_by text,
      counted_at timestamptz,
      reason text check (reason <> ''),
      manager text,
      closed_by text,
      closed_at timestamptz,
      verified_by text,
      verified_at timestamptz,
      version int not null default 1,
      constraint drawer_shift_counted check (num_nulls(denominations, counted_minor,
        expected_minor, counted_by, counted_at) in (0, 5)),
      constraint drawer_shift_closed check (num_nulls(closed_by, closed_at)
        = case when state in ('closed', 'verified') then 0 else 2 end
        and (closed_by is null or counted_by is not null)),
      constraint drawer_shift_verified check (num_nulls(verified_by, verified_at)
        = case state when 'verified' then 0 else 2 end),
      constraint drawer_shift_four_eyes check (verified_by <> counted_by),
      constraint drawer_shift_manager_is_another check (manager <> counted_by)
    )`.execute(db);
  await sql`create unique index drawer_shift_one_open on accounting.drawer_shift
    (branch_id, drawer) where state in ('open', 'counting')`.execute(db);
  await sql`create index drawer_shift_of_branch on accounting.drawer_shift (branch_id, id)`.execute(
    db,
  );
  await branchRows(db, 'accounting', 'drawer_shift', 'accounting_rw');
  await sql`grant update on accounting.drawer_shift to accounting_rw`.execute(db);
}

/** Forward only, counted once; a difference above the entity's terms has a reason, or a manager. */
async function guardShift(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.guard_shift() returns trigger language plpgsql
    set search_path = accounting, pg_temp as $$
    declare
      v_terms cash_terms;
    begin
      if new.version <> old.version + 1 or (old.state, new.state) not in (('open', 'counting'),
            ('counting', 'counting'), ('counting', 'closed'), ('closed', 'verified'))
          or (new.id, new.entity_id, new.branch_id, new.drawer, new.currency, new.day,
              new.float_minor, new.opened_by, new.opened_at)
            is distinct from (old.id, old.entity_id, old.branch_id, old.drawer, old.currency,
              old.day, old.float_minor, old.opened_by, old.opened_at)
          or (old.counted_by is not null and (new.denominations, new.counted_minor,
              new.expected_minor, new.counted_by, new.counted_at)
            is distinct from (old.denominations, old.counted_minor, old.expected_minor,
              old.counted_by, old.counted_at))
          or (old.closed_by is not null and (new.reason, new.manager, new.closed_by, new.closed_at)
            is distinct from (old.reason, old.manager, old.closed_by, old.closed_at)) then
        raise exception 'Shift % cannot go from % to % so.', old.id, old.state, new.state
          using errcode = 'check_violation', constraint = 'drawer_shift_transition';
      end if;
      if new.state = 'closed' then
        select * into v_terms from cash_terms where entity_id = new.entity_id;
        if abs(new.counted_minor - new.expected_minor) > v_terms.reason_above_minor
            and new.reason is null then
          raise exception 'A difference above % has a reason.', v_terms.reason_above_minor
            using errcode = 'check_violation', constraint = 'drawer_shift_reason';
        end if;
        if abs(new.counted_minor - new.expected_minor) > v_terms.manager_above_minor
            and new.manager is null then
          raise exception 'A difference above % takes a manager.', v_terms.manager_above_minor
            using errcode = 'check_violation', constraint = 'drawer_shift_manager';
        end if;
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger drawer_shift_transition before update on accounting.drawer_shift
    for each row execute function accounting.guard_shift()`.execute(db);
}

async function createSafe(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.branch_safe (
      branch_id text primary key,
      entity_id text not null references accounting.legal_entity,
      amount_minor bigint not null,
      constraint branch_safe_never_below_zero check (amount_minor >= 0)
    )`.execute(db);
  await branchRows(db, 'accounting', 'branch_safe', 'accounting_rw');
  await sql`grant update (amount_minor) on accounting.branch_safe to accounting_rw`.execute(db);
}

/** Above zero: into the drawer. Its entry moves the same on 1000, and no drawer pays what it lacks. */
async function createMovement(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.cash_movement (
      id uuid primary key default uuidv7(),
      shift_id uuid not null references accounting.drawer_shift,
      kind text not null check (kind in ('float', 'payment', 'prepayment', 'deposit', 'refund',
        'drop', 'difference', 'handed-in')),
      amount_minor bigint not null check (amount_minor <> 0),
      entry_id uuid not null unique references accounting.entry,
      moved_by text not null default current_setting('app.principal'),
      moved_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index cash_movement_of_shift on accounting.cash_movement (shift_id, id)`.execute(
    db,
  );
  const inScope = sql`exists (select from accounting.drawer_shift s where s.id = shift_id)`;
  await branchRows(db, 'accounting', 'cash_movement', 'accounting_rw', inScope);
  await sql`create trigger refuse_change before update or delete on accounting.cash_movement
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`
    create function accounting.admit_cash() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp set enable_seqscan = off as $$
    declare
      v_shift drawer_shift;
    begin
      select * into v_shift from drawer_shift where id = new.shift_id for no key update;
      if v_shift.state is distinct from
          (case when new.kind in ('difference', 'handed-in') then 'counting' else 'open' end) then
        raise exception 'Cash moves in an open shift alone.'
          using errcode = 'check_violation', constraint = 'cash_in_open_shift';
      end if;
      perform from entry e join line l on l.entry_id = e.id join account a on a.id = l.account_id
        where e.id = new.entry_id and e.entity_id = v_shift.entity_id and a.code = '1000'
        having sum(l.amount) = new.amount_minor;
      if not found then
        raise exception 'Cash moves as its entry says.'
          using errcode = 'check_violation', constraint = 'cash_as_posted';
      end if;
      if new.amount_minor < 0 and new.kind <> 'difference' and new.amount_minor
          + (select coalesce(sum(amount_minor), 0) from cash_movement
            where shift_id = new.shift_id) < 0 then
        raise exception 'There is less in the drawer.'
          using errcode = 'check_violation', constraint = 'cash_there_is';
      end if;
      if new.kind in ('float', 'drop', 'handed-in') then
        insert into branch_safe as s (branch_id, entity_id, amount_minor)
          values (v_shift.branch_id, v_shift.entity_id, 0) on conflict do nothing;
        update branch_safe set amount_minor = amount_minor - new.amount_minor
          where branch_id = v_shift.branch_id;
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function accounting.admit_cash() owner to accounting_rw`.execute(db);
  await sql`create trigger cash_in_open_shift before insert on accounting.cash_movement
    for each row execute function accounting.admit_cash()`.execute(db);
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  // For whoever posted an entry over 1000; above zero is into the drawer.
  await sql`
    create function accounting.move_cash(p_shift uuid, p_kind text, p_amount bigint, p_entry uuid)
    returns void language sql security definer set search_path = accounting, pg_temp as $$
      insert into cash_movement (shift_id, kind, amount_minor, entry_id)
        values (p_shift, p_kind, p_amount, p_entry)
    $$`.execute(db);
  // What keeps a branch from closing its day.
  await sql`
    create function accounting.open_shifts(p_branch text, p_day date)
    returns table (shift_id uuid, drawer text, state text)
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select id, drawer, state from drawer_shift
      where branch_id = p_branch and day <= p_day and state in ('open', 'counting')
    $$`.execute(db);
}
