// Commissionable agents: registered, changed, and promised a commission from some day on.
import { type Selectable, sql } from 'kysely';
import type { CommissionTerms } from '../../domain/commission.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { AccountingAgent } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, named, updateVersion } from './master-data.ts';

export type AgentRow = Selectable<AccountingAgent>;

/** From `validFrom` on, a day of the legal entity; left out, from today. */
export type AgreedTerms = CommissionTerms & { readonly validFrom?: string | undefined };

export type NewAgent = {
  readonly id: string;
  /** Unique: `A-Z 0-9 -`, 2 to 16 of them. */
  readonly code: string;
  readonly name: string;
  /** In whose books the commissions are owed. */
  readonly entityId: string;
  readonly partnerId?: string | null | undefined;
  readonly customerId?: string | null | undefined;
  readonly nettingAgreed?: boolean | undefined;
  readonly terms: AgreedTerms;
};

export type AgentChange = Pick<NewAgent, 'partnerId' | 'customerId' | 'nettingAgreed'> & {
  readonly name?: string | undefined;
  readonly status?: 'active' | 'ended' | undefined;
};

/**
 * A repeat answers the agent that is there; its name may be a person's and stays out of the log. Throws
 * `duplicate` for a code or a partner that is taken,
 * `not-found` for an unknown legal entity, `value-refused` for netting without a customer, and for
 * terms of the past.
 */
export function registerAgent(db: Db, acting: Acting, agent: NewAgent): Promise<AgentRow> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const { id, code, name, entityId, terms } = agent;
    const columns = { ...columnsOf(agent), id, code, entity_id: entityId };
    const named = { ...columns, name };
    const { row, created } = await insertOnce<AgentRow>(tx, 'accounting.agent', named);
    if (!created) return row;
    await insertTerms(tx, row, terms);
    await tell(tx, 'registered', row, { ...columns, terms });
    return row;
  });
}

/** An agent that ended earns on no new rental. Throws `not-found`, `version-conflict`. */
export function changeAgent(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: AgentChange,
): Promise<AgentRow> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const { name, status } = change;
    const columns = { ...columnsOf(change), status };
    const named = { ...columns, name };
    const row = await updateVersion<AgentRow>(tx, 'accounting.agent', id, version, named);
    await tell(tx, 'changed', row, { ...columns, isRenamed: name !== undefined });
    return row;
  });
}

/**
 * For rentals that are booked from that day on; a repeat changes nothing. Throws `not-found`,
 * `duplicate` for a day that has other terms, `value-refused` for one that is over.
 */
export function agreeTerms(
  db: Db,
  acting: Acting,
  id: string,
  terms: AgreedTerms,
): Promise<AgentRow> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const agent = await lockedAgent(tx, id);
    if (!(await insertTerms(tx, agent, terms))) return agent;
    const { version } = agent;
    const row = await updateVersion<AgentRow>(tx, 'accounting.agent', id, version, {});
    await tell(tx, 'changed', row, { terms });
    return row;
  });
}

function columnsOf({ partnerId, customerId, nettingAgreed }: AgentChange) {
  return { partner_id: partnerId, customer_id: customerId, netting_agreed: nettingAgreed };
}

/** False for terms that are there already. */
async function insertTerms(
  tx: Tx,
  { id, entity_id: entityId }: AgentRow,
  { rateBp, kinds, validFrom }: AgreedTerms,
): Promise<boolean> {
  const given = sql.val([...kinds]);
  const { rows } = await named(() =>
    sql<{ created: boolean; same: boolean }>`with asked as (
        select coalesce(${validFrom ?? null}::date, (now() at time zone e.time_zone)::date) as day
        from accounting.legal_entity e where e.id = ${entityId}
      ), made as (
        insert into accounting.agent_terms (agent_id, valid_from, rate_bp, kinds)
        select ${id}, day, ${rateBp}, ${given} from asked
        on conflict do nothing returning valid_from
      )
      select exists (select from made) as created, exists (select from accounting.agent_terms t
        where t.agent_id = ${id} and t.valid_from = (select day from asked)
          and t.rate_bp = ${rateBp} and t.kinds = ${given}) as same`.execute(tx),
  );
  const { created = false, same = false } = rows[0] ?? {};
  if (created || same) return created;
  throw new DomainError('duplicate', 'Other terms were agreed for that day: name a later one.');
}

async function tell(
  tx: Tx,
  fact: 'registered' | 'changed',
  { id: agentId, entity_id: entityId, status, version }: AgentRow,
  after: object,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.agent.${fact}.v1`,
    aggregateId: agentId,
    sequence: version,
    data: { agentId, entityId, status },
  });
  const action = fact === 'registered' ? 'agent.register' : 'agent.change';
  await recordAudit(tx, { action, subjectType: 'agent', subjectId: agentId, after });
}

/** Others who change it wait. Throws `not-found`. */
async function lockedAgent(tx: Tx, id: string): Promise<AgentRow> {
  const { rows } = await sql<AgentRow>`select * from accounting.agent where id = ${id}
    for no key update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such agent.', { of: 'agent' });
}
