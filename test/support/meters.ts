// Readings for tests: a vehicle of its own, hours counted from a month ago, what became of each.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { transact } from '../../db/client.ts';
import { type NewReading, recordReadings } from '../../db/commands/meters.ts';
import type { DB } from '../../db/schema.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, plantFleet } from './fleet.ts';

const START_MS = Math.floor(Date.now() / 86_400_000 - 30) * 86_400_000;

/** An instant that many hours after midnight, 30 days ago. */
export function hoursIn(hours: number): string {
  return new Date(START_MS + hours * 3_600_000).toISOString();
}

/** Registered with 1,000 km, in a branch of its own. */
export async function plantVehicle({ db }: TestDatabase): Promise<string> {
  const [id] = (await plantFleet(db, { vehicles: 1 })).vehicleIds;
  if (id === undefined) throw new Error('No vehicle was planted.');
  return id;
}

type Over = Partial<NewReading>;

export function dash(vehicleId: string, hours: number, value: number, over: Over = {}) {
  return reading({
    vehicleId,
    takenAt: hoursIn(hours),
    value,
    source: 'dash',
    deviceId: '',
    ...over,
  });
}

export function can(vehicleId: string, hours: number, value: number, over: Over = {}) {
  return reading({ vehicleId, takenAt: hoursIn(hours), value, source: 'can', ...over });
}

export function dtc(vehicleId: string, hours: number, code: string, active: boolean, over = {}) {
  const said = { kind: 'dtc', code, value: active ? 1 : 0 } as const;
  return reading({ vehicleId, takenAt: hoursIn(hours), source: 'can', ...said, ...over });
}

function reading(over: Over & Pick<NewReading, 'vehicleId' | 'takenAt' | 'source'>) {
  const usual = { kind: 'odometer', deviceId: 'dev-1', code: '', value: 0 } as const;
  return { ...usual, origin: 'http', id: uuidv7(), ...over } satisfies NewReading;
}

export function take({ db }: TestDatabase, ...readings: readonly NewReading[]) {
  return transact(db, 'vehicles_rw', AGENT, (tx) => recordReadings(tx, readings));
}

/** Every reading of a vehicle in time: `dash 24h 1100 accepted`. */
export async function story(owner: Kysely<DB>, vehicleId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ line: string }>`select concat_ws(' ', m.source,
      (extract(epoch from r.taken_at - ${hoursIn(0)}::timestamptz) / 3600)::float || 'h',
      case r.kind when 'odometer' then null else r.kind end, nullif(r.code, ''),
      trim_scale(r.value), r.state) as line
    from vehicles.reading r join vehicles.meter m on m.id = r.meter_id
    where m.vehicle_id = ${vehicleId}
    order by m.kind, m.source, m.device_id, r.taken_at, r.value, r.code`.execute(owner);
  return rows.map((row) => row.line);
}

export type VehicleMeters = {
  readonly km: number;
  readonly fuel: number;
  readonly average: number | null;
};

export async function onVehicle(owner: Kysely<DB>, vehicleId: string): Promise<VehicleMeters> {
  const { rows } = await sql<VehicleMeters>`select odometer_km as km, fuel_eighths as fuel,
      average_km_per_day::float as average
    from vehicles.vehicle where id = ${vehicleId}`.execute(owner);
  if (rows[0] === undefined) throw new Error('There is no such vehicle.');
  return rows[0];
}
