// Locks of the register, in the calendar's order: the pool first, then spans, then the vehicle.
import { type Selectable, sql } from 'kysely';
import type { Tx } from '../client.ts';
import type { VehiclesVehicle } from '../schema.ts';
import { promotePool } from './calendar.ts';

type VehicleRow = Selectable<VehiclesVehicle>;

/** For who will serve others of the vehicle's pool at the end of the transaction. */
export async function lockPoolOf(tx: Tx, vehicleId: string): Promise<void> {
  await sql`select vehicles.lock_pool(branch_id, class_id)
    from vehicles.vehicle where id = ${vehicleId}`.execute(tx);
}

/** Undefined when it is not there, or out of sight. */
export async function lockVehicleRow(tx: Tx, vehicleId: string): Promise<VehicleRow | undefined> {
  const { rows } = await sql<VehicleRow>`select * from vehicles.vehicle
    where id = ${vehicleId} for update`.execute(tx);
  return rows[0];
}

/** Who waits for a vehicle of this pool may have found one. The last step: it locks the pool. */
export async function serveWaiting(tx: Tx, row: VehicleRow): Promise<void> {
  if (row.status === 'in_service') await promotePool(tx, row.branch_id, row.class_id);
}
