// The register's rules in the database: VINs, owners, sub-rental windows, plates over time, upgrades.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerClass } from '../../db/commands/branches.ts';
import { setUpgrades } from '../../db/commands/upgrades.ts';
import { changeStatus } from '../../db/commands/vehicle-status.ts';
import { type NewVehicle, registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { plateHolders, platesOf, upgradesOf } from '../../db/queries/vehicle-records.ts';
import { vinCheckDigit } from '../../domain/vin.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, CLASS, hour, plantFleet } from '../support/fleet.ts';

let t: TestDatabase;
let branchId: string;
beforeAll(async () => {
  t = await testDatabase();
  ({ branchId } = await plantFleet(t.db, { vehicles: 0 }));
});

function newVehicle(over: Partial<NewVehicle> = {}): NewVehicle {
  const id = uuidv7();
  const car = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
  return { id, plate: `W-${id.slice(-8)}`, classId: CLASS, branchId, ...car, ...over };
}

function register(over: Partial<NewVehicle> = {}) {
  return registerVehicle(t.db, AGENT, newVehicle(over));
}

const SUB_RENTED = {
  ownership: 'sub_rented',
  supplier: 'Partner Cars',
  subRental: {
    from: hour(10),
    until: hour(10 + 30 * 24),
    offHireNoticeDays: 2,
    costPerDayMinor: 2_500,
    currency: 'EUR',
  },
} as const;
const BOUGHT = { acquiredOn: '2027-03-01', costMinor: 2_400_000, currency: 'EUR' };

describe('a vehicle', () => {
  test('keeps what was told of it, and a repeat is the same row', async () => {
    const vehicle = newVehicle({
      vin: '1M8GDM9AXKP042788',
      energy: 'plug_in',
      tankLitres: 45,
      batteryKwh: 12.5,
      plateJurisdiction: 'AT',
      acquisition: { ...BOUGHT, residualMinor: 1_500_000, availableForUseOn: '2027-03-10' },
    });
    const row = await registerVehicle(t.db, AGENT, vehicle);
    expect(row).toMatchObject({
      vin: '1M8GDM9AXKP042788',
      energy: 'plug_in',
      battery_kwh: 12.5,
      home_branch_id: branchId,
      ownership: 'owned',
      acquisition_cost_minor: 2_400_000,
      available_for_use_on: '2027-03-10',
    });
    expect(await registerVehicle(t.db, AGENT, vehicle)).toEqual(row);
    expect(await registerVehicle(t.db, AGENT, newVehicle(SUB_RENTED))).toMatchObject({
      sub_rented_until: SUB_RENTED.subRental.until,
    });
  });

  test('has a VIN of its own', async () => {
    await register({ vin: 'WVWZZZ1JZXW000001' });
    await expect(register({ vin: 'WVWZZZ1JZXW000001' })).rejects.toMatchObject({
      code: 'duplicate',
      details: { constraint: 'vehicle_vin_key' },
    });
  });

  test.each<[string, Partial<NewVehicle>, string]>([
    ['a VIN with an I', { vin: 'WVWZZZIJZXW000001' }, 'vehicle_vin_form'],
    ['a wrong check digit in America', { vin: '1M8GDM9A1KP042788' }, 'vehicle_vin_check_digit'],
    ['a tank but runs on electricity', { energy: 'electric', tankLitres: 50 }, 'tank_or_battery'],
    ['a battery but runs on petrol', { energy: 'petrol', batteryKwh: 50 }, 'tank_or_battery'],
    ['a lease without a supplier', { ownership: 'leased' }, 'vehicle_supplier_named'],
    ['a window but is owned', { subRental: SUB_RENTED.subRental }, 'vehicle_sub_rental_window'],
    [
      'a sub-rental without a window',
      { ownership: 'sub_rented', supplier: 'P' },
      'vehicle_sub_rental_window',
    ],
    ['a sub-rental as an asset', { ...SUB_RENTED, acquisition: BOUGHT }, 'vehicle_acquisition'],
    [
      'a residual above its cost',
      { acquisition: { ...BOUGHT, residualMinor: 2_400_001 } },
      'vehicle_acquisition',
    ],
    [
      'a use before its acquisition',
      { acquisition: { ...BOUGHT, availableForUseOn: '2027-02-28' } },
      'vehicle_acquisition',
    ],
  ])('does not have %s', async (_, over, constraint) => {
    await expect(register(over)).rejects.toMatchObject({
      code: 'value-refused',
      details: { constraint: expect.stringContaining(constraint) },
    });
  });

  test('has the check digit that domain and database agree on', async () => {
    const vins = Array.from({ length: 200 }, () =>
      Array.from({ length: 17 }, () => {
        const letters = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789';
        return letters[Math.floor(Math.random() * letters.length)];
      }).join(''),
    );
    const { rows } = await sql<{ vin: string; digit: string }>`
      select vin, vehicles.vin_check_digit(vin) as digit
      from unnest(${vins}::text[]) vin`.execute(t.owner);
    for (const { vin, digit } of rows) expect([vin, digit]).toEqual([vin, vinCheckDigit(vin)]);
  });
});

describe('a sub-rented vehicle', () => {
  test('is booked within its window less the notice, and never outside', async () => {
    const fleet = await plantFleet(t.db, { vehicles: 0, turnaroundMinutes: 0 });
    const { branchId } = fleet;
    const { id } = await register({ ...SUB_RENTED, branchId });
    const end = 10 + 28 * 24;
    const tried = async (from: number, to: number) =>
      attempt(book(t.db, { branchId, from: hour(from), to: hour(to) }));
    expect(await tried(9, 20)).toBe('vehicle-unavailable');
    expect(await tried(end - 10, end + 1)).toBe('vehicle-unavailable');
    expect(await tried(10, 20)).toMatchObject({ vehicleId: id });
    expect(await tried(end - 10, end)).toMatchObject({ vehicleId: id });
  });

  test('may stay longer, but not leave before what is booked', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 0, turnaroundMinutes: 0 });
    const { id } = await register({ ...SUB_RENTED, branchId });
    const window = (days: number) => ({
      subRental: { ...SUB_RENTED.subRental, until: hour(10 + days * 24) },
    });
    await updateVehicle(t.db, AGENT, id, 1, window(60));
    const late = { branchId, from: hour(10 + 50 * 24), to: hour(10 + 51 * 24) };
    const { rentalId } = await book(t.db, late);
    await expect(updateVehicle(t.db, AGENT, id, 2, window(40))).rejects.toMatchObject({
      code: 'invalid-state',
      details: { reason: 'booked', spans: [{ ref: rentalId, kind: 'rental' }] },
    });
  });

  test('is booked anywhere in time once it is bought', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 0, turnaroundMinutes: 0 });
    const { id } = await register({ ...SUB_RENTED, branchId });
    const bought = { ownership: 'owned', subRental: null, acquisition: BOUGHT } as const;
    await updateVehicle(t.db, AGENT, id, 1, bought);
    await book(t.db, { branchId, from: hour(1), to: hour(5) });
  });
});

