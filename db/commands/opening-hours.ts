// Changing when a branch is open: a change of the branch itself, by its version.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Exception, OpeningHours } from '../../domain/opening-hours.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { type BranchRow, recordBranch } from './branches.ts';
import { updateVersion } from './master-data.ts';

export type NewOpeningHours = Pick<OpeningHours, 'weekly' | 'keyDrop' | 'outOfHours'>;

/**
 * Replaces the week and what is offered outside of it. Moves no rental: see `affectedRentals`.
 * Throws `not-found`, or `version-conflict` when `version` is not the branch's newest.
 */
export function setOpeningHours(
  db: Db,
  acting: Acting,
  branchId: string,
  version: number,
  hours: NewOpeningHours,
): Promise<BranchRow> {
  return changing(
    db,
    acting,
    branchId,
    version,
    { openingHours: hours },
    {
      opening_weekly: hours.weekly === null ? null : JSON.stringify(hours.weekly),
      key_drop: hours.keyDrop,
      out_of_hours_fee_minor: hours.outOfHours?.feeMinor ?? null,
      out_of_hours_currency: hours.outOfHours?.currency ?? null,
    },
  );
}

/** Other hours on one local date, or none. Replaces the date's exception. Throws as above. */
export function setException(
  db: Db,
  acting: Acting,
  branchId: string,
  version: number,
  exception: Exception,
): Promise<BranchRow> {
  const { date, periods, reason } = exception;
  return changing(db, acting, branchId, version, { exception }, {}, async (tx) => {
    await sql`insert into vehicles.opening_exception (branch_id, on_date, periods, reason)
      values (${branchId}, ${date}, ${JSON.stringify(periods)}, ${reason})
      on conflict (branch_id, on_date) do update set periods = excluded.periods,
        reason = excluded.reason, withdrawn = false`.execute(tx);
  });
}

/** From here on the date is like its weekday. Throws as above, and `not-found` without one. */
export function withdrawException(
  db: Db,
  acting: Acting,
  branchId: string,
  version: number,
  date: string,
): Promise<BranchRow> {
  const after = { withdrawnException: date };
  return changing(db, acting, branchId, version, after, {}, async (tx) => {
    const { rows } = await sql`update vehicles.opening_exception set withdrawn = true
      where branch_id = ${branchId} and on_date = ${date} and not withdrawn
      returning on_date`.execute(tx);
    if (rows.length === 0) {
      throw new DomainError('not-found', 'There is no exception on this date.', { date });
    }
  });
}

function changing(
  db: Db,
  acting: Acting,
  branchId: string,
  version: number,
  after: object,
  columns: Parameters<typeof updateVersion>[4],
  also: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<BranchRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const row = await updateVersion<BranchRow>(tx, 'vehicles.branch', branchId, version, columns);
    await also(tx);
    await recordBranch(tx, 'update', row, after);
    return row;
  });
}
