// Overbooking limits: how many demands of a pool may wait for a vehicle, by local date.
import { sql } from 'kysely';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { asked, type MovedSpan, promotePool } from './calendar.ts';
import { insertOnce, updateVersion } from './master-data.ts';

export type OverbookingMeasure = {
  /** Of the vehicles that can be rented on the date, rounded down; or `absolute`, not both. */
  readonly percent: number | null;
  readonly absolute: number | null;
};

/** Local dates of the branch, both included; null is an open end. */
export type NewOverbookingLimit = OverbookingMeasure & {
  readonly id: string;
  readonly branchId: string;
  readonly classId: string;
  readonly fromDate: string | null;
  readonly toDate: string | null;
};

export type OverbookingLimitRow = {
  readonly id: string;
  readonly branch_id: string;
  readonly class_id: string;
  readonly from_date: string | null;
  readonly to_date: string | null;
  readonly percent: number | null;
  readonly absolute: number | null;
  readonly version: number;
};

/** A demand beyond a limit that became less. It stays booked; a person sees to it. */
export type Excess = {
  readonly rentalId: string;
  readonly from: string;
  readonly to: string;
  /** At its worst instant: how many wait, and how many may. */
  readonly waiting: number;
  readonly most: number;
};

export type LimitChange = {
  readonly row: OverbookingLimitRow;
  readonly excess: readonly Excess[];
  /** Rentals that got a vehicle by the way. */
  readonly moved: readonly MovedSpan[];
};

/** Throws `duplicate` where the pool has a limit on one of the dates, `not-found` for its names. */
export function setOverbookingLimit(
  db: Db,
  acting: Acting,
  limit: NewOverbookingLimit,
): Promise<LimitChange> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { row, created } = await insertOnce<OverbookingLimitRow>(
      tx,
      'vehicles.overbooking_limit',
      {
        id: limit.id,
        branch_id: limit.branchId,
        class_id: limit.classId,
        from_date: limit.fromDate,
        to_date: limit.toDate,
        percent: limit.percent,
        absolute: limit.absolute,
      },
    );
    if (created) await record(tx, 'set', row);
    return changed(tx, row);
  });
}

/** Throws `not-found`, or `version-conflict` when `version` is not the newest. */
export function changeOverbookingLimit(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  { percent, absolute }: OverbookingMeasure,
): Promise<LimitChange> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const row = await updateVersion<OverbookingLimitRow>(
      tx,
      'vehicles.overbooking_limit',
      id,
      version,
      { percent, absolute },
    );
    await record(tx, 'change', row);
    return changed(tx, row);
  });
}

async function changed(tx: Tx, row: OverbookingLimitRow): Promise<LimitChange> {
  const { branch_id: branchId, class_id: classId } = row;
  const moved = await promotePool(tx, branchId, classId);
  const excess = await asked<readonly Excess[]>(tx, sql`vehicles.excess(${branchId}, ${classId})`);
  return { row, excess, moved };
}

const DONE = { set: 'set', change: 'changed' } as const;

async function record(tx: Tx, verb: keyof typeof DONE, row: OverbookingLimitRow): Promise<void> {
  await publish(tx, {
    type: `forecourt.overbooking-limit.${DONE[verb]}.v1`,
    aggregateId: row.id,
    sequence: row.version,
    data: { limitId: row.id, branchId: row.branch_id, classId: row.class_id },
  });
  const subject = { subjectType: 'overbooking_limit', subjectId: row.id } as const;
  await recordAudit(tx, { action: `overbooking-limit.${verb}`, ...subject, after: row });
}
