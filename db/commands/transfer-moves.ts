// What each command does to a transfer: its span in the calendar, its row, its readings, its event.
import { type RawBuilder, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { EventType } from '../../domain/events.ts';
import {
  type Arrive,
  arrivalAfter,
  type CancelTransfer,
  type Depart,
  KEPT_AHEAD_MS,
  type TransferCommand,
  type TransferState,
} from '../../domain/transfer.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { factOf, TRANSFER_COLUMNS } from '../transfer-row.ts';
import { asked, type MovedSpan } from './calendar.ts';
import { recordDashReading } from './meters.ts';

type Done = { readonly transfer: TransferState; readonly moved: readonly MovedSpan[] };
type Answer = { readonly refused?: string; readonly moved?: readonly MovedSpan[] };

/** `before` is locked, and allows the command; `depart` and `arrive` carry their instant. */
export function carryOut(tx: Tx, before: TransferState, command: TransferCommand): Promise<Done> {
  switch (command.type) {
    case 'depart':
      return depart(tx, before, command);
    case 'arrive':
      return arrive(tx, before, command);
    case 'cancel':
      return cancel(tx, before, command);
    case 'markOverdue':
      return markOverdue(tx, before);
    default:
      return command satisfies never;
  }
}

async function depart(tx: Tx, before: TransferState, command: Depart): Promise<Done> {
  const { odometerKm, fuelEighths, at = new Date().toISOString() } = command;
  await checkOdometer(tx, before.vehicleId, odometerKm);
  const answer = await asked<Answer>(tx, sql`vehicles.depart_transfer(${before.id}, ${at})`);
  if (answer.refused !== undefined) {
    throw new DomainError(
      'vehicle-unavailable',
      'The vehicle is not there, or is out; cancel the transfer or try again later.',
      { vehicleId: before.vehicleId },
    );
  }
  const arrivesAt = arrivalAfter(before, at);
  const later = arrivesAt === before.arrivesAt ? [] : await roll(tx, before.id, arrivesAt);
  const transfer = await change(
    tx,
    before,
    sql`status = 'under_way', overdue = false, departed_at = ${at}, arrives_at = ${arrivesAt},
      odometer_out_km = ${odometerKm}, fuel_out_eighths = ${fuelEighths},
      driver_id = ${command.driverId ?? before.driverId}`,
  );
  await read(tx, before.vehicleId, { odometerKm, fuelEighths, at }, 'check-out');
  await tell(tx, 'forecourt.transfer.departed.v1', transfer, { odometerKm, departedAt: at });
  return { transfer, moved: [...(answer.moved ?? []), ...later] };
}

async function arrive(tx: Tx, before: TransferState, command: Arrive): Promise<Done> {
  const { odometerKm, fuelEighths, at = new Date().toISOString() } = command;
  const { moved = [] } = await asked<Answer>(
    tx,
    sql`vehicles.arrive_transfer(${before.id}, ${at})`,
  );
  const transfer = await change(
    tx,
    before,
    sql`status = 'arrived', overdue = false, kept_until = null, arrived_at = ${at},
      odometer_in_km = ${odometerKm}, fuel_in_eighths = ${fuelEighths}`,
  );
  await read(tx, before.vehicleId, { odometerKm, fuelEighths, at }, 'check-in');
  const km = odometerKm - (before.odometerOutKm ?? odometerKm);
  await tell(tx, 'forecourt.transfer.arrived.v1', transfer, { odometerKm, km, arrivedAt: at });
  return { transfer, moved };
}

async function cancel(tx: Tx, before: TransferState, { reason }: CancelTransfer): Promise<Done> {
  // One that the calendar gave up is released already, which a repeat leaves as it is.
  const { moved = [] } = await asked<Answer>(tx, sql`vehicles.cancel_transfer(${before.id})`);
  const transfer = await change(
    tx,
    before,
    sql`status = 'cancelled', overdue = false, cancel_reason = ${reason}`,
  );
  await tell(tx, 'forecourt.transfer.cancelled.v1', transfer, { reason });
  return { transfer, moved };
}

/** Of one under way the calendar is kept on; one that was not driven is only somebody's concern. */
async function markOverdue(tx: Tx, before: TransferState): Promise<Done> {
  const isOut = before.status === 'under_way';
  const keptUntil = isOut ? new Date(Date.now() + KEPT_AHEAD_MS).toISOString() : null;
  const moved = keptUntil === null ? [] : await roll(tx, before.id, keptUntil);
  const transfer = await change(tx, before, sql`overdue = true, kept_until = ${keptUntil}`);
  const { arrivesAt } = transfer;
  await tell(tx, 'forecourt.transfer.overdue.v1', transfer, { arrivesAt, keptUntil });
  return { transfer, moved };
}

async function roll(tx: Tx, id: string, until: string): Promise<readonly MovedSpan[]> {
  const { moved = [] } = await asked<Answer>(tx, sql`vehicles.roll_transfer(${id}, ${until})`);
  return moved;
}

async function checkOdometer(tx: Tx, vehicleId: string, odometerKm: number): Promise<void> {
  const { rows } = await sql<{ km: number }>`select odometer_km as km from vehicles.vehicle
    where id = ${vehicleId} for update`.execute(tx);
  const lastKm = rows[0]?.km ?? 0;
  if (odometerKm >= lastKm) return;
  throw new DomainError('odometer-rollback', 'The odometer reads less than it did before.', {
    lastKm,
  });
}

/** Drivers read the dash as renters' counters do. */
function read(
  tx: Tx,
  vehicleId: string,
  reading: Required<Arrive> & { readonly at: string },
  origin: 'check-out' | 'check-in',
): Promise<void> {
  return recordDashReading(tx, { vehicleId, ...reading, origin });
}

async function change(
  tx: Tx,
  before: TransferState,
  set: RawBuilder<unknown>,
): Promise<TransferState> {
  const { rows } = await sql<TransferState>`update vehicles.transfer
    set ${set}, version = version + 1
    where id = ${before.id} and version = ${before.version}
    returning ${TRANSFER_COLUMNS}`.execute(tx);
  return rows[0] as TransferState;
}

type TransferEvent = Extract<EventType, `forecourt.transfer.${string}`>;

async function tell(
  tx: Tx,
  type: Exclude<TransferEvent, 'forecourt.transfer.planned.v1'>,
  transfer: TransferState,
  more: object,
): Promise<void> {
  const data = { ...factOf(transfer), ...more };
  await publish(tx, {
    type,
    aggregateId: transfer.id,
    sequence: transfer.version,
    data,
  } as Parameters<typeof publish>[1]);
}
