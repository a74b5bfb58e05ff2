// What agents are paid of their commissions: by bank transfer, or netted with what they owe.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const BALANCE = 'accounting.agent_balance(uuid, date)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPayout(db);
  await createBalance(db);
  await guardPayout(db);
  await ownedBy(db, 'accounting_rw', [BALANCE]);
  await publishedTo(db, 'api_read', [BALANCE]);
}

/** `month` is that of the statement that is paid. */
async function createPayout(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.agent_payout (
      id uuid primary key,
      agent_id uuid not null references accounting.agent,
      month text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
      method text not null check (method in ('bank-transfer', 'netting')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor > 0),
      -- Of the transfer: a code, so that it names nobody.
      reference text check (reference ~ '^[A-Z0-9/-]{1,35}$'),
      invoice_id uuid references accounting.open_item,
      approval_id uuid,
      entry_id uuid not null unique references accounting.entry,
      posting_date date not null,
      paid_by text not null default current_setting('app.principal'),
      paid_at timestamptz not null default now(),
      constraint agent_payout_names_its_transfer
        check ((method = 'bank-transfer') = (reference is not null)),
      constraint agent_payout_names_its_invoice
        check ((method = 'netting') = (invoice_id is not null))
    )`.execute(db);
  await sql`create index agent_payout_of_agent on accounting.agent_payout
    (agent_id, posting_date, id)`.execute(db);
  await sql`alter table accounting.agent_payout owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on accounting.agent_payout to accounting_rw`.execute(db);
  await sql`grant select on accounting.agent_payout to api_read`.execute(db);
}

/** Minor units owed to an agent at the end of a day; without one, of all that was ever posted. */
async function createBalance(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.agent_balance(p_agent uuid, p_until date) returns bigint
    language plpgsql volatile security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(amount_minor), 0) from commission
          where agent_id = p_agent and (p_until is null or posting_date <= p_until))
        - (select coalesce(sum(amount_minor), 0) from agent_payout
          where agent_id = p_agent and (p_until is null or posting_date <= p_until));
    end $$`.execute(db);
}

/**
 * Of two at once one waits, and nobody is paid more than is owed to him now, nor more than the statement
 * said less what was paid since. Set off are his own invoices, and only where that was agreed.
 */
async function guardPayout(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.admit_agent_payout() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    declare
      v_ends constant date := (new.month || '-01')::date + interval '1 month' - interval '1 day';
      v_agent agent;
    begin
      perform pg_advisory_xact_lock(hashtextextended('agent payable ' || new.agent_id, 0));
      select * into v_agent from agent where id = new.agent_id;
      if v_agent.netting_agreed is not true and new.method = 'netting' then
        raise exception 'Netting was not agreed with this agent.'
          using errcode = 'check_violation', constraint = 'agent_payout_netting_agreed';
      end if;
      if new.method = 'netting' and not exists (select from open_item o
          where o.invoice_id = new.invoice_id and o.customer_id = v_agent.customer_id
            and o.entity_id = v_agent.entity_id and o.currency = new.currency) then
        raise exception 'An agent is netted with what he owes himself, in the same books.'
          using errcode = 'check_violation', constraint = 'agent_payout_own_invoice';
      end if;
      if new.amount_minor > agent_balance(new.agent_id, null)
          or new.amount_minor > agent_balance(new.agent_id, v_ends)
            - (select coalesce(sum(amount_minor), 0) from agent_payout
              where agent_id = new.agent_id and posting_date > v_ends) then
        raise exception 'Less than that is owed to the agent.'
          using errcode = 'check_violation', constraint = 'agent_payout_within_balance';
      end if;
      return new;
    end $$`.execute(db);
  await sql`
    create function accounting.complete_agent_payout() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      if not exists (
          select from entry e join agent g on g.id = new.agent_id and g.entity_id = e.entity_id
            join line l on l.entry_id = e.id join account a on a.id = l.account_id
          where e.id = new.entry_id and e.posting_date = new.posting_date and a.code = '2140'
            and l.currency = new.currency
          having sum(l.amount) = new.amount_minor) then
        raise exception 'A payment to an agent is what its entry posted.'
          using errcode = 'check_violation', constraint = 'agent_payout_as_posted';
      end if;
      if new.method = 'netting' and not exists (select from application p
          where p.invoice_id = new.invoice_id and p.entry_id = new.entry_id
          having sum(p.amount_minor) = new.amount_minor) then
        raise exception 'What is netted settles its invoice.'
          using errcode = 'check_violation', constraint = 'agent_payout_settles';
      end if;
      return null;
    end $$`.execute(db);
  for (const name of ['admit_agent_payout', 'complete_agent_payout']) {
    await sql`alter function accounting.${sql.id(name)}() owner to accounting_rw`.execute(db);
  }
  await sql`create trigger admit_agent_payout before insert on accounting.agent_payout
    for each row execute function accounting.admit_agent_payout()`.execute(db);
  await sql`create constraint trigger complete_agent_payout after insert
    on accounting.agent_payout deferrable initially deferred for each row
    execute function accounting.complete_agent_payout()`.execute(db);
  await sql`create trigger refuse_change before update or delete on accounting.agent_payout
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`create trigger refuse_truncate before truncate on accounting.agent_payout
    for each statement execute function accounting.refuse_change()`.execute(db);
}
