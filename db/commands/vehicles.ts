// The register of vehicles: each change with its event and audit row.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesVehicle } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, updateVersion } from './master-data.ts';

export type VehicleRow = Selectable<VehiclesVehicle>;

export type NewVehicle = {
  readonly id: string;
  readonly plate: string;
  readonly classId: string;
  readonly branchId: string;
  readonly make: string;
  readonly model: string;
  readonly modelYear: number;
  readonly odometerKm: number;
  readonly fuelEighths?: number | undefined;
};
export type VehicleChange = Partial<
  Pick<NewVehicle, 'plate' | 'classId' | 'branchId' | 'make' | 'model' | 'modelYear'>
> & { readonly status?: 'preparing' | 'in_service' | undefined };

/** Throws `duplicate` for a plate that is taken, `not-found` for an unknown branch or class. */
export function registerVehicle(db: Db, acting: Acting, vehicle: NewVehicle): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const columns = { ...vehicleColumns(vehicle), id: vehicle.id };
    const { row, created } = await insertOnce<VehicleRow>(tx, 'vehicles.vehicle', columns);
    if (!created) return row;
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
    return row;
  });
}

/** Class and branch of a vehicle that the calendar still counts on may not change (`resource-in-use`). */
export function updateVehicle(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: VehicleChange,
): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    if (change.classId ?? change.branchId ?? change.status) await refuseIfBooked(tx, id);
    const columns = vehicleColumns(change);
    const row = await updateVersion<VehicleRow>(tx, 'vehicles.vehicle', id, version, columns);
    await publish(tx, {
      type: 'forecourt.vehicle.updated.v1',
      aggregateId: id,
      sequence: row.version,
      data: { vehicleId: id, branchId: row.branch_id, classId: row.class_id },
    });
    await recordAudit(tx, audit('vehicle.update', id, change));
    return row;
  });
}

/** Locks the vehicle first: a reservation that is about to take it holds it until it has. */
async function refuseIfBooked(tx: Tx, vehicleId: string): Promise<void> {
  await tx
    .selectFrom('vehicles.vehicle')
    .select('id')
    .where('id', '=', vehicleId)
    .forUpdate()
    .execute();
  const booked = await tx
    .selectFrom('vehicles.span')
    .select('id')
    .where('vehicle_id', '=', vehicleId)
    .where('grip', '<>', 'released')
    .where(sql<boolean>`(grip = 'out' or upper(during) > now())`)
    .limit(1)
    .executeTakeFirst();
  if (booked) {
    throw new DomainError('resource-in-use', 'The vehicle is out or booked.', { vehicleId });
  }
}

function audit(action: string, vehicleId: string, after: object) {
  return { action, subjectType: 'vehicle', subjectId: vehicleId, after } as const;
}

function vehicleColumns(vehicle: Partial<NewVehicle> & VehicleChange) {
  return {
    id: vehicle.id,
    plate: vehicle.plate,
    class_id: vehicle.classId,
    branch_id: vehicle.branchId,
    make: vehicle.make,
    model: vehicle.model,
    model_year: vehicle.modelYear,
    odometer_km: vehicle.odometerKm,
    fuel_eighths: vehicle.fuelEighths,
    status: vehicle.status,
  };
}
