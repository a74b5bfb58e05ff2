// When branches are open: weekly hours, exceptions by date, and what is offered outside of them.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const ARE_PERIODS = 'vehicles.are_opening_periods(jsonb)';
const HOURS_AT = 'vehicles.opening_hours_at(text, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPeriodRule(db);
  await sql`
    alter table vehicles.branch
      -- [{weekday 1-7 (ISO), opens, closes}] in local time; null: nothing declared, always open.
      add column opening_weekly jsonb
        constraint branch_opening_periods check (vehicles.are_opening_periods(opening_weekly)),
      add column key_drop boolean not null default false,
      -- Net, a handover; null: nobody hands out while the branch is closed.
      add column out_of_hours_fee_minor bigint check (out_of_hours_fee_minor >= 0),
      add column out_of_hours_currency text check (out_of_hours_currency ~ '^[A-Z]{3}$'),
      add constraint branch_out_of_hours_fee
        check ((out_of_hours_fee_minor is null) = (out_of_hours_currency is null))`.execute(db);
  await sql`
    create table vehicles.opening_exception (
      branch_id text not null references vehicles.branch,
      on_date date not null,
      -- None: closed all day. A period belongs to the date on which it begins.
      periods jsonb not null
        constraint opening_exception_periods check (vehicles.are_opening_periods(periods)),
      reason text not null check (reason <> ''),
      withdrawn boolean not null default false,
      created_at timestamptz not null default now(),
      primary key (branch_id, on_date)
    )`.execute(db);
  await sql`alter table vehicles.opening_exception owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.opening_exception to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.opening_exception to api_read`.execute(db);
  await createHoursAt(db);
  await ownedBy(db, 'vehicles_rw', [HOURS_AT]);
  await publishedTo(db, 'rentals_rw', [HOURS_AT]);
  await publishedTo(db, 'api_read', [HOURS_AT]);
}

/** As domain/opening-hours.ts has it: minutes of a day, closing over midnight or at 24:00. */
async function createPeriodRule(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.are_opening_periods(p_periods jsonb) returns boolean
    language sql immutable strict parallel safe as $$
      select case when jsonb_typeof(p_periods) <> 'array' then false else not exists (
        select from jsonb_array_elements(p_periods) p
        where coalesce(p->>'opens', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
          or coalesce(p->>'closes', '') !~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
          or p->>'opens' = p->>'closes'
          or coalesce(p->>'weekday', '1') !~ '^[1-7]$') end
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [ARE_PERIODS]);
}

/**
 * What is needed to judge a handover at `p_at`: the hours with the exceptions from two days before to
 * 62 days after. Null when nothing is declared, or the branch is unknown.
 */
async function createHoursAt(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.opening_hours_at(p_branch text, p_at timestamptz) returns jsonb
    language plpgsql stable security definer set search_path = vehicles, pg_temp as $$
    declare
      v_branch branch;
      v_exceptions jsonb;
      v_date date;
    begin
      select * into v_branch from branch where id = p_branch;
      v_date := (p_at at time zone v_branch.time_zone)::date;
      select jsonb_agg(jsonb_build_object('date', e.on_date, 'periods', e.periods,
          'reason', e.reason) order by e.on_date)
      into v_exceptions from opening_exception e
      where e.branch_id = p_branch and not e.withdrawn
        and e.on_date between v_date - 2 and v_date + 62;
      if v_branch.opening_weekly is null and v_exceptions is null then return null; end if;
      return jsonb_build_object('timeZone', v_branch.time_zone,
        'weekly', v_branch.opening_weekly, 'keyDrop', v_branch.key_drop,
        'outOfHours', case when v_branch.out_of_hours_fee_minor is not null then
          jsonb_build_object('feeMinor', v_branch.out_of_hours_fee_minor,
            'currency', v_branch.out_of_hours_currency) end,
        'exceptions', coalesce(v_exceptions, '[]'));
    end $$`.execute(db);
}
