// Changing what is told of a recall: its remedy, its deadline, and with that the holds on vehicles.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { movedTimes, type RecallChange, type RecallState } from '../../domain/recall.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesRecall } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { setHolds } from './holds.ts';
import { updateVersion } from './master-data.ts';
import { countVehicles, holdTermsOf, recallState } from './recalls.ts';

type RecallRow = Selectable<VehiclesRecall>;

/**
 * Moves the holds that are still open with the deadline. Throws `not-found`, `version-conflict`,
 * `invalid-state` for another deadline once it has come, `value-refused` (see `movedTimes`).
 */
export function amendRecall(
  db: Db,
  principal: string,
  recallId: string,
  version: number,
  change: RecallChange,
): Promise<RecallState> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    // As when it was opened: vehicles that are registered meanwhile get the hold of afterwards.
    await sql`select pg_advisory_xact_lock(hashtextextended('recalls', 5))`.execute(tx);
    const known = await tx
      .selectFrom('vehicles.recall')
      .selectAll()
      .where('id', '=', recallId)
      .forUpdate()
      .executeTakeFirst();
    if (known === undefined) throw new DomainError('not-found', 'There is no such recall.');
    const vehicles = await countVehicles(tx, recallId);
    const times = movedTimes(noticeOf(known), change, vehicles);
    if (times !== null && known.grounded_at !== null) {
      throw new DomainError('invalid-state', 'The deadline has come: vehicles stand already.', {
        groundedAt: known.grounded_at,
      });
    }
    const row = await updateVersion<RecallRow>(tx, 'vehicles.recall', recallId, version, {
      remedy: change.remedy,
      is_remedy_available: change.isRemedyAvailable,
      deadline_at: times?.deadlineAt,
      hard_at: times?.hardAt,
    });
    if (times !== null) await moveHolds(tx, row);
    const state = recallState(row, vehicles);
    await record(tx, row, state, change);
    return state;
  });
}

function noticeOf(row: RecallRow) {
  return {
    jurisdiction: row.jurisdiction,
    noticeReceivedAt: row.notice_received_at,
    deadlineAt: row.deadline_at,
    hardAt: row.hard_at,
  };
}

/** What was repaired stays free. */
async function moveHolds(tx: Tx, recall: RecallRow): Promise<void> {
  const { rows } = await sql<{ vehicleId: string }>`select v.vehicle_id as "vehicleId"
    from vehicles.recall_vehicle v join vehicles.hold h on h.id = v.hold_id
    where v.recall_id = ${recall.id} and h.lifted_at is null order by 1`.execute(tx);
  const held = rows.map(
    ({ vehicleId }) =>
      ({ source: 'recall', sourceRef: `${recall.id}/${vehicleId}`, vehicleId }) as const,
  );
  await setHolds(tx, held, holdTermsOf(recall));
}

async function record(
  tx: Tx,
  row: RecallRow,
  { recallId, vehicles, deadlineAt, hardAt }: RecallState,
  change: RecallChange,
): Promise<void> {
  await publish(tx, {
    type: 'forecourt.recall.amended.v1',
    aggregateId: recallId,
    sequence: row.version,
    data: { recallId, vehicles, deadlineAt, hardAt },
  });
  const after = { ...change, deadlineAt, hardAt };
  const subject = { subjectType: 'recall', subjectId: recallId } as const;
  await recordAudit(tx, { action: 'recall.amend', ...subject, after });
}
