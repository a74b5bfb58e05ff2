// A branch whose rental is out, for tests of exchanges: other vehicles there, and what the proof sees.
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { registerClass } from '../../db/commands/branches.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { registerViolation } from '../../db/commands/violations.ts';
import { readRentals, readVehicles } from '../../db/queries/reconciliation.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { compareRental, compareVehicle } from '../../domain/reconciliation.ts';
import type { Exchange, RentalState } from '../../domain/rental.ts';
import { guarded, tried } from './broken-guards.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantVehicles } from './fleet.ts';
import { OUT } from './rental-desk.ts';
import { type MoneyDesk, moneyDesk } from './rental-money.ts';

/** One rung above the class of the tests, and one that is none. */
export const ABOVE = 'IDMR';
export const ASIDE = 'FDMR';

export type ExchangeDesk = Awaited<ReturnType<typeof exchangeDesk>>;

/** Call it in `beforeAll`. */
export async function exchangeDesk(t: TestDatabase) {
  const desk = await moneyDesk(t);
  for (const id of [ABOVE, ASIDE]) await registerClass(t.db, AGENT, { id, name: id });
  await sql`insert into vehicles.upgrade (class_id, next_class_id, rank)
    values (${CLASS}, ${ABOVE}, 1)`.execute(t.owner);

  /** A branch, a rental of it that is out with one of its vehicles, and another vehicle if any. */
  async function out(vehicles: 1 | 2, terms?: Parameters<MoneyDesk['pricedBy']>[0]) {
    const branchId =
      terms === undefined
        ? (await plantFleet(t.db, { vehicles: 1 })).branchId
        : await desk.pricedBy(terms);
    await plantVehicles(t.db, branchId, vehicles - 1);
    const rental = await desk.after(await desk.book({ branchId }), OUT);
    const { rows } = await sql<{ id: string }>`select id from vehicles.vehicle
      where branch_id = ${branchId} and id <> ${rental.vehicleId}`.execute(t.owner);
    return { branchId, rental, other: rows[0]?.id ?? '' };
  }

  async function plantOf(branchId: string, classId: string): Promise<string> {
    const id = uuidv7();
    const model = { make: 'Skoda', model: 'Superb', modelYear: 2026, odometerKm: 500 };
    const plate = `U-${id.slice(-8)}`;
    await registerVehicle(t.db, AGENT, { id, plate, classId, branchId, ...model });
    return id;
  }

  /** The class above costs 20.00 a day more than GOLD-1 at that branch. */
  async function pricedAbove(branchId: string): Promise<void> {
    const [day] = GOLD_1.lines.filter(({ code }) => code === 'day');
    if (day === undefined) throw new Error('A plan without a day.');
    const lines = [{ ...day, priceMinor: day.priceMinor + 20_00 }];
    const scope = { branches: [branchId], classes: [ABOVE] };
    const plan = { ...GOLD_1, ...scope, id: `UP-${branchId}`, lines };
    await publishRatePlan(t.db, AGENT, plan, hoursFromNow(-1));
  }

  /** What the nightly proof would report of the rental and these vehicles. */
  async function doubtsOf(rental: RentalState, ...vehicles: (string | null)[]) {
    const [sides] = await readRentals(t.db, { ids: [rental.id] });
    if (sides === undefined) throw new Error('The proof reads no such rental.');
    const { status, version, vehicleId } = rental;
    const workflow = { status, version, vehicleId };
    const places = await readVehicles(t.db, { ids: vehicles.filter((id) => id !== null) });
    const now = new Date().toISOString();
    return [...compareRental({ ...sides, workflow }, now), ...places.flatMap(compareVehicle)];
  }
  return { ...desk, out, plantOf, pricedAbove, doubtsOf };
}

/** 120 km and three eighths after check-out, at the branch of the rental. */
export function exchange(rental: RentalState, more: Partial<Exchange> = {}) {
  const reading = { odometerKm: 2_120, fuelEighths: 5 };
  const { branchId } = rental;
  return { type: 'exchange', reason: 'customer', branchId, ...reading, ...more } as const;
}

export function back(rental: RentalState, odometerKm: number, fuelEighths = 8) {
  return { type: 'checkIn', odometerKm, fuelEighths, branchId: rental.branchId } as const;
}

/** A toll of the vehicle's plate so many hours from now: whose it is said to be. */
export async function tollOf(
  { db, owner }: TestDatabase,
  vehicleId: string | null,
  hours: number,
): Promise<readonly unknown[]> {
  const { rows } = await sql<{ plate: string; jurisdiction: string }>`select plate, jurisdiction
    from vehicles.plate where vehicle_id = ${vehicleId}`.execute(owner);
  const [{ plate = '', jurisdiction = '' } = {}] = rows;
  const row = await registerViolation(db, AGENT, {
    ...{ id: uuidv7(), kind: 'toll', authority: 'A', noticeNumber: uuidv7() },
    ...{ plate, plateJurisdiction: jurisdiction, timeZone: 'UTC', place: 'A1' },
    ...{ localTime: hoursFromNow(hours).slice(0, 19), amountMinor: 12_00, currency: 'EUR' },
  });
  return [row.status, row.vehicle_id, row.rental_id, row.queue_reason];
}

/** What refuses each wrong chain of the rental's one segment, and what does once that is gone. */
export function brokenSegments(owner: TestDatabase['owner'], rentalId: string) {
  const of = sql`rental_id = ${rentalId}`;
  const chain = sql`drop trigger segment_chain on rentals.segment`;
  const drop = (name: string) => sql`alter table rentals.segment drop constraint ${sql.id(name)}`;
  const back = sql`branch_in = 'X', odometer_in_km = odometer_out_km, fuel_in_eighths = 1`;
  return tried(owner, async (tx) => {
    const change = (set: RawBuilder<unknown>) => async () => {
      await sql`update rentals.segment set ${set} where ${of}`.execute(tx);
      await sql`set constraints all immediate`.execute(tx);
    };
    const another = () =>
      sql`insert into rentals.segment (rental_id, vehicle_id, branch_out, from_at,
          odometer_out_km, fuel_out_eighths)
        select rental_id, vehicle_id, branch_out, from_at + interval '1 hour', 1, 1
        from rentals.segment where ${of}`.execute(tx);
    return [
      await guarded(tx, change(sql`to_at = from_at`), drop('segment_back_whole')),
      await guarded(tx, change(sql`from_at = from_at - interval '1 hour'`), chain),
      await guarded(tx, change(sql`to_at = from_at + interval '1 hour', ${back}`), chain),
      await guarded(tx, change(sql`vehicle_id = ${uuidv7()}`), chain),
      await guarded(tx, another, drop('segment_one_at_a_time')),
    ];
  });
}
