// Recalls: opened with a hold on every vehicle that they mean, acted upon at their deadline.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  checkNotice,
  deadlineOf,
  holdOfRecall,
  isRecalled,
  type RecallNotice,
  type RecallScope,
  type RecallState,
} from '../../domain/recall.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesRecall, VehiclesRecallScope, VehiclesVehicle } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { type HoldTerms, setHolds } from './holds.ts';
import { named } from './master-data.ts';

type RecallRow = Selectable<VehiclesRecall>;
type Recallable = Pick<Selectable<VehiclesVehicle>, 'id' | 'vin' | 'make' | 'model' | 'model_year'>;

/** Vehicles in these states are the company's no more. */
const GONE = ['sold', 'written_off', 'returned_to_supplier'] as const;

/**
 * Stores the notice and holds every vehicle that it means, wherever it is. A repeat answers what was
 * done. Throws `value-refused`, and `duplicate` for a number that was entered before.
 */
export function openRecall(
  db: Db,
  principal: string,
  recallId: string,
  notice: RecallNotice,
  now: string,
): Promise<RecallState> {
  checkNotice(notice, now);
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    // Who registers a vehicle meanwhile waits, and then sees this recall.
    await sql`select pg_advisory_xact_lock(hashtextextended('recalls', 5))`.execute(tx);
    const known = await stateOf(tx, recallId);
    if (known !== undefined) return known;
    const meant = (await recallables(tx)).filter((one) => isRecalled(notice.scopes, kindOf(one)));
    const row = await insertRecall(tx, recallId, notice, deadlineOf(notice, meant.length));
    await holdAll(tx, row, meant);
    const state = recallState(row, meant.length);
    const { vehicles, deadlineAt, hardAt } = state;
    await publish(tx, {
      type: 'forecourt.recall.opened.v1',
      aggregateId: recallId,
      sequence: row.version,
      data: { recallId, vehicles, deadlineAt, hardAt },
    });
    await audit(tx, 'recall.open', recallId, { ...notice, vehicles, deadlineAt, hardAt });
    return state;
  });
}

