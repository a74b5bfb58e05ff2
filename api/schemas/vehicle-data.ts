// What may be told of a vehicle beside its place in the fleet: VIN, energy, owner, supplier, costs.
import { z } from '@hono/zod-openapi';
import type { VehicleRow } from '../../db/commands/vehicles.ts';
import { ENERGIES, OWNERSHIPS } from '../../domain/vehicle.ts';
import { normalVin, vinFault, vinWarning } from '../../domain/vin.ts';
import { Currency, Instant, text } from './common.ts';

const MAX_MINOR = 1_000_000_000_00;
const money = z.int().min(0).max(MAX_MINOR).openapi({ description: 'Minor units of the currency' });
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .openapi({ description: 'ISO 4217', example: 'EUR' });
export const LocalDate = z.iso.date().openapi({ example: '2027-05-03' });

const VIN_FAULTS = {
  'vin-form': 'must be 17 characters: digits and capital letters but I, O and Q',
  'vin-check-digit': 'has a wrong check digit, which North American VINs may not',
} as const;

/** Upper-cased; rule 1 of the trade decides. */
const Vin = z
  .string()
  .max(40)
  .transform((typed, ctx) => {
    const vin = normalVin(typed);
    const fault = vinFault(vin);
    if (fault === null) return vin;
    ctx.addIssue({ code: 'custom', message: VIN_FAULTS[fault] });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: '1M8GDM9AXKP042788' });

const subRental = z
  .strictObject({
    from: Instant,
    until: Instant,
    offHireNoticeDays: z.int().min(0).max(90),
    costPerDayMinor: money,
    currency,
  })
  .openapi({ description: 'The calendar has it from `from` to `until` less the notice' });

const acquisition = z
  .strictObject({
    acquiredOn: LocalDate,
    costMinor: money.openapi({ description: 'Net of recoverable VAT' }),
    currency,
    residualMinor: money.nullable().optional(),
    availableForUseOn: LocalDate.nullable().optional(),
  })
  .refine((given) => (given.residualMinor ?? 0) <= given.costMinor, {
    message: 'must not be above the cost',
    path: ['residualMinor'],
  })
  .refine((given) => (given.availableForUseOn ?? given.acquiredOn) >= given.acquiredOn, {
    message: 'must not lie before the acquisition',
    path: ['availableForUseOn'],
  });

export const PlateJurisdiction = z
  .string()
  .regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/)
  .openapi({ description: 'ISO 3166 of who issued the plate; ZZ: unknown', example: 'AT' });

/** Of a request; each may be left out. */
export const vehicleData = {
  plateJurisdiction: PlateJurisdiction.optional(),
  vin: Vin.nullable().optional(),
  expectedOn: LocalDate.nullable().optional().openapi({ description: 'Of an ordered vehicle' }),
  energy: z.enum(ENERGIES).nullable().optional(),
  tankLitres: z.int().min(1).max(2_000).nullable().optional(),
  batteryKwh: z.number().positive().max(2_000).nullable().optional(),
  ownership: z.enum(OWNERSHIPS).optional(),
  supplier: text(120).nullable().optional(),
  subRental: subRental.nullable().optional(),
  acquisition: acquisition.nullable().optional(),
};

/** Of an answer. */
export const vehicleDataShown = {
  plateJurisdiction: z.string(),
  vin: z.string().nullable(),
  expectedOn: z.string().nullable(),
  energy: z
    .string()
    .nullable()
    .openapi({ enum: [...ENERGIES, null] }),
  tankLitres: z.int().nullable(),
  batteryKwh: z.number().nullable(),
  ownership: z.string().openapi({ enum: [...OWNERSHIPS] }),
  supplier: z.string().nullable(),
  subRental: z
    .object({
      from: z.string(),
      until: z.string(),
      offHireNoticeDays: z.int(),
      costPerDayMinor: z.int(),
      currency: Currency,
    })
    .nullable(),
  acquisition: z
    .object({
      acquiredOn: z.string(),
      costMinor: z.int(),
      currency: Currency,
      residualMinor: z.int().nullable(),
      availableForUseOn: z.string().nullable(),
    })
    .nullable(),
  warnings: z
    .array(z.string())
    .readonly()
    .openapi({ description: 'Worth a second look: vin-check-digit' }),
};

type Told = {
  readonly ownership?: string | undefined;
  readonly supplier?: string | null | undefined;
  readonly subRental?: object | null | undefined;
  readonly acquisition?: object | null | undefined;
  readonly energy?: string | null | undefined;
  readonly tankLitres?: number | null | undefined;
  readonly batteryKwh?: number | null | undefined;
};

/** What must be told together, of a vehicle that is new; the database holds the same. */
export function checkTogether(told: Told, ctx: z.RefinementCtx): void {
  const fault = (path: string, message: string) =>
    ctx.addIssue({ code: 'custom', path: [path], message });
  const ownership = told.ownership ?? 'owned';
  if (ownership !== 'owned' && !told.supplier)
    fault('supplier', `must be named: it is ${ownership}`);
  if ((ownership === 'sub_rented') !== Boolean(told.subRental)) {
    fault('subRental', 'belongs to sub-rented vehicles, all of them and no others');
  }
  if (ownership === 'sub_rented' && told.acquisition) {
    fault('acquisition', 'must be absent: a sub-rented vehicle is no asset');
  }
  if (told.energy === 'electric' && told.tankLitres)
    fault('tankLitres', 'must be absent: electric');
  const noBattery = ['petrol', 'diesel', 'lpg', 'ethanol'].includes(told.energy ?? '');
  if (noBattery && told.batteryKwh) fault('batteryKwh', `must be absent: ${told.energy}`);
}

export function vehicleDataView(row: VehicleRow) {
  return {
    plateJurisdiction: row.plate_jurisdiction,
    vin: row.vin,
    expectedOn: row.expected_on,
    energy: row.energy,
    tankLitres: row.tank_litres,
    batteryKwh: row.battery_kwh,
    ownership: row.ownership,
    supplier: row.supplier,
    subRental: subRentalView(row),
    acquisition: acquisitionView(row),
    warnings: row.vin !== null && vinWarning(row.vin) !== null ? ['vin-check-digit'] : [],
  };
}

function subRentalView(row: VehicleRow) {
  if (row.sub_rented_from === null || row.sub_rented_until === null) return null;
  return {
    from: row.sub_rented_from,
    until: row.sub_rented_until,
    offHireNoticeDays: row.off_hire_notice_days ?? 0,
    costPerDayMinor: row.cost_per_day_minor ?? 0,
    currency: row.cost_currency ?? '',
  };
}

function acquisitionView(row: VehicleRow) {
  if (row.acquired_on === null) return null;
  return {
    acquiredOn: row.acquired_on,
    costMinor: row.acquisition_cost_minor ?? 0,
    currency: row.acquisition_currency ?? '',
    residualMinor: row.residual_minor,
    availableForUseOn: row.available_for_use_on,
  };
}
