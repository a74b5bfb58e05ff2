// A vehicle's status: each command with its blocks in the calendar, its event and its audit row.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  decideStatus,
  type Ownership,
  type StatusCommand,
  type StatusIntent,
  TRANSITIONS,
  type VehicleStatus,
} from '../../domain/vehicle.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesVehicle } from '../schema.ts';
import { byRepacking } from './allocation.ts';
import { recordAudit } from './audit.ts';
import { applyMoves, type Move } from './calendar-repack.ts';
import { planSale, withProposals } from './sale-moves.ts';
import { liveSpans, syncBlocks } from './vehicle-blocks.ts';
import { lockPoolOf, lockVehicleRow, serveWaiting } from './vehicle-locks.ts';

type VehicleRow = Selectable<VehiclesVehicle>;

export type ChangeStatus = StatusCommand & {
  readonly vehicleId: string;
  /** A repeat of the newest command answers what it did. */
  readonly commandId: string;
  /** For people, in the audit log alone. */
  readonly reason: string;
  readonly now: string;
};

/**
 * Bookings behind a sale's date go to other vehicles first; if not all can, nothing changes. Throws
 * `not-found`, `invalid-state` (see `decideStatus`), `vehicle-held` for a recall at a sale.
 */
export async function changeStatus(
  db: Db,
  acting: Acting,
  command: ChangeStatus,
): Promise<VehicleRow> {
  try {
    return await change(db, acting, command, []);
  } catch (error) {
    if (command.name !== 'hold-for-sale' || !isBooked(error)) throw error;
    const { principal } = rowAccess(acting);
    const repacked = await byRepacking(
      () => planSale(db, principal, command.vehicleId, command.from ?? command.now),
      ({ moves }) => change(db, acting, command, moves),
    );
    if (typeof repacked === 'string') throw await withProposals(db, error);
    return repacked.done;
  }
}

function isBooked(error: unknown): error is DomainError {
  return error instanceof DomainError && error.details['reason'] === 'booked';
}

function change(
  db: Db,
  acting: Acting,
  command: ChangeStatus,
  moves: readonly Move[],
): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    if (moves.length > 0) await applyMoves(tx, moves, null);
    const known = await lockVehicle(tx, command);
    if (known.status_command_id === command.commandId) return known;
    const intent = decideStatus(await stateOf(tx, known), command, command.now);
    if (intent.to === 'sold') await refuseBarredSale(tx, known.id);
    const row = await writeStatus(tx, known, command, intent);
    if (row.held_for_sale_at !== known.held_for_sale_at) await syncBlocks(tx, row);
    await record(tx, known, row, command);
    await serveWaiting(tx, row);
    return row;
  });
}

const UPKEEP = 'system:fleet-upkeep';

/**
 * Vehicles whose planned sale date has come leave service; one that is still out does once it is
 * back. Nothing was booked behind the date, so being late costs nothing. Answers how many left.
 */
export async function holdDueForSale(db: Db, now: string): Promise<number> {
  const due = await transact(db, 'vehicles_rw', UPKEEP, async (tx) => {
    const { rows } = await sql<{ readonly id: string }>`select id from vehicles.vehicle
      where status = 'in_service' and held_for_sale_at <= ${now} order by id`.execute(tx);
    return rows;
  });
  let held = 0;
  for (const { id } of due) {
    const command = { vehicleId: id, commandId: id, name: 'hold-for-sale', now } as const;
    try {
      await changeStatus(db, UPKEEP, { ...command, reason: 'The planned date has come.' });
      held += 1;
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'invalid-state')) throw error;
    }
  }
  return held;
}

/** Where others will be served afterwards, their pool comes first: it is every mover's first lock. */
async function lockVehicle(tx: Tx, command: ChangeStatus): Promise<VehicleRow> {
  const { vehicleId } = command;
  if (TRANSITIONS[command.name].to === 'in_service') {
    await lockPoolOf(tx, vehicleId);
  }
  const row = await lockVehicleRow(tx, vehicleId);
  if (row === undefined) throw new DomainError('not-found', 'There is no such vehicle.');
  return row;
}

async function stateOf(tx: Tx, row: VehicleRow) {
  return {
    id: row.id,
    // The table's constraints allow these values and no others.
    status: row.status as VehicleStatus,
    ownership: row.ownership as Ownership,
    heldForSaleAt: row.held_for_sale_at,
    liveSpans: await liveSpans(tx, row.id),
  };
}

/** A recall may let a vehicle drive and still bar its sale. */
async function refuseBarredSale(tx: Tx, vehicleId: string): Promise<void> {
  const { rows } = await sql<{ readonly hold: string | null }>`
    select vehicles.sale_barring_hold(${vehicleId}) as hold`.execute(tx);
  const holdId = rows[0]?.hold ?? null;
  if (holdId === null) return;
  throw new DomainError('vehicle-held', 'A hold bars the sale of this vehicle.', {
    vehicleId,
    holdId,
  });
}

async function writeStatus(
  tx: Tx,
  known: VehicleRow,
  command: ChangeStatus,
  { to, at }: StatusIntent,
): Promise<VehicleRow> {
  const heldForSaleAt = command.name === 'hold-for-sale' ? at : saleAfter(known, to);
  const { rows } = await sql<VehicleRow>`update vehicles.vehicle
    set status = ${to}, held_for_sale_at = ${heldForSaleAt},
      status_command_id = ${command.commandId}, version = version + 1
    where id = ${known.id} returning *`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error('The vehicle was locked and is gone.');
  return row;
}

/** Back in service, or on its way there, nothing is for sale; what is sold keeps the date. */
function saleAfter(known: VehicleRow, to: VehicleStatus): string | null {
  return to === 'sold' || to === 'written_off' ? known.held_for_sale_at : null;
}

async function record(
  tx: Tx,
  known: VehicleRow,
  row: VehicleRow,
  command: ChangeStatus,
): Promise<void> {
  const before = { status: known.status, heldForSaleAt: known.held_for_sale_at };
  const after = { status: row.status, heldForSaleAt: row.held_for_sale_at };
  await publish(tx, {
    type: 'forecourt.vehicle.status-changed.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: {
      vehicleId: row.id,
      branchId: row.branch_id,
      classId: row.class_id,
      previousStatus: known.status,
      ...after,
    },
  });
  await recordAudit(tx, {
    action: `vehicle.${command.name}`,
    subjectType: 'vehicle',
    subjectId: row.id,
    commandId: command.commandId,
    reason: command.reason,
    before,
    after,
  });
}
