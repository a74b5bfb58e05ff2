// Transfer tickets as they are asked for, driven and shown.
import { z } from '@hono/zod-openapi';
import {
  allowedCommands,
  CANCEL_REASONS,
  TRANSFER_STATUSES,
  type TransferState,
} from '../../domain/transfer.ts';
import { BranchId, ClassId, Id, Instant, pageQuery, UtcInstant } from './common.ts';

export const NewTransfer = z
  .strictObject({
    vehicleId: Id,
    toBranchId: BranchId,
    driverId: Id.nullable().default(null).openapi({ description: 'A staff member' }),
    departsAt: Instant,
    arrivesAt: Instant.nullable().default(null).openapi({
      description: 'null: after the travel time of the two branches, which is the least',
    }),
  })
  .openapi('NewTransfer');

const reading = {
  odometerKm: z.int().min(0).max(10_000_000),
  fuelEighths: z.int().min(0).max(8),
  at: Instant.optional().openapi({ description: 'Left out, now; never one that is to come' }),
};
export const TransferDeparture = z
  .strictObject({ ...reading, driverId: Id.optional() })
  .openapi('TransferDeparture');
export const TransferArrival = z.strictObject(reading).openapi('TransferArrival');
export const TransferCancellation = z
  .strictObject({ reason: z.enum(CANCEL_REASONS) })
  .openapi('TransferCancellation');

export const Transfer = z
  .object({
    id: Id,
    status: z.enum(TRANSFER_STATUSES),
    vehicleId: Id,
    classId: ClassId,
    fromBranchId: BranchId,
    toBranchId: BranchId,
    driverId: Id.nullable(),
    departsAt: UtcInstant,
    arrivesAt: UtcInstant,
    overdue: z.boolean().openapi({ description: 'Somebody has to look where the vehicle is' }),
    keptUntil: UtcInstant.nullable().openapi({
      description: 'Late: until then the calendar counts the vehicle as not there',
    }),
    departedAt: UtcInstant.nullable(),
    arrivedAt: UtcInstant.nullable(),
    odometerOutKm: z.int().nullable(),
    odometerInKm: z.int().nullable(),
    fuelOutEighths: z.int().nullable(),
    fuelInEighths: z.int().nullable(),
    km: z.int().nullable().openapi({ description: 'Driven without revenue' }),
    cancelReason: z.enum([...CANCEL_REASONS, 'not-departed', 'void']).nullable(),
    commands: z.array(z.enum(['depart', 'arrive', 'cancel'])).readonly(),
    version: z.int(),
  })
  .openapi('Transfer');

const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional()
  .openapi({ type: 'boolean' });

export const TransferList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional().openapi({ description: 'At either end' }),
  vehicleId: Id.optional(),
  status: z.enum(TRANSFER_STATUSES).optional(),
  overdue: flag,
});

export function transferView(state: TransferState): z.infer<typeof Transfer> {
  const { odometerOutKm, odometerInKm } = state;
  const isDriven = odometerOutKm !== null && odometerInKm !== null;
  return {
    ...state,
    km: isDriven ? odometerInKm - odometerOutKm : null,
    commands: allowedCommands(state.status) as readonly ('depart' | 'arrive' | 'cancel')[],
  };
}