describe('a plate', () => {
  const at = (plate: string, when = new Date().toISOString()) =>
    plateHolders(t.db, AGENT, { plate, at: when });

  test('belongs to one vehicle at a time in a jurisdiction, however it is written', async () => {
    await register({ plate: 'W 12345 A', plateJurisdiction: 'AT' });
    await expect(register({ plate: 'w-12345a', plateJurisdiction: 'AT' })).rejects.toMatchObject({
      code: 'duplicate',
      details: { constraint: 'plate_one_vehicle_at_a_time' },
    });
    await register({ plate: 'W-12345 A', plateJurisdiction: 'DE' });
    const holders = await at('W12345A');
    expect(holders.map(({ jurisdiction }) => jurisdiction)).toEqual(['AT', 'DE']);
  });

  test('that is changed leaves a history: who had it when is known for good', async () => {
    const first = await register({ plate: 'GÖ-AB 1', plateJurisdiction: 'DE' });
    const before = new Date().toISOString();
    await updateVehicle(t.db, AGENT, first.id, 1, { plate: 'GÖ-AB 2' });
    const second = await register({ plate: 'gö ab1', plateJurisdiction: 'DE' });
    expect(await at('GÖAB1', before)).toMatchObject([{ vehicleId: first.id }]);
    expect(await at('GÖAB1')).toMatchObject([{ vehicleId: second.id, until: null }]);
    expect(await platesOf(t.db, AGENT, first.id)).toMatchObject([
      { plate: 'GÖ-AB 2', until: null },
      { plate: 'GÖ-AB 1', until: expect.any(String) },
    ]);
  });

  test('is free again when its vehicle has left the fleet', async () => {
    const gone = await register({ plate: 'LEFT-1', status: 'preparing' });
    const before = new Date().toISOString();
    const lost = { vehicleId: gone.id, commandId: uuidv7(), reason: 'Fire' };
    const now = new Date().toISOString();
    await changeStatus(t.db, AGENT, { ...lost, name: 'write-off', now });
    const next = await register({ plate: 'LEFT-1' });
    expect(await at('LEFT-1')).toMatchObject([{ vehicleId: next.id }]);
    expect(await at('LEFT-1', before)).toMatchObject([{ vehicleId: gone.id }]);
  });

  test('that nobody can read is refused', async () => {
    await expect(register({ plate: ' - ' })).rejects.toMatchObject({ code: 'value-refused' });
  });

  test('of two vehicles at once goes to one of them', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => attempt(register({ plate: 'RACE-1' }))),
    );
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(7);
  });

  test('of a branch out of sight is not told', async () => {
    await register({ plate: 'HIDDEN-1' });
    const elsewhere = { principal: 'staff:somebody', scope: 'branches:NONE' };
    const asked = { plate: 'HIDDEN-1', at: new Date().toISOString() };
    expect(await plateHolders(t.db, elsewhere, asked)).toEqual([]);
    expect(await plateHolders(t.db, AGENT, asked)).toHaveLength(1);
  });
});

