// Paying agents out of a month's statement: by bank transfer, or against what they owe themselves.
import { sql } from 'kysely';
import { agentPayoutPostings, type PayoutMethod } from '../../domain/commission.ts';
import { DomainError, type DomainErrorCode } from '../../domain/errors.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { postCashEntry } from './cash-entries.ts';
import { takeFromLimit } from './limits.ts';

export type NewPayout = {
  readonly id: string;
  readonly agentId: string;
  /** Of the statement: `2027-05`. */
  readonly month: string;
  readonly method: PayoutMethod;
  readonly amountMinor: number;
  /** Of the transfer. */
  readonly reference: string | null;
  /** The agent's own, that is set off. */
  readonly invoiceId: string | null;
  readonly approvalId: string | null;
  /** What the person may pay alone (decisions.md 40). */
  readonly limitMinor: number;
};

export type Payout = Omit<NewPayout, 'limitMinor'> & {
  readonly currency: string;
  readonly entryId: string;
  readonly postingDate: string;
  readonly paidBy: string;
  readonly paidAt: string;
};

/**
 * A repeat answers the same payout. Throws `not-found`, `amount-too-high` for more than the statement
 * says less what was paid since, than is owed now, or than is open of the invoice; `value-refused` for
 * netting that was not agreed or another's invoice, `limit-exceeded`, `four-eyes`.
 */
export async function payAgent(db: Db, acting: Acting, asked: NewPayout): Promise<Payout> {
  try {
    return await transact(db, 'accounting_rw', acting, (tx) => pay(tx, acting, asked));
  } catch (error) {
    const { constraint } = error as { readonly constraint?: string };
    const [code, message] = REFUSALS[constraint ?? ''] ?? [];
    throw code === undefined || message === undefined ? error : new DomainError(code, message);
  }
}

async function pay(tx: Tx, acting: Acting, asked: NewPayout): Promise<Payout> {
  const { id, agentId, month, method, amountMinor, approvalId, invoiceId } = asked;
  const agent = await agentOf(tx, agentId);
  const known = await payoutById(tx, id);
  if (known !== undefined) return known;
  const item = invoiceId === null ? null : await openItem(tx, invoiceId);
  const staffId = rowAccess(acting).principal.replace(/^staff:/, '');
  await takeFromLimit(tx, {
    ...{ kind: 'refund', staffId, subjectId: agentId, branchId: null },
    ...{ amountMinor, approvalId, limitMinor: asked.limitMinor },
  });
  const { entityId, currency } = agent;
  const entryId = await postCashEntry(tx, {
    ...{ key: `agent-payout/${id}`, entityId, rentalId: item?.rentalId ?? null },
    source: 'commission.paid',
    postings: agentPayoutPostings({ currency, amountMinor, method }),
  });
  await sql`insert into accounting.agent_payout (id, agent_id, month, method, currency,
      amount_minor, reference, invoice_id, approval_id, entry_id, posting_date)
    select ${id}, ${agentId}, ${month}, ${method}, ${currency}, ${amountMinor},
      ${asked.reference}, ${invoiceId}, ${approvalId}, e.id, e.posting_date
    from accounting.entry e where e.id = ${entryId}`.execute(tx);
  if (invoiceId !== null) {
    await sql`select accounting.apply_to_invoice(${invoiceId}, ${entryId},
      ${amountMinor})`.execute(tx);
  }
  await publish(tx, {
    type: 'forecourt.agent.paid.v1',
    aggregateId: id,
    sequence: 1,
    data: {
      ...{ payoutId: id, agentId, entityId, month, method, amountMinor, currency },
      ...{ invoiceId, entryId },
    },
  });
  await recordAudit(tx, {
    ...{ action: 'agent.pay', subjectType: 'agent', subjectId: agentId, commandId: id },
    after: { month, method, amountMinor, invoiceId, approvalId },
  });
  return (await payoutById(tx, id)) as Payout;
}

/** Its rental's money is locked first, as whoever settles it at commit does. Throws `not-found`. */
async function openItem(
  tx: Tx,
  invoiceId: string,
): Promise<{ readonly rentalId: string | null; readonly locked: unknown }> {
  const { rows } = await sql<{ rentalId: string | null; locked: unknown }>`select
      rental_id as "rentalId", accounting.lock_money(rental_id)::text as locked
    from accounting.open_item where invoice_id = ${invoiceId}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such open invoice.', { of: 'invoice' });
}

async function payoutById(tx: Tx, id: string): Promise<Payout | undefined> {
  const { rows } = await sql<Payout>`select id, agent_id as "agentId", month, method, currency,
      amount_minor as "amountMinor", reference, invoice_id as "invoiceId",
      approval_id as "approvalId", entry_id as "entryId", posting_date as "postingDate",
      paid_by as "paidBy", paid_at as "paidAt"
    from accounting.agent_payout where id = ${id}`.execute(tx);
  return rows[0];
}

type AgentAccount = { readonly entityId: string; readonly currency: string };

/** Throws `not-found`. */
async function agentOf(tx: Tx, id: string): Promise<AgentAccount> {
  const { rows } = await sql<AgentAccount>`select a.entity_id as "entityId",
      e.functional_currency as currency
    from accounting.agent a join accounting.legal_entity e on e.id = a.entity_id
    where a.id = ${id}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such agent.');
}

/** What the database refuses by itself (migrations 0165 and 0212), by its guard. */
const REFUSALS: Readonly<Record<string, readonly [DomainErrorCode, string]>> = {
  agent_payout_within_balance: ['amount-too-high', 'Less than that is owed to the agent.'],
  agent_payout_netting_agreed: ['value-refused', 'Netting was not agreed with this agent.'],
  agent_payout_own_invoice: ['value-refused', 'Only the agent’s own invoices are set off.'],
  open_item_never_over_applied: ['amount-too-high', 'Less than that is open of the document.'],
};
