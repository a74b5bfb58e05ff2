// Shifts of cash drawers: opened with change, counted blind, closed with their difference, verified.
import { type RawBuilder, sql } from 'kysely';
import {
  countOf,
  type Denomination,
  floatPostings,
  overShortPostings,
  type ShiftState,
  safePostings,
} from '../../domain/cash.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Posting } from '../../domain/ledger.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { type DrawerShift, SHIFT_COLUMNS } from '../shift-row.ts';
import { recordAudit } from './audit.ts';
import { type CashMove, inDrawer, moveCash, postCashEntry } from './cash-entries.ts';
import { countSlips, type SlipCount } from './terminal-counts.ts';

export type NewShift = {
  readonly id: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly timeZone: string;
  readonly drawer: string;
  readonly floatMinor: number;
};

/**
 * Its float comes out of the branch's safe. A repeat answers the same shift. Throws `duplicate` for a
 * drawer that has one, `amount-too-high` for more than the safe holds, `not-found` for no books.
 */
export function openShift(db: Db, acting: Acting, shift: NewShift): Promise<DrawerShift> {
  const { id, entityId, branchId, timeZone, drawer, floatMinor } = shift;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const known = await shiftById(tx, id);
    if (known !== undefined) return known;
    const { rows } = await sql<DrawerShift>`insert into accounting.drawer_shift
        (id, entity_id, branch_id, drawer, currency, day, float_minor)
      select ${id}, e.id, ${branchId}, ${drawer}, e.functional_currency,
        (now() at time zone ${timeZone})::date, ${floatMinor}
      from accounting.legal_entity e where e.id = ${entityId}
      returning ${SHIFT_COLUMNS}`.execute(tx);
    const opened = rows[0];
    if (opened === undefined) throw new DomainError('not-found', 'The branch has no books.');
    if (floatMinor > 0) {
      const postings = floatPostings({ currency: opened.currency, amountMinor: floatMinor });
      await move(tx, opened, 'float', floatMinor, postings);
    }
    await tell(tx, 'opened', opened);
    return opened;
  });
  return inDrawer(work);
}

/** From now on no cash moves. Throws like `change`. */
export function startCounting(db: Db, acting: Acting, known: Known): Promise<DrawerShift> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const shift = await locked(tx, known, 'open');
    return change(tx, shift, 'counting', sql`state = 'counting'`);
  });
}

export type Count = {
  readonly denominations: readonly Denomination[];
  readonly terminals: readonly SlipCount[];
};

/**
 * Once, and by who sees nothing of what is expected: the answer is the first to show it. Throws
 * `value-refused` for slips of a batch that nobody counted.
 */
export function countShift(
  db: Db,
  acting: Acting,
  known: Known,
  { denominations, terminals }: Count,
): Promise<DrawerShift> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const shift = await locked(tx, known, 'counting');
    if (shift.countedBy !== null) {
      throw new DomainError('invalid-state', 'It was counted: close it.', { state: shift.state });
    }
    await countSlips(tx, shift.id, terminals);
    const to = sql`denominations = ${JSON.stringify(denominations)}::jsonb,
      counted_minor = ${countOf(denominations)}, counted_by = ${rowAccess(acting).principal},
      counted_at = now(), expected_minor = (select coalesce(sum(m.amount_minor), 0)
        from accounting.cash_movement m where m.shift_id = drawer_shift.id)`;
    return change(tx, shift, 'counted', to);
  });
}

export type Closing = { readonly reason: string | null; readonly isManager: boolean };

/**
 * Posts the difference and puts what was counted into the safe. Above the entity's terms it throws
 * `value-refused` without a reason, and `four-eyes` for whoever is no manager, or counted it.
 */
export function closeShift(
  db: Db,
  acting: Acting,
  known: Known,
  { reason, isManager }: Closing,
): Promise<DrawerShift> {
  const { principal } = rowAccess(acting);
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const shift = await locked(tx, known, 'counting');
    const { countedMinor, differenceMinor, countedBy, currency } = shift;
    if (countedMinor === null || differenceMinor === null) {
      throw new DomainError('invalid-state', 'Count it first.', { state: shift.state });
    }
    if (differenceMinor !== 0) {
      const postings = overShortPostings({ currency, amountMinor: differenceMinor });
      await move(tx, shift, 'difference', differenceMinor, postings);
    }
    if (countedMinor > 0) {
      const postings = safePostings({ currency, amountMinor: countedMinor });
      await move(tx, shift, 'handed-in', -countedMinor, postings);
    }
    const manager = isManager && principal !== countedBy ? principal : null;
    const to = sql`state = 'closed', reason = ${reason}, manager = ${manager},
      closed_by = ${principal}, closed_at = now()`;
    return change(tx, shift, 'closed', to, reason ?? undefined);
  });
  return inDrawer(work);
}

