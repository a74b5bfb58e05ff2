// Reads of agents: who they are, whose rental it is, and what a month's statement says.
import { sql } from 'kysely';
import type { PayoutMethod } from '../../domain/commission.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { AgentRow } from '../commands/agents.ts';
import type { RentalAgent } from '../commands/rental-agents.ts';
import { type Page, type PageRequest, pageById, paged } from './page.ts';

/** Agents are the company's: who may read them reads all. */
const READER = 'system:agents';

export type Terms = {
  /** A local date of the legal entity. */
  readonly validFrom: string;
  readonly rateBp: number;
  readonly kinds: readonly string[];
};
export type AgentWithTerms = { readonly row: AgentRow; readonly terms: readonly Terms[] };

export function listAgents(
  db: Db,
  { entityId, ...page }: PageRequest & { readonly entityId?: string | undefined },
): Promise<Page<AgentRow>> {
  return transact(db, 'api_read', READER, (tx) => {
    const all = tx.selectFrom('accounting.agent').selectAll();
    return pageById(entityId === undefined ? all : all.where('entity_id', '=', entityId), page);
  });
}

/** With all terms, the newest first. */
export function agentById(db: Db, id: string): Promise<AgentWithTerms | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const row = await tx
      .selectFrom('accounting.agent')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { rows } = await sql<Terms>`select valid_from as "validFrom", rate_bp as "rateBp", kinds
      from accounting.agent_terms where agent_id = ${id} order by valid_from desc`.execute(tx);
    return { row, terms: rows };
  });
}

/** Undefined where none was ever named, or the rental is out of scope. */
export function agentOfRental(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<RentalAgent | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<RentalAgent>`select rental_id as "rentalId",
        agent_id as "agentId", named_at as "namedAt", version
      from rentals.rental_agent where rental_id = ${rentalId}`.execute(tx);
    return rows[0];
  });
}

/** Amounts in minor units; above zero where the agent is owed more, payments below. */
export type StatementItem = {
  readonly key: string;
  readonly kind: 'commission' | 'reversal' | PayoutMethod;
  readonly postingDate: string;
  readonly rentalId: string | null;
  readonly rentalNumber: string | null;
  /** Of the invoice or credit note that carries it. */
  readonly documentNumber: string | null;
  readonly rateBp: number | null;
  readonly baseMinor: number | null;
  readonly amountMinor: number;
};

export type Statement = {
  readonly agentId: string;
  readonly entityId: string;
  readonly currency: string;
  readonly month: string;
  readonly openingMinor: number;
  readonly commissionMinor: number;
  readonly reversalMinor: number;
  readonly paidMinor: number;
  readonly nettedMinor: number;
  readonly closingMinor: number;
  readonly items: Page<StatementItem>;
};

type Totals = Omit<Statement, 'items' | 'month' | 'openingMinor' | 'closingMinor'> & {
  readonly openingMinor: number;
};

/** Undefined for an unknown agent. The totals are of the whole month, the items a page of it. */
export function statementOf(
  db: Db,
  agentId: string,
  month: string,
  page: PageRequest,
): Promise<Statement | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const totals = await totalsOf(tx, agentId, month);
    if (totals === undefined) return undefined;
    const { openingMinor, commissionMinor, reversalMinor, paidMinor, nettedMinor } = totals;
    const closingMinor = openingMinor + commissionMinor + reversalMinor + paidMinor + nettedMinor;
    return { ...totals, month, closingMinor, items: await itemsOf(tx, agentId, month, page) };
  });
}

/** Everything of an agent that was posted in a month; the same rows for the totals and the items. */
const ROWS = (agentId: string, month: string) => sql`
  select to_char(c.posting_date, 'YYYY-MM-DD') || '/' || c.rental_id || '/'
      || lpad(c.seq::text, 5, '0') as key,
    case when c.amount_minor < 0 or c.base_minor < 0 then 'reversal' else 'commission' end as kind,
    c.posting_date, c.rental_id, c.document_id, c.rate_bp, c.base_minor, c.amount_minor
  from accounting.commission c where c.agent_id = ${agentId}
    and c.posting_date >= ${`${month}-01`}::date
    and c.posting_date < ${`${month}-01`}::date + interval '1 month'
  union all
  select to_char(p.posting_date, 'YYYY-MM-DD') || '/' || p.id, p.method, p.posting_date, null,
    p.invoice_id, null, null, -p.amount_minor
  from accounting.agent_payout p where p.agent_id = ${agentId}
    and p.posting_date >= ${`${month}-01`}::date
    and p.posting_date < ${`${month}-01`}::date + interval '1 month'`;

async function totalsOf(tx: Tx, agentId: string, month: string): Promise<Totals | undefined> {
  const sum = (kind: StatementItem['kind']) =>
    sql`coalesce(sum(amount_minor) filter (where kind = ${kind}), 0)::bigint`;
  const { rows } = await sql<Totals>`select a.id as "agentId", a.entity_id as "entityId",
      e.functional_currency as currency,
      accounting.agent_balance(a.id, ${`${month}-01`}::date - 1) as "openingMinor",
      s."commissionMinor", s."reversalMinor", s."paidMinor", s."nettedMinor"
    from accounting.agent a join accounting.legal_entity e on e.id = a.entity_id,
      (select ${sum('commission')} as "commissionMinor", ${sum('reversal')} as "reversalMinor",
        ${sum('bank-transfer')} as "paidMinor", ${sum('netting')} as "nettedMinor"
      from (${ROWS(agentId, month)}) r) s
    where a.id = ${agentId}`.execute(tx);
  return rows[0];
}

/** In order of posting. */
async function itemsOf(
  tx: Tx,
  agentId: string,
  month: string,
  { after, limit }: PageRequest,
): Promise<Page<StatementItem>> {
  const { rows } = await sql<StatementItem>`select r.key, r.kind,
      r.posting_date as "postingDate", r.rental_id as "rentalId", t.number as "rentalNumber",
      i.number as "documentNumber", r.rate_bp as "rateBp", r.base_minor as "baseMinor",
      r.amount_minor as "amountMinor"
    from (${ROWS(agentId, month)}) r
      left join rentals.rental t on t.id = r.rental_id
      left join accounting.invoice i on i.id = r.document_id
    where r.key > ${after ?? ''}
    order by r.key limit ${limit + 1}`.execute(tx);
  return paged(rows, limit);
}
