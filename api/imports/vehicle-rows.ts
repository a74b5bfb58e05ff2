// The rows of a table as vehicles, each judged by the rules of the route that registers one.
import type { z } from '@hono/zod-openapi';
import { type ImportProblem, repeated } from '../../domain/vehicle-import.ts';
import { vinWarning } from '../../domain/vin.ts';
import { NewVehicle } from '../schemas/vehicles.ts';
import { rowReader } from './rows.ts';

export type VehicleRows = {
  /** Those without a fault. */
  readonly vehicles: readonly { readonly row: number; readonly vehicle: NewVehicleBody }[];
  readonly problems: readonly ImportProblem[];
};
export type NewVehicleBody = z.infer<typeof NewVehicle>;

const readRows = rowReader(NewVehicle, 'vehicles');

/** The first row is the head. Rows that are empty are left out, and still counted. */
export function vehicleRows(table: readonly (readonly string[])[]): VehicleRows {
  const { good, problems, spelling } = readRows(table);
  const vehicles = good.map(({ row, body: vehicle }) => ({ row, vehicle }));
  return { vehicles, problems: [...problems, ...warnings(vehicles, spelling)] };
}

/** What the file says twice; the register has the last word on what it holds already. */
export function repeatedIn({ vehicles }: VehicleRows): readonly ImportProblem[] {
  const rows = vehicles.map(({ row, vehicle }) => ({ row, value: vehicle }));
  return [
    ...repeated(rows, 'plate', (v) =>
      [v.plateJurisdiction ?? '', v.plate.toUpperCase().replaceAll(/[\s.·•_-]/g, '')].join('/'),
    ),
    ...repeated(rows, 'vin', ({ vin }) => vin ?? null),
  ];
}

function warnings(
  vehicles: VehicleRows['vehicles'],
  spelling: ReadonlyMap<string | null, string>,
): readonly ImportProblem[] {
  return vehicles
    .filter(({ vehicle: { vin } }) => typeof vin === 'string' && vinWarning(vin) !== null)
    .map(({ row }) => ({
      row,
      column: spelling.get('vin') ?? 'vin',
      severity: 'warning',
      problem: 'has an unusual check digit',
    }));
}