/** Another person's word for the count. Throws `four-eyes` for who counted it. */
export function verifyShift(db: Db, acting: Acting, known: Known): Promise<DrawerShift> {
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const shift = await locked(tx, known, 'closed');
    const to = sql`state = 'verified', verified_by = ${rowAccess(acting).principal},
      verified_at = now()`;
    return change(tx, shift, 'verified', to);
  });
  return inDrawer(work);
}

export type Drop = { readonly id: string; readonly shiftId: string; readonly amountMinor: number };

/** Notes go into the safe while the shift goes on. A repeat changes nothing. Throws like `moveCash`. */
export function dropCash(db: Db, acting: Acting, drop: Drop): Promise<DrawerShift> {
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const shift = await shiftById(tx, drop.shiftId);
    if (shift === undefined) throw new DomainError('not-found', 'There is no such shift.');
    const key = `drawer-shift/${shift.id}/drop/${drop.id}`;
    const done = await sql`select from accounting.entry where idempotency_key = ${key}`.execute(tx);
    if (done.rows.length > 0) return shift;
    const { amountMinor } = drop;
    const postings = safePostings({ currency: shift.currency, amountMinor });
    await move(tx, shift, 'drop', -amountMinor, postings, key);
    const subject = { subjectType: 'drawer_shift', subjectId: shift.id } as const;
    await recordAudit(tx, { action: 'drawer-shift.drop', ...subject, after: { amountMinor } });
    return shift;
  });
  return inDrawer(work);
}

async function move(
  tx: Tx,
  shift: DrawerShift,
  kind: CashMove['kind'],
  amountMinor: number,
  postings: readonly Posting[],
  key = `drawer-shift/${shift.id}/${kind}`,
): Promise<void> {
  const entry = { key, entityId: shift.entityId, source: `cash.${kind}`, postings };
  const entryId = await postCashEntry(tx, entry);
  await moveCash(tx, { shiftId: shift.id, kind, amountMinor, entryId });
}

/** A shift and the version that the caller knows. */
export type Known = { readonly id: string; readonly version: number };

async function shiftById(tx: Tx, id: string): Promise<DrawerShift | undefined> {
  const { rows } = await sql<DrawerShift>`select ${SHIFT_COLUMNS} from accounting.drawer_shift
    where id = ${id} for no key update`.execute(tx);
  return rows[0];
}

/** Throws `not-found`, `version-conflict` and `invalid-state`. */
async function locked(tx: Tx, known: Known, state: ShiftState): Promise<DrawerShift> {
  const shift = await shiftById(tx, known.id);
  if (shift === undefined) throw new DomainError('not-found', 'There is no such shift.');
  if (shift.version !== known.version) {
    throw new DomainError('version-conflict', 'Somebody changed it meanwhile.');
  }
  if (shift.state === state) return shift;
  throw new DomainError('invalid-state', `The shift is ${shift.state}.`, { state: shift.state });
}

type Fact = 'opened' | 'counting' | 'counted' | 'closed' | 'verified';

async function change(
  tx: Tx,
  before: DrawerShift,
  fact: Fact,
  to: RawBuilder<unknown>,
  reason?: string,
): Promise<DrawerShift> {
  const { rows } = await sql<DrawerShift>`update accounting.drawer_shift
    set ${to}, version = version + 1 where id = ${before.id}
    returning ${SHIFT_COLUMNS}`.execute(tx);
  const shift = rows[0] as DrawerShift;
  await tell(tx, fact, shift, reason);
  return shift;
}

async function tell(tx: Tx, fact: Fact, shift: DrawerShift, reason?: string): Promise<void> {
  const { id: shiftId, entityId, branchId, drawer, day, state, differenceMinor } = shift;
  const { currency, version, countedMinor, floatMinor } = shift;
  const data = { shiftId, entityId, branchId, drawer, day, state, differenceMinor, currency };
  const type = `forecourt.drawer-shift.${fact}.v1` as const;
  await publish(tx, { type, aggregateId: shiftId, sequence: version, data });
  await recordAudit(tx, {
    ...{ action: `drawer-shift.${fact}`, subjectType: 'drawer_shift', subjectId: shiftId },
    ...(reason !== undefined && { reason }),
    after: { state, floatMinor, countedMinor, differenceMinor, version },
  });
}
