// Stop-sell rules: set for dates to come, and ended; each with its event and audit row.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Channel, StopKind } from '../../domain/stop-sell.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { insertOnce } from './master-data.ts';

/** Without a branch, class or channel it is for all of them. Local dates, both included. */
export type NewStopSell = {
  readonly id: string;
  readonly branchId: string | null;
  readonly classId: string | null;
  readonly channel: Channel | null;
  readonly kind: StopKind;
  readonly fromDate: string;
  readonly toDate: string;
  readonly reason: string;
};

export type StopSellRow = {
  readonly id: string;
  readonly branch_id: string | null;
  readonly class_id: string | null;
  readonly channel: string | null;
  readonly kind: string;
  readonly from_date: string;
  readonly to_date: string;
  readonly reason: string;
  readonly ended_at: string | null;
  readonly version: number;
};

/** Bookings that exist stay. Throws `not-found` for an unknown branch or class. */
export function setStopSell(db: Db, acting: Acting, rule: NewStopSell): Promise<StopSellRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { row, created } = await insertOnce<StopSellRow>(tx, 'vehicles.stop_sell', {
      id: rule.id,
      branch_id: rule.branchId,
      class_id: rule.classId,
      channel: rule.channel,
      kind: rule.kind,
      from_date: rule.fromDate,
      to_date: rule.toDate,
      reason: rule.reason,
    });
    if (created) await record(tx, 'set', row);
    return row;
  });
}

/** A rule that is over already stays so. Throws `not-found`. */
export function endStopSell(db: Db, acting: Acting, id: string): Promise<StopSellRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const ended = await sql<StopSellRow>`update vehicles.stop_sell
      set ended_at = now(), version = version + 1
      where id = ${id} and ended_at is null returning *`.execute(tx);
    if (ended.rows[0] !== undefined) {
      await record(tx, 'end', ended.rows[0]);
      return ended.rows[0];
    }
    const known = await sql<StopSellRow>`select * from vehicles.stop_sell
      where id = ${id}`.execute(tx);
    if (known.rows[0] !== undefined) return known.rows[0];
    throw new DomainError('not-found', 'There is no such stop-sell rule.');
  });
}

const DONE = { set: 'set', end: 'ended' } as const;

/** The reason is the rule's own; a reason of the audit row would make it an override. */
async function record(tx: Tx, verb: keyof typeof DONE, row: StopSellRow): Promise<void> {
  await publish(tx, {
    type: `forecourt.stop-sell.${DONE[verb]}.v1`,
    aggregateId: row.id,
    sequence: row.version,
    data: {
      stopSellId: row.id,
      branchId: row.branch_id,
      classId: row.class_id,
      fromDate: row.from_date,
      toDate: row.to_date,
    },
  });
  const subject = { subjectType: 'stop_sell', subjectId: row.id } as const;
  await recordAudit(tx, { action: `stop-sell.${verb}`, ...subject, after: row });
}
