// Inspections: drafted, given their files and completed; nothing changes them afterwards.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { InspectionKind, Mark } from '../../domain/inspection.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalsInspection, RentalsInspectionFile } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { fileNamed } from './file-removals.ts';
import { insertOnce } from './master-data.ts';

export type InspectionRow = Selectable<RentalsInspection>;
export type InspectionFileRow = Selectable<RentalsInspectionFile>;

export type NewInspection = {
  readonly id: string;
  readonly rentalId: string;
  readonly kind: InspectionKind;
  /** One that the rental has, or had until an exchange; left out, the one of now. */
  readonly vehicleId?: string | null | undefined;
  readonly odometerKm: number;
  readonly fuelEighths: number | null;
  readonly chargePercent: number | null;
  readonly marks: readonly (Mark & { readonly note: string | null })[];
  readonly note: string | null;
  /** The completed one that this one replaces. */
  readonly corrects: string | null;
};

/**
 * A draft, of the vehicle that the rental has, of one that was exchanged for it, or of the one that is
 * corrected. Throws `not-found`, `no-vehicle`, `value-refused` for a vehicle that it never had, and `invalid-state` for a return's before the keys went out.
 */
export function draftInspection(
  db: Db,
  acting: Acting,
  given: NewInspection,
): Promise<InspectionRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const vehicleId = await vehicleOf(tx, given);
    const columns = {
      id: given.id,
      rental_id: given.rentalId,
      vehicle_id: vehicleId,
      kind: given.kind,
      odometer_km: given.odometerKm,
      fuel_eighths: given.fuelEighths,
      charge_percent: given.chargePercent,
      note: given.note,
      corrects: given.corrects,
      created_by: rowAccess(acting).principal,
    };
    const inserted = insertOnce<InspectionRow>(tx, 'rentals.inspection', columns);
    const { row, created } = await explained(inserted);
    if (!created) return row;
    const marks = given.marks.map((mark) => ({ inspection_id: given.id, ...mark }));
    if (marks.length > 0) await tx.insertInto('rentals.inspection_mark').values(marks).execute();
    return row;
  });
}

async function vehicleOf(tx: Tx, given: NewInspection): Promise<string> {
  if (given.corrects !== null) {
    const old = await inspectionOf(tx, given.corrects);
    if (old.rental_id === given.rentalId) return old.vehicle_id;
    throw unknown();
  }
  // Until the check-out the calendar knows which one it will be.
  const { rows } = await sql<{ status: string; vehicleId: string | null }>`select r.status,
      coalesce(r.vehicle_id, (vehicles.span_of(r.id)->>'vehicleId')::uuid) as "vehicleId"
    from rentals.rental r where r.id = ${given.rentalId}`.execute(tx);
  const [rental] = rows;
  if (rental === undefined) throw new DomainError('not-found', 'There is no such rental.');
  const isOut = ['active', 'returned', 'closed'].includes(rental.status);
  const may = given.kind === 'in' ? isOut : isOut || rental.status === 'reserved';
  if (!may) {
    throw new DomainError(
      'invalid-state',
      `A rental that is ${rental.status} has no such inspection.`,
      { rentalStatus: rental.status, kind: given.kind },
    );
  }
  const named = given.vehicleId ?? rental.vehicleId;
  if (named !== rental.vehicleId) await assertHad(tx, given.rentalId, named);
  if (named !== null) return named;
  throw new DomainError('no-vehicle', 'No vehicle is kept for this rental; assign one first.');
}

async function assertHad(tx: Tx, rentalId: string, vehicleId: string | null): Promise<void> {
  const { rows } = await sql`select from rentals.segment
    where rental_id = ${rentalId} and vehicle_id = ${vehicleId} limit 1`.execute(tx);
  if (rows.length > 0) return;
  throw new DomainError('value-refused', 'This rental never had that vehicle.', {
    field: 'vehicleId',
  });
}

export type NewInspectionFile = {
  readonly id: string;
  readonly inspectionId: string;
  readonly kind: 'photo' | 'signature';
  readonly panel: string | null;
  readonly mediaType: string;
  readonly sha256: string;
  readonly sizeBytes: number;
};

/**
 * The bytes lie in the object store already. Throws `not-found`, `invalid-state` for a completed
 * one, `duplicate` for a second signature.
 */
export function addInspectionFile(
  db: Db,
  acting: Acting,
  given: NewInspectionFile,
): Promise<InspectionFileRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await inspectionOf(tx, given.inspectionId);
    const columns = {
      id: given.id,
      inspection_id: given.inspectionId,
      kind: given.kind,
      panel: given.panel,
      media_type: given.mediaType,
      sha256: given.sha256,
      size_bytes: given.sizeBytes,
      uploaded_by: rowAccess(acting).principal,
    };
    const inserted = insertOnce<InspectionFileRow>(tx, 'rentals.inspection_file', columns);
    const { row } = await explained(inserted);
    await fileNamed(tx, row.sha256);
    return row;
  });
}

