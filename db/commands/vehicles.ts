// The register of vehicles: each change with its event and audit row.
import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesVehicle } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, updateVersion } from './master-data.ts';
import { holdForRecalls } from './recalls.ts';
import { liveSpans, syncBlocks } from './vehicle-blocks.ts';
import { dataColumns, type VehicleData } from './vehicle-columns.ts';
import { lockPoolOf, lockVehicleRow, serveWaiting } from './vehicle-locks.ts';

export type VehicleRow = Selectable<VehiclesVehicle>;

export type NewVehicle = VehicleData & {
  readonly id: string;
  /** Left out, it is in service at once. */
  readonly status?: 'ordered' | 'preparing' | 'in_service' | undefined;
  readonly odometerKm: number;
  readonly fuelEighths?: number | undefined;
};
export type VehicleChange = Partial<VehicleData>;

/**
 * Throws `duplicate` for a plate or VIN that is taken, `not-found` for an unknown branch or class,
 * `value-refused` for what the register's rules do not allow.
 */
export function registerVehicle(db: Db, acting: Acting, vehicle: NewVehicle): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { row, created } = await registerVehicleIn(tx, vehicle);
    if (created) {
      await holdForRecalls(tx, [row]);
      await serveWaiting(tx, row);
    }
    return row;
  });
}

/** For who registers many in one transaction: then `holdForRecalls`, and each pool's `promotePool`. */
export async function registerVehicleIn(
  tx: Tx,
  vehicle: NewVehicle,
): Promise<{ readonly row: VehicleRow; readonly created: boolean }> {
  const columns = {
    ...dataColumns(vehicle),
    id: vehicle.id,
    status: vehicle.status,
    odometer_km: vehicle.odometerKm,
    fuel_eighths: vehicle.fuelEighths,
  };
  const { row, created } = await insertOnce<VehicleRow>(tx, 'vehicles.vehicle', columns);
  if (!created) return { row, created };
  if (row.ownership === 'sub_rented') await syncBlocks(tx, row);
  await publish(tx, {
    type: 'forecourt.vehicle.registered.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: {
      vehicleId: row.id,
      branchId: row.branch_id,
      classId: row.class_id,
      odometerKm: row.odometer_km,
    },
  });
  await recordAudit(tx, audit('vehicle.register', row.id, vehicle));
  return { row, created };
}

/**
 * Class and branch of a vehicle that the calendar still counts on may not change
 * (`resource-in-use`), nor may a sub-rental end before what is booked (`invalid-state`).
 */
export function updateVehicle(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: VehicleChange,
): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const moves = change.classId !== undefined || change.branchId !== undefined;
    const changesWindow = change.subRental !== undefined || change.ownership !== undefined;
    if (changesWindow) await lockPoolOf(tx, id);
    if (moves) await refuseIfBooked(tx, id);
    const columns = dataColumns(change);
    const row = await updateVersion<VehicleRow>(tx, 'vehicles.vehicle', id, version, columns);
    if (moves || changesWindow) await syncBlocks(tx, row);
    await publish(tx, {
      type: 'forecourt.vehicle.updated.v1',
      aggregateId: id,
      sequence: row.version,
      data: { vehicleId: id, branchId: row.branch_id, classId: row.class_id },
    });
    await recordAudit(tx, audit('vehicle.update', id, change));
    const { vin, make, model, modelYear } = change;
    if ([vin, make, model, modelYear].some((one) => one !== undefined)) {
      await holdForRecalls(tx, [row]);
    }
    if (moves || changesWindow) await serveWaiting(tx, row);
    return row;
  });
}

/** Locks the vehicle first: a reservation that is about to take it holds it until it has. */
async function refuseIfBooked(tx: Tx, vehicleId: string): Promise<void> {
  await lockVehicleRow(tx, vehicleId);
  const spans = await liveSpans(tx, vehicleId);
  if (spans.length === 0) return;
  throw new DomainError('resource-in-use', 'The vehicle is out or booked.', { vehicleId, spans });
}

function audit(action: string, vehicleId: string, after: object) {
  return { action, subjectType: 'vehicle', subjectId: vehicleId, after } as const;
}
