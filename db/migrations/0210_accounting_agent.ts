// Commissionable agents: who they are in an entity's books, and what they are promised from which day on.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const TERMS = 'accounting.commission_terms(uuid, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await addAccounts(db);
  await createAgent(db);
  await createTerms(db);
  await guardTerms(db);
  await createTermsNow(db);
  await ownedBy(db, 'accounting_rw', [TERMS]);
  await publishedTo(db, 'rentals_rw', [TERMS]);
}

/** Entities that were opened before have them too; a code that is taken stays what it is. */
async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, false from accounting.legal_entity e,
      (values ('2140', 'Commissions owed to agents', 'liability'),
        ('5500', 'Commissions of agents', 'expense')) a (code, name, type)
    on conflict do nothing`.execute(db);
}

/** Of one legal entity: an agent of two has an account with each. */
async function createAgent(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.agent (
      id uuid primary key,
      code text not null unique check (code ~ '^[A-Z0-9][A-Z0-9-]{1,15}$'),
      name text not null check (name ~ '\\S'),
      entity_id text not null references accounting.legal_entity,
      -- The partner whose bookings are the agent's, and the customer that it is where it buys itself.
      partner_id uuid,
      customer_id uuid,
      netting_agreed boolean not null default false,
      status text not null default 'active' check (status in ('active', 'ended')),
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint agent_nets_as_a_customer check (not netting_agreed or customer_id is not null),
      constraint agent_one_of_partner unique (entity_id, partner_id)
    )`.execute(db);
  await sql`alter table accounting.agent owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on accounting.agent to accounting_rw`.execute(db);
  await sql`grant update (name, partner_id, customer_id, netting_agreed, status, version)
    on accounting.agent to accounting_rw`.execute(db);
  await sql`grant select on accounting.agent to api_read`.execute(db);
}

/** Kinds are codes of lines, or their first part; the latest terms that began are in force. */
async function createTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.agent_terms (
      agent_id uuid not null references accounting.agent,
      valid_from date not null,
      rate_bp int not null check (rate_bp between 0 and 5000),
      kinds text[] not null check (cardinality(kinds) between 1 and 20),
      agreed_by text not null default current_setting('app.principal'),
      agreed_at timestamptz not null default now(),
      primary key (agent_id, valid_from)
    )`.execute(db);
  await sql`alter table accounting.agent_terms owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on accounting.agent_terms to accounting_rw`.execute(db);
  await sql`grant select on accounting.agent_terms to api_read`.execute(db);
}

/**
 * What was promised stays; nobody is promised anything for days that are over, nor in books that could
 * not take it: a return must not fail for that.
 */
async function guardTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.guard_agent_terms() returns trigger language plpgsql
    set search_path = accounting, pg_temp as $$
    begin
      if new.valid_from < (select (now() at time zone e.time_zone)::date
          from agent a join legal_entity e on e.id = a.entity_id where a.id = new.agent_id) then
        raise exception 'Terms begin today or later.'
          using errcode = 'check_violation', constraint = 'agent_terms_not_of_the_past';
      end if;
      if (select count(*) from account c join agent a on a.entity_id = c.entity_id
          where a.id = new.agent_id and c.code in ('2140', '5500')) <> 2 then
        raise exception 'These books have no accounts for commissions.'
          using errcode = 'check_violation', constraint = 'agent_terms_have_accounts';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger guard_agent_terms before insert on accounting.agent_terms
    for each row execute function accounting.guard_agent_terms()`.execute(db);
  await sql`create trigger refuse_change before update or delete on accounting.agent_terms
    for each row execute function accounting.refuse_change()`.execute(db);
  await sql`create trigger refuse_truncate before truncate on accounting.agent_terms
    for each statement execute function accounting.refuse_change()`.execute(db);
}

/**
 * Json {rateBp, kinds} that the agent is promised today by the entity's clock; null for an agent of
 * another entity, one that ended, or one without terms.
 */
async function createTermsNow(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.commission_terms(p_agent uuid, p_entity text) returns jsonb
    language sql stable security definer set search_path = accounting, pg_temp as $$
      select jsonb_build_object('rateBp', t.rate_bp, 'kinds', t.kinds)
      from agent a join legal_entity e on e.id = a.entity_id
        join agent_terms t on t.agent_id = a.id
      where a.id = p_agent and a.entity_id = p_entity and a.status = 'active'
        and t.valid_from <= (now() at time zone e.time_zone)::date
      order by t.valid_from desc limit 1
    $$`.execute(db);
}
