// Shortage cases: raised by a rental's timer, and helped by a person; each with event and audit row.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import { checkResolution, type Resolution } from '../../domain/shortage.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { asked, type MovedSpan, told } from './calendar.ts';
import { postWalk } from './walks.ts';

export type ShortageRow = {
  readonly id: string;
  readonly rental_id: string;
  readonly branch_id: string;
  readonly class_id: string;
  readonly pick_up_at: string;
  readonly raised_at: string;
  readonly step: string | null;
  readonly upgrade_class_id: string | null;
  readonly vehicle_id: string | null;
  readonly cost_minor: number | null;
  readonly currency: string | null;
  readonly reason: string | null;
  readonly resolved_at: string | null;
  readonly resolved_by: string | null;
  readonly version: number;
};

type Raised = {
  readonly caseId: string;
  readonly branchId: string;
  readonly classId: string;
  readonly pickUpAt: string;
  readonly isNew: boolean;
};

/** In the role rentals_rw. Answers the open case's id; null when the rental has a vehicle after all. */
export async function raiseShortage(tx: Tx, rentalId: string): Promise<string | null> {
  const raised = await asked<Raised | null>(
    tx,
    sql`vehicles.raise_shortage(${uuidv7()}, ${rentalId})`,
  );
  if (raised === null) return null;
  const { caseId, branchId, classId, isNew } = raised;
  if (!isNew) return caseId;
  const pickUpAt = new Date(raised.pickUpAt).toISOString();
  await publish(tx, {
    type: 'forecourt.shortage.raised.v1',
    aggregateId: caseId,
    sequence: 1,
    data: { caseId, rentalId, branchId, classId, pickUpAt },
  });
  return caseId;
}

export type Resolved = { readonly row: ShortageRow; readonly moved: readonly MovedSpan[] };

/**
 * Ends a case by a step of the ladder; an upgrade takes its vehicle in the same transaction. A repeat
 * of the same step answers what was done, a walk posts its cost. Throws `not-found`, `invalid-state` for a case that is
 * over, `vehicle-unavailable` when the upgrade's class has none, `value-refused`.
 */
export function resolveShortage(
  db: Db,
  acting: Acting,
  id: string,
  resolution: Resolution,
): Promise<Resolved> {
  checkResolution(resolution);
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const open = await locked(tx, id);
    if (open.step === resolution.step) return { row: open, moved: [] };
    if (open.step !== null) {
      throw new DomainError('invalid-state', `The case is over: ${open.step}.`, {
        step: open.step,
      });
    }
    const resolved = await close(tx, acting, open, resolution);
    const moved = resolution.classId === undefined ? [] : await upgrade(tx, resolved, resolution);
    const row = moved[0] === undefined ? resolved : await withVehicle(tx, resolved, moved[0]);
    await record(tx, row);
    return { row, moved };
  });
}

/** Before the vehicle is taken: what gives the rental one would else close the case as promoted. */
async function close(
  tx: Tx,
  acting: Acting,
  open: ShortageRow,
  resolution: Resolution,
): Promise<ShortageRow> {
  const { step, classId = null, vehicleId = null, costMinor = null } = resolution;
  const { rows } = await sql<ShortageRow>`update vehicles.shortage_case
    set step = ${step}, upgrade_class_id = ${classId}, vehicle_id = ${vehicleId},
      cost_minor = ${costMinor}, currency = ${resolution.currency ?? null},
      reason = ${resolution.reason ?? null}, resolved_at = now(),
      resolved_by = ${rowAccess(acting).principal}, version = version + 1
    where id = ${open.id} and version = ${open.version} returning *`.execute(tx);
  return rows[0] as ShortageRow;
}

type Upgraded = MovedSpan & { readonly refused?: keyof typeof REFUSALS };

const REFUSALS = {
  'not-waiting': ['invalid-state', 'The rental has a vehicle, or needs none any more.'],
  'no-upgrade': ['value-refused', 'This class is not up the ladder from the one that was booked.'],
  full: ['vehicle-unavailable', 'No vehicle of this class is free either.'],
} as const;

async function upgrade(
  tx: Tx,
  { rental_id: rentalId }: ShortageRow,
  { classId = '' }: Resolution,
): Promise<readonly MovedSpan[]> {
  const span = await asked<Upgraded>(tx, sql`vehicles.upgrade_span(${rentalId}, ${classId})`);
  if (span.refused === undefined) return told(tx, [span]);
  const [code, message] = REFUSALS[span.refused];
  throw new DomainError(code, message, { classId });
}

async function withVehicle(
  tx: Tx,
  { id }: ShortageRow,
  { vehicleId }: MovedSpan,
): Promise<ShortageRow> {
  const { rows } = await sql<ShortageRow>`update vehicles.shortage_case
    set vehicle_id = ${vehicleId} where id = ${id} returning *`.execute(tx);
  return rows[0] as ShortageRow;
}

async function locked(tx: Tx, id: string): Promise<ShortageRow> {
  const { rows } = await sql<ShortageRow>`select * from vehicles.shortage_case
    where id = ${id} for update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such case.');
}

/** The cost of a walk goes to the books in the same transaction; the reason stays in the row. */
async function record(tx: Tx, row: ShortageRow): Promise<void> {
  const entryId = await postCost(tx, row);
  await publish(tx, {
    type: 'forecourt.shortage.resolved.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: {
      caseId: row.id,
      rentalId: row.rental_id,
      branchId: row.branch_id,
      step: row.step ?? '',
      vehicleId: row.vehicle_id,
      costMinor: row.cost_minor,
      currency: row.currency,
    },
  });
  const subject = { subjectType: 'shortage', subjectId: row.id } as const;
  const after = { ...row, ...(entryId === null ? {} : { entryId }) };
  await recordAudit(tx, { action: `shortage.${row.step}`, ...subject, after });
}

async function postCost(tx: Tx, row: ShortageRow): Promise<string | null> {
  const { id: caseId, rental_id: rentalId, branch_id: branchId, resolved_at: at } = row;
  const { cost_minor: costMinor, currency } = row;
  if (row.step !== 'walk' || at === null || costMinor === null || currency === null) return null;
  return postWalk(tx, { caseId, rentalId, branchId, at, costMinor, currency });
}
