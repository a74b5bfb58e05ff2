// Vehicles to come and to go: ordered ones as planned capacity, and sale dates that bookings make way for.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerClass, updateBranch } from '../../db/commands/branches.ts';
import { setUpgrades } from '../../db/commands/upgrades.ts';
import { changeStatus } from '../../db/commands/vehicle-status.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { availability } from '../../db/queries/vehicles.ts';
import type { DomainError } from '../../domain/errors.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, CLASS, hour, plantFleet, spanOf } from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const YEAR = new Date().getUTCFullYear() + 1;

/** At noon by the clock of Vienna or so. */
function at(date: string, hour = 12): string {
  return `${YEAR}-${date}T${String(hour).padStart(2, '0')}:00:00.000Z`;
}

test('an ordered vehicle counts where the branch says so, from the expected local date on, beside what is free', async () => {
  const { branchId } = await plantFleet(t.db, { vehicles: 1 });
  const car = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
  const order = (expectedOn: string | null) => {
    const id = uuidv7();
    const place = { plate: `P-${id.slice(-8)}`, classId: CLASS, branchId };
    return registerVehicle(t.db, AGENT, { id, ...place, ...car, status: 'ordered', expectedOn });
  };
  for (const on of [`${YEAR}-03-10`, `${YEAR}-03-20`, null]) await order(on);
  const told = async (from: string) =>
    (await availability(t.db, { branchId, classId: CLASS, from, to: at('04-01') }))?.[0];
  expect(await told(at('03-15'))).toEqual({ classId: CLASS, free: 1 });
  await updateBranch(t.db, AGENT, branchId, 1, { showsPlanned: true });
  expect(await told(at('03-09'))).toEqual({ classId: CLASS, free: 1, planned: 0 });
  // Half past eleven in the evening in London is the next date in Vienna.
  expect(await told(`${YEAR}-03-09T23:30:00.000Z`)).toMatchObject({ planned: 1 });
  expect(await told(at('03-20'))).toEqual({ classId: CLASS, free: 1, planned: 2 });
  await book(t.db, { branchId, from: at('03-20'), to: at('03-21') });
  const second = book(t.db, { branchId, from: at('03-20'), to: at('03-21') });
  expect(await attempt(second)).toBe('vehicle-unavailable');
});

const { handOut } = yard(() => t);

function holdForSale(vehicleId: string, from: string) {
  const [commandId, now] = [uuidv7(), new Date().toISOString()];
  const command = {
    vehicleId,
    commandId,
    name: 'hold-for-sale',
    reason: 'Old',
    now,
    from,
  } as const;
  return changeStatus(t.db, AGENT, command);
}

async function blocksOf(vehicleId: string) {
  const { rows } = await sql<{ from: string }>`select lower(during) as "from" from vehicles.span
    where vehicle_id = ${vehicleId} and kind = 'block' and grip <> 'released'`.execute(t.owner);
  return rows.map(({ from }) => from);
}

describe('a sale date', () => {
  test('sends what is booked behind it to other vehicles first', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2, turnaroundMinutes: 0 });
    const before = await book(t.db, { branchId, from: hour(10), to: hour(20) });
    const { vehicleId } = before;
    const other = vehicleIds.find((id) => id !== vehicleId);
    const across = await book(t.db, { branchId, from: hour(30), to: hour(40) });
    // Best fit keeps filling the same vehicle.
    expect(across.vehicleId).toBe(vehicleId);
    const held = await holdForSale(vehicleId, hour(35));
    expect(held).toMatchObject({ status: 'in_service', held_for_sale_at: hour(35) });
    expect(await blocksOf(vehicleId)).toEqual([hour(35)]);
    expect((await spanOf(t.owner, across.rentalId)).vehicleId).toBe(other);
    expect((await spanOf(t.owner, before.rentalId)).vehicleId).toBe(vehicleId);
    const { rows } = await sql<{ type: string }>`select type from events.outbox
      where event::jsonb #>> '{data,rentalId}' = ${across.rentalId}`.execute(t.owner);
    expect(rows.map(({ type }) => type)).toContain('forecourt.vehicle.span-reassigned.v1');
  });

  test('that something cannot make way for changes nothing, and says what that is', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2, turnaroundMinutes: 0 });
    const first = await book(t.db, { branchId, from: hour(10), to: hour(20) });
    const out = await book(t.db, { branchId, from: hour(0), to: hour(5) });
    expect(out.vehicleId).toBe(first.vehicleId);
    await handOut(out.rentalId, hour(0));
    const refused = await holdForSale(first.vehicleId, hour(4)).catch(
      (error: DomainError) => error.details,
    );
    // The later one would have found the other vehicle: it stands in nobody's way.
    expect(refused).toMatchObject({ reason: 'booked', spans: [{ ref: out.rentalId }] });
    expect((await spanOf(t.owner, first.rentalId)).vehicleId).toBe(first.vehicleId);
    expect(await blocksOf(first.vehicleId)).toEqual([]);
  });

  test('that finds no vehicle of the pool names what may help: a better class, another branch', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 0 });
    const { vehicleIds: elsewhere } = await plantFleet(t.db, { vehicles: 1 });
    const { rentalId: ref, vehicleId } = await book(t.db, {
      branchId,
      from: hour(30),
      to: hour(40),
    });
    await registerClass(t.db, AGENT, { id: 'FDMR', name: 'Better' });
    await setUpgrades(t.db, AGENT, CLASS, 1, ['FDMR']);
    const car = { make: 'Skoda', model: 'Superb', modelYear: 2026, odometerKm: 10 };
    const better = { id: uuidv7(), plate: `${branchId}-F`, classId: 'FDMR', branchId };
    await registerVehicle(t.db, AGENT, { ...better, ...car });
    const refused = await holdForSale(vehicleId, hour(35)).catch((error: DomainError) => error);
    const { details } = refused as DomainError;
    expect(details).toMatchObject({ reason: 'booked', spans: [{ ref }] });
    expect(details['proposals']).toContainEqual({ ref, step: 'upgrade', classId: 'FDMR', free: 1 });
    const drives = details['proposals'] as readonly { readonly vehicleId?: string }[];
    expect(drives.map((one) => one.vehicleId)).toContain(elsewhere[0]);
    // Nothing was done by itself.
    expect((await spanOf(t.owner, ref)).vehicleId).toBe(vehicleId);
  });
});
