// Approvals: what one person asks for and another decides; and what was used of a person's limits.
import { type Selectable, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import {
  APPROVAL_HOURS,
  type Approval,
  type ApprovalKind,
  type Approver,
  checkDecision,
  checkRequest,
  mayDecideAlone,
} from '../../domain/approval.ts';
import { DomainError } from '../../domain/errors.ts';
import type { LimitKind, Limits } from '../../domain/people.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { PeopleApproval } from '../schema.ts';
import { reasonIn, recordAudit } from './audit.ts';

type ApprovalRow = Selectable<PeopleApproval>;

export type NewApproval = {
  readonly id: string;
  readonly kind: ApprovalKind;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly branchId: string | null;
  readonly amount: number;
  readonly reason: string;
  /** Whom it would be paid to, as a principal. */
  readonly payee: string | null;
};

/** A repeat with the same id answers what was asked for. Throws `four-eyes` for one's own payee. */
export function requestApproval(
  db: Db,
  principal: string,
  asked: NewApproval,
  now: string,
): Promise<ApprovalRow> {
  checkRequest({ requestedBy: principal, payee: asked.payee });
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<ApprovalRow>`insert into people.approval
        (id, kind, subject_type, subject_id, branch_id, amount, reason, requested_by, payee,
          requested_at, expires_at)
      values (${asked.id}, ${asked.kind}, ${asked.subjectType}, ${asked.subjectId},
        ${asked.branchId}, ${asked.amount}, ${asked.reason}, ${principal}, ${asked.payee},
        ${now}, ${now}::timestamptz + make_interval(hours => ${APPROVAL_HOURS}))
      on conflict (id) do nothing returning *`.execute(tx);
    const row = rows[0];
    if (row === undefined) return locked(tx, asked.id);
    await record(tx, 'request', row);
    return row;
  });
}

/** Approves or refuses. Throws what `checkDecision` throws, and `not-found`. */
export function decideApproval(
  db: Db,
  approver: Approver,
  id: string,
  decision: 'approved' | 'refused',
  now: string,
): Promise<ApprovalRow> {
  return transact(db, 'people_rw', approver.principal, async (tx) => {
    checkDecision(approvalOf(await locked(tx, id)), approver, now);
    const { rows } = await sql<ApprovalRow>`update people.approval
      set status = ${decision}, decided_by = ${approver.principal}, decided_at = ${now},
        version = version + 1
      where id = ${id} and status = 'open' returning *`.execute(tx);
    const row = rows[0] as ApprovalRow;
    await record(tx, decision === 'approved' ? 'approve' : 'refuse', row);
    return row;
  });
}

export type LimitUse = {
  readonly staffId: string;
  readonly kind: LimitKind;
  readonly subjectId: string;
  /** The local day that it counts for, YYYY-MM-DD. */
  readonly day: string;
  readonly amount: number;
  readonly limits: Limits;
};

/**
 * Notes that a person decided this alone, in the transaction of its effect. Uses of one person come
 * one after the other, so that none slips past the limit. Throws `limit-exceeded`: ask for approval.
 */
export async function takeFromLimit(tx: Tx, use: LimitUse): Promise<void> {
  const { staffId, kind, subjectId, day, amount, limits } = use;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`limit ${staffId} ${kind}`}, 0))`.execute(
    tx,
  );
  const { rows } = await sql<{ subject: number; today: number }>`select
    coalesce(sum(amount) filter (where subject_id = ${subjectId}), 0)::bigint as subject,
    coalesce(sum(amount) filter (where day = ${day}), 0)::bigint as today
    from people.limit_use where staff_id = ${staffId} and kind = ${kind}
      and (day = ${day} or subject_id = ${subjectId})`.execute(tx);
  const used = rows[0] ?? { subject: 0, today: 0 };
  if (!mayDecideAlone(kind, amount, limits, used)) {
    throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
      kind,
      limit: limits[kind],
      used: kind === 'discount-bp' ? used.subject : Math.max(used.subject, used.today),
    });
  }
  await sql`insert into people.limit_use (id, staff_id, kind, subject_id, day, amount)
    values (${uuidv7()}, ${staffId}, ${kind}, ${subjectId}, ${day}, ${amount})`.execute(tx);
}

async function locked(tx: Tx, id: string): Promise<ApprovalRow> {
  const { rows } = await sql<ApprovalRow>`select * from people.approval where id = ${id}
    for update`.execute(tx);
  if (rows[0] === undefined) throw new DomainError('not-found', 'There is no such approval.');
  return rows[0];
}

/** The columns hold what their constraints allow. */
function approvalOf(row: ApprovalRow): Approval {
  return {
    kind: row.kind as ApprovalKind,
    amount: row.amount,
    branchId: row.branch_id,
    requestedBy: row.requested_by,
    payee: row.payee,
    expiresAt: row.expires_at,
    status: row.status as Approval['status'],
  };
}

async function record(
  tx: Tx,
  verb: 'request' | 'approve' | 'refuse',
  row: ApprovalRow,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.approval.${verb === 'request' ? 'requested' : 'decided'}.v1`,
    aggregateId: row.id,
    sequence: row.version,
    data: {
      approvalId: row.id,
      kind: row.kind,
      subjectType: row.subject_type,
      subjectId: row.subject_id,
      amount: row.amount,
      status: row.status,
    },
  });
  await recordAudit(tx, {
    action: `approval.${verb}`,
    subjectType: 'approval',
    subjectId: row.id,
    reason: reasonIn('people.approval'),
    after: { kind: row.kind, amount: row.amount, status: row.status },
  });
}
