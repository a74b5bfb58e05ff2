// Registers many vehicles at once: the same rows, events and audit rows as one by one, in few statements.
import { sql } from 'kysely';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { named } from './master-data.ts';
import { syncBlocks } from './vehicle-blocks.ts';
import { dataColumns } from './vehicle-columns.ts';
import type { NewVehicle, VehicleRow } from './vehicles.ts';

/** A statement of some thousand parameters: more only makes it longer, not faster. */
const ROWS_AT_ONCE = 200;

/**
 * As `registerVehicleIn` for each, in order; the ids must be new. Who calls it serves the pools
 * afterwards. Throws `duplicate`, `not-found` and `value-refused` for the first batch that has one.
 */
export async function registerVehiclesIn(
  tx: Tx,
  vehicles: readonly NewVehicle[],
): Promise<readonly VehicleRow[]> {
  const registered: VehicleRow[] = [];
  for (let at = 0; at < vehicles.length; at += ROWS_AT_ONCE) {
    const batch = vehicles.slice(at, at + ROWS_AT_ONCE);
    const rows = await insert(tx, batch);
    for (const row of rows) if (row.ownership === 'sub_rented') await syncBlocks(tx, row);
    await publish(tx, ...rows.map(registeredFact));
    await auditAll(tx, batch);
    registered.push(...rows);
  }
  return registered;
}

async function insert(tx: Tx, vehicles: readonly NewVehicle[]): Promise<readonly VehicleRow[]> {
  const all = vehicles.map((vehicle) => ({
    id: vehicle.id,
    ...dataColumns(vehicle),
    status: vehicle.status,
    odometer_km: vehicle.odometerKm,
    fuel_eighths: vehicle.fuelEighths,
  }));
  const names = [...new Set(all.flatMap((columns) => Object.keys(columns)))];
  const tuples = all.map((columns: Readonly<Record<string, unknown>>) => {
    const values = names.map((name) => {
      // What was not told is the table's to say.
      return columns[name] === undefined ? sql`default` : sql`${columns[name]}`;
    });
    return sql`(${sql.join(values)})`;
  });
  const { rows } = await named(() =>
    sql<VehicleRow>`insert into vehicles.vehicle (${sql.join(names.map((name) => sql.id(name)))})
      values ${sql.join(tuples)} returning *`.execute(tx),
  );
  return rows;
}

function registeredFact(row: VehicleRow) {
  return {
    type: 'forecourt.vehicle.registered.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: {
      vehicleId: row.id,
      branchId: row.branch_id,
      classId: row.class_id,
      odometerKm: row.odometer_km,
    },
  } as const;
}

async function auditAll(tx: Tx, vehicles: readonly NewVehicle[]): Promise<void> {
  await sql`select people.record_audit('vehicle.register', 'vehicle', after ->> 'id', null, null,
      null, after)
    from jsonb_array_elements(${JSON.stringify(vehicles)}::jsonb) after`.execute(tx);
}