describe('the upgrade ladder', () => {
  const CODES = ['MBMR', 'EBMR', 'CBMR', 'IBMR'] as const;
  beforeAll(async () => {
    for (const id of CODES) await registerClass(t.db, AGENT, { id, name: id });
  });
  const [mini, economy, compact, intermediate] = CODES;

  test('is set as a whole, by who knows the newest version of the class', async () => {
    await setUpgrades(t.db, AGENT, mini, 1, [economy, compact]);
    await setUpgrades(t.db, AGENT, mini, 2, [compact, intermediate]);
    expect(await upgradesOf(t.db, mini)).toEqual([compact, intermediate]);
    await expect(setUpgrades(t.db, AGENT, mini, 2, [economy])).rejects.toMatchObject({
      code: 'version-conflict',
    });
    await setUpgrades(t.db, AGENT, mini, 3, []);
    expect(await upgradesOf(t.db, mini)).toEqual([]);
  });

  test('never leads back, however long the way', async () => {
    await setUpgrades(t.db, AGENT, economy, 1, [compact]);
    await setUpgrades(t.db, AGENT, compact, 1, [intermediate]);
    for (const back of [[economy], [intermediate]]) {
      await expect(setUpgrades(t.db, AGENT, intermediate, 1, back)).rejects.toMatchObject({
        code: 'value-refused',
      });
    }
    await expect(setUpgrades(t.db, AGENT, intermediate, 1, ['ZZZZ'])).rejects.toMatchObject({
      code: 'not-found',
      details: { of: 'class' },
    });
  });
});
