// Classes and vehicles as they are sent and shown, and what is free of them.
import { z } from '@hono/zod-openapi';
import type { ClassRow } from '../../db/commands/branches.ts';
import type { VehicleRow } from '../../db/commands/vehicles.ts';
import { acrissFault, acrissWords } from '../../domain/acriss.ts';
import { VEHICLE_STATUSES } from '../../domain/vehicle.ts';
import { normalVin } from '../../domain/vin.ts';
import { BranchId, ClassId, Id, Instant, pageQuery, sortQuery, text } from './common.ts';
import { checkTogether, vehicleData, vehicleDataShown, vehicleDataView } from './vehicle-data.ts';

const name = text(120);

export const VehicleClass = z
  .object({
    id: ClassId,
    name: z.string(),
    meaning: z
      .object({
        category: z.string(),
        type: z.string(),
        transmission: z.string(),
        fuel: z.string(),
      })
      .nullable()
      .openapi({ description: 'The ACRISS code in words' }),
    version: z.int(),
  })
  .openapi('Class');

const AcrissCode = ClassId.superRefine((code, ctx) => {
  const place = acrissFault(code);
  if (place !== null) {
    ctx.addIssue({ code: 'custom', message: `is no ACRISS code: its ${place} means nothing` });
  }
});
export const NewClass = z.strictObject({ id: AcrissCode, name }).openapi('NewClass');
export const ClassChange = z.strictObject({ name }).openapi('ClassChange');

export const Vehicle = z
  .object({
    id: Id,
    plate: z.string(),
    classId: ClassId,
    branchId: BranchId,
    homeBranchId: BranchId,
    status: z.string().openapi({ enum: [...VEHICLE_STATUSES] }),
    heldForSaleAt: z
      .string()
      .nullable()
      .openapi({ description: 'From when on it is not booked any more; may lie ahead' }),
    make: z.string(),
    model: z.string(),
    modelYear: z.int(),
    odometerKm: z.int(),
    fuelEighths: z.int(),
    ...vehicleDataShown,
    version: z.int(),
  })
  .openapi('Vehicle');

const changeable = {
  plate: text(20),
  classId: ClassId,
  branchId: BranchId,
  make: text(60),
  model: text(60),
  modelYear: z.int().min(1900).max(2100),
  homeBranchId: BranchId.optional(),
  ...vehicleData,
};

export const NewVehicle = z
  .strictObject({
    ...changeable,
    odometerKm: z.int().min(0).max(5_000_000),
    fuelEighths: z.int().min(0).max(8).optional(),
    status: z.enum(['ordered', 'preparing', 'in_service']).optional(),
  })
  .superRefine(checkTogether)
  .openapi('NewVehicle');

export const VehicleChange = z
  .strictObject(changeable)
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('VehicleChange');

export const ClassList = z.strictObject(pageQuery(ClassId));
export const VehicleList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  classId: ClassId.optional(),
  status: z.enum(VEHICLE_STATUSES).optional(),
  vin: text(40).transform(normalVin).optional(),
  q: text(20).optional().openapi({ description: 'The beginning of the plate, in any case' }),
  sort: sortQuery({ plate: 'plate', odometerKm: 'odometer_km' }),
});

export const AvailabilityQuery = z
  .strictObject({
    branchId: BranchId,
    returnBranchId: BranchId.optional().openapi({
      description: 'Where the vehicles come back; left out, where they start',
    }),
    classId: ClassId.optional(),
    from: Instant,
    to: Instant,
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    message: 'must lie after from',
    path: ['to'],
  });

export const Availability = z
  .object({
    branchId: BranchId,
    returnBranchId: BranchId.optional(),
    from: z.string(),
    to: z.string(),
    classes: z
      .array(
        z.object({
          classId: ClassId,
          free: z.int(),
          planned: z.int().optional().openapi({
            description: 'Ordered and expected by then, not bookable; where the branch shows it',
          }),
          stopped: z
            .literal(true)
            .optional()
            .openapi({ description: 'A stop-sell rule: not sold, however many are free' }),
        }),
      )
      .readonly(),
  })
  .openapi('Availability');

export function changesSomething(change: object): boolean {
  return Object.values(change).some((value) => value !== undefined);
}

export function classView(row: ClassRow) {
  const { id, name, version } = row;
  return { id, name, meaning: acrissWords(id), version };
}

export function vehicleView(row: VehicleRow) {
  return {
    id: row.id,
    plate: row.plate,
    classId: row.class_id,
    branchId: row.branch_id,
    homeBranchId: row.home_branch_id,
    status: row.status,
    heldForSaleAt: row.held_for_sale_at,
    make: row.make,
    model: row.model,
    modelYear: row.model_year,
    odometerKm: row.odometer_km,
    fuelEighths: row.fuel_eighths,
    ...vehicleDataView(row),
    version: row.version,
  };
}