/** Call it in the transaction that registers vehicles, or changes what they are. */
export async function holdForRecalls(tx: Tx, vehicles: readonly Recallable[]): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended('recalls', 5))`.execute(tx);
  const scopes = await tx.selectFrom('vehicles.recall_scope').selectAll().execute();
  for (const recallId of new Set(scopes.map((scope) => scope.recall_id))) {
    const its = scopes.filter((scope) => scope.recall_id === recallId).map(scopeOf);
    const meant = vehicles.filter((one) => isRecalled(its, kindOf(one)));
    if (meant.length > 0) await holdAll(tx, await recallRow(tx, recallId), meant);
  }
}

/** Tells once that holds block. Not before the deadline, which may move; clocks differ a little. */
export function groundRecall(db: Db, principal: string, recallId: string): Promise<RecallState> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const { rows } = await sql<RecallRow>`update vehicles.recall
      set grounded_at = now(), version = version + 1
      where id = ${recallId} and grounded_at is null
        and hard_at <= now() + interval '1 minute' returning *`.execute(tx);
    const row = rows[0] ?? (await recallRow(tx, recallId));
    const vehicles = await countVehicles(tx, recallId);
    if (rows.length > 0) {
      await publish(tx, {
        type: 'forecourt.recall.grounded.v1',
        aggregateId: recallId,
        sequence: row.version,
        data: { recallId, vehicles },
      });
      await audit(tx, 'recall.ground', recallId, { vehicles });
    }
    return recallState(row, vehicles);
  });
}

export type RenterNotice = {
  readonly recallId: string;
  readonly rentalId: string;
  readonly vehicleId: string;
  readonly channel: 'mail' | 'none';
};

/** Notes that a renter was told, once. */
export function noteRenterNotified(db: Db, principal: string, notice: RenterNotice): Promise<void> {
  const { recallId, rentalId, vehicleId, channel } = notice;
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const { numAffectedRows } = await sql`insert into vehicles.recall_notice
        (recall_id, rental_id, vehicle_id, channel)
      values (${recallId}, ${rentalId}, ${vehicleId}, ${channel})
      on conflict do nothing`.execute(tx);
    if (numAffectedRows !== 1n) return;
    const { rows } = await sql<{ version: number }>`update vehicles.recall
      set version = version + 1 where id = ${recallId} returning version`.execute(tx);
    await publish(tx, {
      type: 'forecourt.recall.renter-notified.v1',
      aggregateId: recallId,
      sequence: rows[0]?.version ?? 0,
      data: notice,
    });
    await audit(tx, 'recall.notify-renter', recallId, { rentalId, vehicleId, channel });
  });
}

async function recallables(tx: Tx): Promise<readonly Recallable[]> {
  return tx
    .selectFrom('vehicles.vehicle')
    .select(['id', 'vin', 'make', 'model', 'model_year'])
    .where('status', 'not in', GONE)
    .orderBy('id')
    .execute();
}

async function insertRecall(
  tx: Tx,
  id: string,
  notice: RecallNotice,
  deadlineAt: string,
): Promise<RecallRow> {
  const hardAt = notice.hardFrom ?? deadlineAt;
  if (Date.parse(hardAt) > Date.parse(deadlineAt)) {
    throw new DomainError('value-refused', 'It has to block by its deadline.', { deadlineAt });
  }
  const { rows } = await named(() =>
    sql<RecallRow>`insert into vehicles.recall (id, title, authority_number, jurisdiction,
        notice_received_at, deadline_at, hard_at, is_safety, has_interim_remedy,
        is_remedy_available)
      values (${id}, ${notice.title}, ${notice.authorityNumber}, ${notice.jurisdiction},
        ${notice.noticeReceivedAt}, ${deadlineAt},
        greatest(${hardAt}::timestamptz, ${notice.noticeReceivedAt}), ${notice.isSafety},
        ${notice.hasInterimRemedy}, ${notice.isRemedyAvailable}) returning *`.execute(tx),
  );
  const scopes = notice.scopes.map((scope, index) => ({
    recall_id: id,
    no: index + 1,
    vin_prefix: scope.vinPrefix ?? null,
    vin_from: scope.vinFrom ?? null,
    vin_to: scope.vinTo ?? null,
    make: scope.make ?? null,
    model: scope.model ?? null,
    year_from: scope.yearFrom ?? null,
    year_to: scope.yearTo ?? null,
  }));
  await tx.insertInto('vehicles.recall_scope').values(scopes).execute();
  return rows[0] as RecallRow;
}

/** Leaves out vehicles that this recall holds, or held until they were repaired. */
async function holdAll(tx: Tx, recall: RecallRow, meant: readonly Recallable[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`select n.id from unnest(
      ${meant.map(({ id }) => id)}::uuid[]) as n(id)
    where not exists (select from vehicles.recall_vehicle v
      where v.recall_id = ${recall.id} and v.vehicle_id = n.id) order by n.id`.execute(tx);
  if (rows.length === 0) return;
  const sets = await setHolds(
    tx,
    rows.map(({ id }) => ({ source: 'recall', sourceRef: `${recall.id}/${id}`, vehicleId: id })),
    holdTermsOf(recall),
  );
  await sql`insert into vehicles.recall_vehicle (recall_id, vehicle_id, hold_id)
    select ${recall.id}, n.vehicle, n.hold from unnest(
      ${sets.map(({ vehicleId }) => vehicleId)}::uuid[],
      ${sets.map(({ holdId }) => holdId)}::uuid[]) as n(vehicle, hold)`.execute(tx);
}

export function holdTermsOf(recall: RecallRow): HoldTerms {
  const { severity, barsSale } = severityOf(recall);
  return {
    type: 'recall',
    severity,
    barsSale,
    reason: `${recall.authority_number}: ${recall.title}`,
    from: recall.notice_received_at,
    hardFrom: severity === 'hard' ? recall.hard_at : undefined,
  };
}

async function recallRow(tx: Tx, id: string): Promise<RecallRow> {
  const row = await tx
    .selectFrom('vehicles.recall')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such recall.');
  return row;
}

async function stateOf(tx: Tx, id: string): Promise<RecallState | undefined> {
  const row = await tx
    .selectFrom('vehicles.recall')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  return row && recallState(row, await countVehicles(tx, id));
}

export async function countVehicles(tx: Tx, recallId: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from vehicles.recall_vehicle
    where recall_id = ${recallId}`.execute(tx);
  return rows[0]?.n ?? 0;
}

export function recallState(row: RecallRow, vehicles: number): RecallState {
  return {
    recallId: row.id,
    status: row.grounded_at === null ? 'noticed' : 'grounded',
    vehicles,
    deadlineAt: row.deadline_at,
    hardAt: severityOf(row).severity === 'hard' ? row.hard_at : null,
  };
}

function severityOf(row: RecallRow) {
  return holdOfRecall({ isSafety: row.is_safety, hasInterimRemedy: row.has_interim_remedy });
}

function kindOf({ vin, make, model, model_year }: Recallable) {
  return { vin, make, model, modelYear: model_year };
}

function scopeOf(row: Selectable<VehiclesRecallScope>): RecallScope {
  return {
    vinPrefix: row.vin_prefix ?? undefined,
    vinFrom: row.vin_from ?? undefined,
    vinTo: row.vin_to ?? undefined,
    make: row.make ?? undefined,
    model: row.model ?? undefined,
    yearFrom: row.year_from ?? undefined,
    yearTo: row.year_to ?? undefined,
  };
}

function audit(tx: Tx, action: string, subjectId: string, after: object): Promise<void> {
  return recordAudit(tx, { action, subjectType: 'recall', subjectId, after });
}
