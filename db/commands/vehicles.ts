// The register: branches, classes and vehicles, each change with its event and audit row.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesBranch, VehiclesClass, VehiclesVehicle } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, updateVersion } from './master-data.ts';

export type BranchRow = Selectable<VehiclesBranch>;
export type ClassRow = Selectable<VehiclesClass>;
export type VehicleRow = Selectable<VehiclesVehicle>;

export type NewBranch = {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly entityId: string;
  readonly turnaroundMinutes?: number | undefined;
  readonly noShowGraceMinutes?: number | undefined;
};
export type BranchChange = Partial<Omit<NewBranch, 'id' | 'entityId' | 'timeZone'>>;
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

/** Throws `duplicate` when the code is taken by another branch. */
export function registerBranch(db: Db, principal: string, branch: NewBranch): Promise<BranchRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const columns = { ...branchColumns(branch), id: branch.id };
    const { row, created } = await insertOnce<BranchRow>(tx, 'vehicles.branch', columns);
    if (created) await recordAudit(tx, audit('branch.register', 'branch', row.id, branch));
    return row;
  });
}

/** Throws `not-found`, or `version-conflict` when `version` is not the newest. */
export function updateBranch(
  db: Db,
  principal: string,
  id: string,
  version: number,
  change: BranchChange,
): Promise<BranchRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const row = await updateVersion<BranchRow>(
      tx,
      'vehicles.branch',
      id,
      version,
      branchColumns(change),
    );
    await recordAudit(tx, audit('branch.update', 'branch', id, change));
    return row;
  });
}

/** Throws `duplicate` when the code is taken by another class. */
export function registerClass(
  db: Db,
  principal: string,
  vehicleClass: { readonly id: string; readonly name: string },
): Promise<ClassRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const { row, created } = await insertOnce<ClassRow>(tx, 'vehicles.class', vehicleClass);
    if (created) await recordAudit(tx, audit('class.register', 'class', row.id, vehicleClass));
    return row;
  });
}

export function updateClass(
  db: Db,
  principal: string,
  id: string,
  version: number,
  change: { readonly name?: string | undefined },
): Promise<ClassRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const row = await updateVersion<ClassRow>(tx, 'vehicles.class', id, version, change);
    await recordAudit(tx, audit('class.update', 'class', id, change));
    return row;
  });
}

/** Throws `duplicate` for a plate that is taken, `not-found` for an unknown branch or class. */
export function registerVehicle(
  db: Db,
  principal: string,
  vehicle: NewVehicle,
): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
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
    await recordAudit(tx, audit('vehicle.register', 'vehicle', row.id, vehicle));
    return row;
  });
}

/** Class and branch of a vehicle that the calendar still counts on may not change (`resource-in-use`). */
export function updateVehicle(
  db: Db,
  principal: string,
  id: string,
  version: number,
  change: VehicleChange,
): Promise<VehicleRow> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    if (change.classId ?? change.branchId ?? change.status) await refuseIfBooked(tx, id);
    const columns = vehicleColumns(change);
    const row = await updateVersion<VehicleRow>(tx, 'vehicles.vehicle', id, version, columns);
    await publish(tx, {
      type: 'forecourt.vehicle.updated.v1',
      aggregateId: id,
      sequence: row.version,
      data: { vehicleId: id, branchId: row.branch_id, classId: row.class_id },
    });
    await recordAudit(tx, audit('vehicle.update', 'vehicle', id, change));
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

function audit(
  action: string,
  subjectType: 'vehicle' | 'branch' | 'class',
  subjectId: string,
  after: object,
) {
  return { action, subjectType, subjectId, after };
}

function branchColumns(branch: Partial<NewBranch>) {
  return {
    id: branch.id,
    name: branch.name,
    time_zone: branch.timeZone,
    entity_id: branch.entityId,
    turnaround_minutes: branch.turnaroundMinutes,
    no_show_grace_minutes: branch.noShowGraceMinutes,
  };
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
