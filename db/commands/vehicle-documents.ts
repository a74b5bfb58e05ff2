// Documents of vehicles: added, withdrawn, and the holds that their expiry makes.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type DocumentKind, holdOnExpiry } from '../../domain/vehicle-document.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesDocument, VehiclesVehicle } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { liftHoldOfSource, setHold } from './holds.ts';
import { insertOnce } from './master-data.ts';
import { lockPoolOf, lockVehicleRow, serveWaiting } from './vehicle-locks.ts';

export type DocumentRow = Selectable<VehiclesDocument>;
type VehicleRow = Selectable<VehiclesVehicle>;

/** The file was noted, and lies in the object store already; dates are local, `expiresOn` the last good day. */
export type NewDocument = {
  readonly id: string;
  readonly vehicleId: string;
  readonly kind: DocumentKind;
  readonly mediaType: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly validFrom?: string | undefined;
  readonly expiresOn?: string | undefined;
};

/**
 * A paper without which a vehicle may not drive holds it, hard, from the midnight after its last
 * day on, until another one of its kind is there. Throws `not-found` for an unknown vehicle.
 */
export function addDocument(db: Db, acting: Acting, given: NewDocument): Promise<DocumentRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const vehicle = await lockVehicle(tx, given.vehicleId);
    const columns = {
      id: given.id,
      vehicle_id: given.vehicleId,
      kind: given.kind,
      media_type: given.mediaType,
      sha256: given.sha256,
      size_bytes: given.sizeBytes,
      valid_from: given.validFrom,
      expires_on: given.expiresOn,
      uploaded_by: rowAccess(acting).principal,
    };
    const { row, created } = await insertOnce<DocumentRow>(tx, 'vehicles.document', columns);
    await sql`select rentals.file_named(${row.sha256})`.execute(tx);
    if (!created) return row;
    await record(tx, 'added', row);
    if (await syncHolds(tx, row)) await serveWaiting(tx, vehicle);
    return row;
  });
}

export type Withdrawal = {
  readonly vehicleId: string;
  readonly documentId: string;
  readonly reason: string;
};

/**
 * The row and its file stay. The last dated paper of a kind that holds is `resource-in-use`, or
 * withdrawing it would lift the hold of its expiry. Throws `not-found`; repeated, answers the row.
 */
export function withdrawDocument(db: Db, acting: Acting, by: Withdrawal): Promise<DocumentRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const vehicle = await lockVehicle(tx, by.vehicleId);
    const { rows } = await sql<DocumentRow>`update vehicles.document
      set withdrawn_by = ${rowAccess(acting).principal}, withdrawn_at = now(),
        withdraw_reason = ${by.reason}, version = version + 1
      where id = ${by.documentId} and vehicle_id = ${by.vehicleId} and withdrawn_at is null
      returning *`.execute(tx);
    const [row] = rows;
    if (row === undefined) return knownDocument(tx, by);
    await refuseLastOfKind(tx, row);
    await record(tx, 'withdrawn', row, by.reason);
    if (await syncHolds(tx, row)) await serveWaiting(tx, vehicle);
    return row;
  });
}

/** One change of a vehicle's papers at a time, or two would each see the other's as still there. */
async function lockVehicle(tx: Tx, vehicleId: string): Promise<VehicleRow> {
  await lockPoolOf(tx, vehicleId);
  const vehicle = await lockVehicleRow(tx, vehicleId);
  if (vehicle === undefined) throw new DomainError('not-found', 'There is no such vehicle.');
  return vehicle;
}

async function knownDocument(tx: Tx, by: Withdrawal): Promise<DocumentRow> {
  const row = await tx
    .selectFrom('vehicles.document')
    .selectAll()
    .where('id', '=', by.documentId)
    .where('vehicle_id', '=', by.vehicleId)
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such document.');
  return row;
}

async function refuseLastOfKind(tx: Tx, row: DocumentRow): Promise<void> {
  if (row.expires_on === null || holdOnExpiry(row.kind as DocumentKind) === null) return;
  const others = await sql`select from vehicles.document
    where vehicle_id = ${row.vehicle_id} and kind = ${row.kind} and withdrawn_at is null
      and expires_on is not null limit 1`.execute(tx);
  if (others.rows.length > 0) return;
  throw new DomainError(
    'resource-in-use',
    `It is the vehicle's only dated ${row.kind}; add the right one first.`,
    { documentId: row.id, kind: row.kind },
  );
}

type Gap = { readonly documentId: string; readonly from: string; readonly until: string | null };

/** Makes the holds of the vehicle's papers of this kind what its gaps are; true if one was lifted. */
async function syncHolds(tx: Tx, { vehicle_id: vehicleId, kind }: DocumentRow): Promise<boolean> {
  const type = holdOnExpiry(kind as DocumentKind);
  if (type === null) return false;
  const { rows: gaps } = await sql<Gap>`select document_id as "documentId", gap_from as "from",
      gap_until as "until"
    from vehicles.document_gaps(${vehicleId}) where kind = ${kind}`.execute(tx);
  for (const { documentId, from, until } of gaps) {
    const times = until === null ? { from } : { from, until };
    const hold = { type, severity: 'hard', reason: `The ${kind} expires.`, ...times } as const;
    await setHold(tx, { source: 'document', sourceRef: documentId, vehicleId, hold });
  }
  const { rows: filled } = await sql<{ readonly id: string }>`select d.id
    from vehicles.document d join vehicles.hold h
      on h.source = 'document' and h.source_ref = d.id::text and h.lifted_at is null
    where d.vehicle_id = ${vehicleId} and d.kind = ${kind}
      and d.id <> all (${gaps.map((gap) => gap.documentId)}::uuid[])`.execute(tx);
  for (const { id } of filled) {
    await liftHoldOfSource(tx, { source: 'document', sourceRef: id, reason: 'replaced' });
  }
  return filled.length > 0;
}

async function record(
  tx: Tx,
  verb: 'added' | 'withdrawn',
  row: DocumentRow,
  reason?: string,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.vehicle.document-${verb}.v1`,
    aggregateId: row.id,
    sequence: row.version,
    data: {
      documentId: row.id,
      vehicleId: row.vehicle_id,
      documentKind: row.kind,
      expiresOn: row.expires_on,
    },
  });
  await recordAudit(tx, {
    action: `vehicle.document-${verb}`,
    subjectType: 'vehicle',
    subjectId: row.vehicle_id,
    ...(reason !== undefined && { reason }),
    after: { documentId: row.id, kind: row.kind, sha256: row.sha256, expiresOn: row.expires_on },
  });
}
