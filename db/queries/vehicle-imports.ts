// Reads of imports, and what the register has against the vehicles of one.
import { type Selectable, sql } from 'kysely';
import { type ImportProblem, problemOf } from '../../domain/vehicle-import.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import type { NewVehicle } from '../commands/vehicles.ts';
import type { VehiclesImport } from '../schema.ts';

export type ImportRow = Selectable<VehiclesImport>;
export type ImportedVehicle = { readonly row: number; readonly vehicle: NewVehicle };

export function importById(db: Db, acting: Acting, id: string): Promise<ImportRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('vehicles.import').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/**
 * Branches and classes that do not exist, plates and VINs that are taken. It looks at the whole
 * register, since a plate is taken wherever its vehicle is.
 */
export function registerProblems(
  db: Db,
  acting: Acting,
  vehicles: readonly ImportedVehicle[],
): Promise<readonly ImportProblem[]> {
  const wide = { ...rowAccess(acting), scope: '*' };
  return transact(db, 'api_read', wide, async (tx) => {
    const [branches, classes] = [await codes(tx, 'branch'), await codes(tx, 'class')];
    return [
      ...unknown(vehicles, 'branchId', branches, 'branch'),
      ...unknown(vehicles, 'homeBranchId', branches, 'branch'),
      ...unknown(vehicles, 'classId', classes, 'class'),
      ...(await taken(tx, vehicles)),
    ];
  });
}

async function codes(tx: Tx, table: 'branch' | 'class'): Promise<ReadonlySet<string>> {
  const rows = await tx.selectFrom(`vehicles.${table}`).select('id').execute();
  return new Set(rows.map(({ id }) => id));
}

function unknown(
  vehicles: readonly ImportedVehicle[],
  field: 'branchId' | 'homeBranchId' | 'classId',
  known: ReadonlySet<string>,
  noun: string,
): readonly ImportProblem[] {
  return vehicles.flatMap(({ row, vehicle: { [field]: code } }) =>
    code === undefined || known.has(code)
      ? []
      : [problemOf(row, field, `There is no such ${noun}: ${code}.`)],
  );
}

async function taken(
  tx: Tx,
  vehicles: readonly ImportedVehicle[],
): Promise<readonly ImportProblem[]> {
  const wanted = vehicles.map(({ row, vehicle }) => ({
    row,
    plate: vehicle.plate,
    jurisdiction: vehicle.plateJurisdiction ?? 'ZZ',
    vin: vehicle.vin ?? null,
  }));
  const { rows } = await sql<{ row: number; field: 'plate' | 'vin'; value: string }>`
    with wanted as materialized (
      select *, vehicles.plate_key(plate) as plate_key
      from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
        as w (row int, plate text, jurisdiction text, vin text))
    select w.row, 'plate' as field, w.plate as value from wanted w
    join vehicles.plate p on p.plate_key = w.plate_key and p.jurisdiction = w.jurisdiction
      and upper_inf(p.valid)
    union all
    select w.row, 'vin', w.vin from wanted w join vehicles.vehicle v on v.vin = w.vin
    order by 1, 2`.execute(tx);
  return rows.map(({ row, field, value }) => problemOf(row, field, `${value} is taken.`));
}
