// A transfer's row as its state, and what every fact about it says.
import { type RawBuilder, sql } from 'kysely';
import type { TransferFact } from '../domain/events/vehicles.ts';
import type { TransferState } from '../domain/transfer.ts';

export const TRANSFER_COLUMNS: RawBuilder<unknown> = sql`id, status, vehicle_id as "vehicleId",
  class_id as "classId", from_branch as "fromBranchId", to_branch as "toBranchId",
  driver_id as "driverId", departs_at as "departsAt", arrives_at as "arrivesAt", overdue,
  kept_until as "keptUntil", departed_at as "departedAt", arrived_at as "arrivedAt",
  odometer_out_km as "odometerOutKm", odometer_in_km as "odometerInKm",
  fuel_out_eighths as "fuelOutEighths", fuel_in_eighths as "fuelInEighths",
  cancel_reason as "cancelReason", version`;

export function factOf({
  id,
  status,
  vehicleId,
  fromBranchId,
  toBranchId,
}: TransferState): TransferFact {
  return { transferId: id, status, vehicleId, fromBranchId, toBranchId };
}