/**
 * Fixed from now on, under the hash of all that it says. Repeated, answers the row. Throws
 * `not-found`, and `duplicate` when there is one: a correction names it.
 */
export function completeInspection(db: Db, acting: Acting, id: string): Promise<InspectionRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const before = await inspectionOf(tx, id, 'for update');
    if (before.completed_at !== null) return before;
    const completing = sql<InspectionRow>`update rentals.inspection i
      set completed_by = ${rowAccess(acting).principal}, completed_at = now(),
        version = version + 1, sealed_sha256 = encode(sha256(convert_to(jsonb_build_object(
          'id', i.id, 'rental', i.rental_id, 'vehicle', i.vehicle_id, 'kind', i.kind,
          'km', i.odometer_km, 'fuel', i.fuel_eighths, 'charge', i.charge_percent,
          'note', i.note, 'corrects', i.corrects,
          'marks', (select coalesce(jsonb_agg(to_jsonb(m) order by m.panel, m.kind), '[]')
            from rentals.inspection_mark m where m.inspection_id = i.id),
          'files', (select coalesce(jsonb_agg(jsonb_build_array(f.kind, f.panel, f.sha256)
              order by f.id), '[]')
            from rentals.inspection_file f where f.inspection_id = i.id))::text, 'UTF8')), 'hex')
      where id = ${id} returning *`.execute(tx);
    const { rows } = await explained(completing);
    const row = rows[0] as InspectionRow;
    await record(tx, row);
    return row;
  });
}

async function record(tx: Tx, row: InspectionRow): Promise<void> {
  const { id: inspectionId, rental_id: rentalId, vehicle_id: vehicleId, kind } = row;
  await publish(tx, {
    type: 'forecourt.inspection.completed.v1',
    aggregateId: inspectionId,
    // A draft is nobody's business: its first fact is its completion.
    sequence: row.version - 1,
    data: { inspectionId, rentalId, vehicleId, kind, corrects: row.corrects },
  });
  await recordAudit(tx, {
    action: 'inspection.complete',
    subjectType: 'inspection',
    subjectId: inspectionId,
    after: { rentalId, vehicleId, kind, corrects: row.corrects, sha256: row.sealed_sha256 },
  });
}

/**
 * In the transaction that hands a vehicle out or takes it back. Throws `inspection-missing` where
 * the branch asks for a completed one and there is none.
 */
export async function demandInspection(
  tx: Tx,
  kind: InspectionKind,
  of: { readonly rentalId: string; readonly vehicleId: string; readonly branchId: string },
): Promise<void> {
  const { rows } = await sql`select from rentals.damage_rule
    where branch_id = ${of.branchId} and inspection_required and not exists (
      select from rentals.inspection where rental_id = ${of.rentalId}
        and vehicle_id = ${of.vehicleId} and kind = ${kind} and completed_at is not null)`.execute(
    tx,
  );
  if (rows.length === 0) return;
  throw new DomainError(
    'inspection-missing',
    'This branch asks for an inspection of the vehicle first: complete one and try again.',
    { kind, vehicleId: of.vehicleId },
  );
}

async function inspectionOf(
  tx: Tx,
  id: string,
  lock: 'for update' | '' = '',
): Promise<InspectionRow> {
  const { rows } = await sql<InspectionRow>`select * from rentals.inspection
    where id = ${id} ${sql.raw(lock)}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw unknown();
}

function unknown(): DomainError {
  return new DomainError('not-found', 'There is no such inspection.', { of: 'inspection' });
}

/** What the rows refuse, in words. */
const REFUSALS = {
  inspection_corrects_its_like: [
    'invalid-state',
    'It corrects no completed inspection of the same kind and vehicle.',
  ],
  inspection_is_final: ['invalid-state', 'It is completed: correct it by a new inspection.'],
  inspection_one_signature: ['duplicate', 'It is signed already.'],
  inspection_one_completed: ['duplicate', 'There is one already: name it as the corrected one.'],
  inspection_corrected_once: ['duplicate', 'It was corrected already: correct the newer one.'],
} as const;

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const known = error as { readonly constraint?: string; readonly details?: object };
    const { constraint = known.constraint } = { ...known.details } as { constraint?: string };
    if (constraint === undefined || !Object.hasOwn(REFUSALS, constraint)) throw error;
    const [code, message] = REFUSALS[constraint as keyof typeof REFUSALS];
    throw new DomainError(code, message);
  }
}
