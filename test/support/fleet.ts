// Plants what a calendar test stands on: branches, a class, vehicles, a customer, and time to book.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, transact } from '../../db/client.ts';
import { openLegalEntity } from '../../db/commands/accounting.ts';
import { registerBranch, registerClass } from '../../db/commands/branches.ts';
import { takeSpan } from '../../db/commands/calendar-booking.ts';
import { createCustomer } from '../../db/commands/customers.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import type { DB } from '../../db/schema.ts';
import { DomainError } from '../../domain/errors.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';

export const AGENT = 'staff:demo-agent';
export const CLASS = 'CDMR';
export const ENTITY = 'FC-AT';

const HOUR_MS = 3_600_000;
/** Far enough ahead that nothing here is overdue by the server's clock. */
const BASE_MS = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 72 * HOUR_MS;

/** An instant that many hours (fractions allowed) after the tests' common beginning. */
export function hour(n: number): string {
  return new Date(BASE_MS + n * HOUR_MS).toISOString();
}

/** An instant that many hours from now; negative ones are past. */
export function hoursFromNow(n: number): string {
  return new Date(Date.now() + n * HOUR_MS).toISOString();
}

let planted = 0;

/** A branch with `vehicles` cars of the class; each call another branch, so tests do not meet. */
export async function plantFleet(
  db: Db,
  options: { readonly vehicles: number; readonly turnaroundMinutes?: number },
): Promise<{ readonly branchId: string; readonly vehicleIds: readonly string[] }> {
  planted += 1;
  const branchId = `B${planted}`;
  await registerBranch(db, AGENT, {
    id: branchId,
    name: `Branch ${planted}`,
    timeZone: 'Europe/Vienna',
    entityId: ENTITY,
    turnaroundMinutes: options.turnaroundMinutes ?? 30,
  });
  await registerClass(db, AGENT, { id: CLASS, name: 'Compact' });
  return { branchId, vehicleIds: await plantVehicles(db, branchId, options.vehicles) };
}

export async function plantVehicles(
  db: Db,
  branchId: string,
  count: number,
): Promise<readonly string[]> {
  const vehicles = Array.from({ length: count }, () => uuidv7()).sort();
  // One by one: at once each takes a connection of its own, and all of them plan everything anew.
  for (const [n, id] of vehicles.entries()) {
    await registerVehicle(db, AGENT, {
      id,
      plate: `${branchId}-${n}-${id.slice(-6)}`,
      classId: CLASS,
      branchId,
      make: 'Skoda',
      model: 'Octavia',
      modelYear: 2026,
      odometerKm: 1_000,
    });
  }
  return vehicles;
}

/** Books, the demo company's plan and a customer: what a rental needs beside a fleet. */
export async function plantTrade(db: Db): Promise<{ readonly customerId: string }> {
  const entity = { id: ENTITY, name: 'Forecourt Austria', functionalCurrency: 'EUR' };
  await openLegalEntity(db, AGENT, { ...entity, timeZone: 'Europe/Vienna' }, DEMO_CHART);
  await publishRatePlan(db, AGENT, GOLD_1, hoursFromNow(-10_000));
  const { id: customerId } = await createCustomer(db, AGENT, { id: uuidv7(), ...PERSON });
  return { customerId };
}

/** Personal values that must never be found outside the customer's own row. */
export const PERSON = { name: 'Ada Planted', email: 'ada@planted.example', phone: '+43 1 5550' };

export type Booking = {
  readonly branchId: string;
  readonly from: string;
  readonly to: string;
  readonly rentalId?: string;
  readonly returnBranchId?: string;
};

/** Takes a span and nothing else; throws `vehicle-unavailable`. */
export async function book(
  db: Db,
  { branchId, from, to, rentalId = uuidv7(), returnBranchId }: Booking,
): Promise<{ readonly rentalId: string; readonly vehicleId: string }> {
  const { vehicleId } = await calendar(db, (tx) =>
    takeSpan(tx, {
      id: rentalId,
      branchId,
      classId: CLASS,
      customerId: rentalId,
      pickUpAt: from,
      dueAt: to,
      returnBranchId,
    }),
  );
  return { rentalId, vehicleId };
}

/** Runs work on the calendar as the rentals domain does. */
export function calendar<T>(db: Db, work: Parameters<typeof transact<T>>[3]): Promise<T> {
  return transact(db, 'rentals_rw', AGENT, work);
}

/** What was done, or the code with which it was refused; any other error is a failure. */
export async function attempt<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

export const READING = { odometerKm: 2_000, fuelEighths: 8 } as const;

export type SpanRow = {
  readonly ref: string;
  readonly vehicleId: string | null;
  readonly grip: string;
  readonly from: string;
  readonly until: string;
  readonly reason: string | null;
};

/** The branch's spans that count, in order of their beginning. */
export async function spansOf(owner: Kysely<DB>, branchId: string): Promise<readonly SpanRow[]> {
  const { rows } = await sql<SpanRow>`select ref, vehicle_id as "vehicleId", grip,
      lower(during) as "from", upper(during) as until, over_limit_reason as reason
    from vehicles.span where branch_out = ${branchId} and grip <> 'released'
    order by lower(during), created_at`.execute(owner);
  return rows;
}

export async function spanOf(owner: Kysely<DB>, rentalId: string): Promise<SpanRow> {
  const { rows } = await sql<SpanRow>`select ref, vehicle_id as "vehicleId", grip,
      lower(during) as "from", upper(during) as until, over_limit_reason as reason
    from vehicles.span where ref = ${rentalId}`.execute(owner);
  if (rows[0] === undefined) throw new Error(`Rental ${rentalId} has no span.`);
  return rows[0];
}

/** The checker of all checkers: pairs of spans that hold one vehicle at one time. */
export async function overlaps(owner: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ readonly pairs: number }>`select count(*) as pairs
    from vehicles.span a join vehicles.span b
      on a.vehicle_id = b.vehicle_id and a.id < b.id and a.during && b.during
    where a.grip <> 'released' and b.grip <> 'released'`.execute(owner);
  return rows[0]?.pairs ?? Number.NaN;
}

/** Neighbouring spans of a vehicle of which the later does not start where the earlier ends. */
export async function strays(owner: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ readonly strays: number }>`select count(*) as strays from (
      select branch_out, lag(branch_in) over (partition by vehicle_id order by lower(during)) as place
      from vehicles.span where vehicle_id is not null and grip <> 'released'
        and kind not in ('block', 'maintenance')) s
    where branch_out <> place`.execute(owner);
  return rows[0]?.strays ?? Number.NaN;
}
