// A branch's business day: closed with its figures, and opened again by two people.
import { sql } from 'kysely';
import { checkClosing, type Days } from '../../domain/branch-day.ts';
import { DomainError } from '../../domain/errors.ts';
import { BRANCH_DAY_COLUMNS, type BranchDay } from '../branch-day-row.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { type DayOf, figuresOf, unfinishedOf } from './branch-day-figures.ts';
import { asked } from './calendar.ts';
import { inDrawer } from './cash-entries.ts';

export type DayClosing = DayOf & {
  /** Of the command; of the row too, unless the day was closed before. */
  readonly id: string;
  readonly timeZone: string;
};

/**
 * From then on no shift, tender or bag is of that day. A repeat answers the same. Throws
 * `day-not-finished` with what is still under way, and what `checkClosing` throws.
 */
export function closeDay(db: Db, acting: Acting, closing: DayClosing): Promise<BranchDay> {
  const { id, entityId, branchId, day } = closing;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    await sql`select accounting.lock_branch_days(${branchId})`.execute(tx);
    const known = await doneBy(tx, id);
    if (known !== undefined) return known;
    checkClosing(day, await daysOf(tx, closing));
    const unfinished = await unfinishedOf(tx, closing);
    if (unfinished.length > 0) {
      const message = 'Count, close and verify these shifts, and count their slips, first.';
      throw new DomainError('day-not-finished', message, { unfinished });
    }
    const figures = JSON.stringify(await figuresOf(tx, closing));
    const { rows } = await sql<BranchDay>`insert into accounting.branch_day as d
        (id, entity_id, branch_id, day, state, figures, command_id)
      values (${id}, ${entityId}, ${branchId}, ${day}, 'closed', ${figures}::jsonb, ${id})
      on conflict (branch_id, day) do update set state = 'closed', figures = excluded.figures,
        command_id = ${id}, closed_by = ${rowAccess(acting).principal}, closed_at = now(),
        version = d.version + 1
      returning ${BRANCH_DAY_COLUMNS}`.execute(tx);
    return told(tx, 'closed', rows[0] as BranchDay);
  });
  return inDrawer(work);
}

export type Reopening = {
  readonly commandId: string;
  readonly id: string;
  readonly version: number;
  /** Of kind day-reopen, for this very day. */
  readonly approvalId: string;
  readonly reason: string;
};

/**
 * The last one alone, so that days stay in order; what it was closed with is in the audit log. Throws
 * `not-found`, `version-conflict`, `invalid-state`, and `four-eyes` without an unused approval.
 */
export function reopenDay(db: Db, acting: Acting, request: Reopening): Promise<BranchDay> {
  const { commandId, id, version, approvalId, reason } = request;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const before = await lockedDay(tx, id);
    const known = await doneBy(tx, commandId);
    if (known !== undefined) return known;
    if (before.version !== version) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile.');
    }
    await useApproval(tx, before, approvalId);
    const { rows } = await sql<BranchDay>`update accounting.branch_day set state = 'open',
        command_id = ${commandId}, reason = ${reason}, reopened_at = now(),
        reopened_by = ${rowAccess(acting).principal}, version = version + 1
      where id = ${id} returning ${BRANCH_DAY_COLUMNS}`.execute(tx);
    return told(tx, 'reopened', rows[0] as BranchDay);
  });
  return inDrawer(work);
}

/** The branch's days wait from here on, as they do for whoever closes one. */
async function lockedDay(tx: Tx, id: string): Promise<BranchDay> {
  await sql`select accounting.lock_branch_days(branch_id) from accounting.branch_day
    where id = ${id}`.execute(tx);
  const { rows } = await sql<BranchDay>`select ${BRANCH_DAY_COLUMNS} from accounting.branch_day
    where id = ${id}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'This day was never closed.');
}

async function doneBy(tx: Tx, commandId: string): Promise<BranchDay | undefined> {
  const { rows } = await sql<BranchDay>`select ${BRANCH_DAY_COLUMNS} from accounting.branch_day
    where command_id = ${commandId}`.execute(tx);
  return rows[0];
}

async function daysOf(tx: Tx, { branchId, timeZone }: DayClosing): Promise<Days> {
  const { rows } = await sql<Days>`select (now() at time zone ${timeZone})::date as today,
    accounting.last_closed_day(${branchId}) as "lastClosed"`.execute(tx);
  return rows[0] as Days;
}

async function useApproval(tx: Tx, { id, branchId }: BranchDay, approvalId: string): Promise<void> {
  const used = sql`people.use_approval(${approvalId}, 'day-reopen', ${id}, ${branchId})`;
  if (await asked<boolean>(tx, used)) return;
  throw new DomainError('four-eyes', 'There is no unused approval for opening this day again.');
}

async function told(tx: Tx, fact: 'closed' | 'reopened', row: BranchDay): Promise<BranchDay> {
  const { id: branchDayId, entityId, branchId, day, figures, state, reason, version } = row;
  await publish(tx, {
    type: `forecourt.branch-day.${fact}.v1`,
    aggregateId: branchDayId,
    sequence: version,
    data: { branchDayId, entityId, branchId, day },
  });
  await recordAudit(tx, {
    ...{ action: `branch-day.${fact}`, subjectType: 'branch_day', subjectId: branchDayId },
    ...(fact === 'reopened' ? { reason: reason ?? '' } : {}),
    after: { day, state, figures, version },
  });
  return row;
}
