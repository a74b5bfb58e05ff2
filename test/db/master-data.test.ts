// Branches, classes, vehicles and customers: made once, changed by who knows the newest version.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLegalEntity } from '../../db/commands/accounting.ts';
import {
  registerBranch,
  registerClass,
  updateBranch,
  updateClass,
} from '../../db/commands/branches.ts';
import { createCustomer, updateCustomer } from '../../db/commands/customers.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { codeAggregate } from '../../db/outbox.ts';
import { customerById, listCustomers } from '../../db/queries/rentals.ts';
import { branchById, listVehicles, vehicleById } from '../../db/queries/vehicles.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, book, CLASS, hour, plantFleet } from '../support/fleet.ts';

/** Sees everything. */
const READER = 'system:test';

let t: TestDatabase;
let branchId: string;
beforeAll(async () => {
  t = await testDatabase();
  ({ branchId } = await plantFleet(t.db, { vehicles: 0 }));
});

const branch = { id: 'GRZ', name: 'Graz', timeZone: 'Europe/Vienna', entityId: 'FC-AT' };

function newVehicle() {
  const id = uuidv7();
  const car = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
  return { id, plate: `W-${id.slice(-8)}`, classId: CLASS, branchId, ...car };
}

async function facts(id: string) {
  const { rows } = await sql<{ seq: number; type: string }>`select seq, type from events.outbox
    where aggregate_id = ${id} order by id`.execute(t.owner);
  return rows;
}

async function audited(id: string): Promise<number> {
  const { rows } = await sql`select from people.audit_entry where subject_id = ${id}`.execute(
    t.owner,
  );
  return rows.length;
}

describe('registering', () => {
  test('repeated with the same values is the same row, told once', async () => {
    const vehicle = newVehicle();
    const first = await registerVehicle(t.db, AGENT, vehicle);
    expect(await registerVehicle(t.db, AGENT, vehicle)).toEqual(first);
    expect(await facts(vehicle.id)).toEqual([{ seq: 1, type: 'forecourt.vehicle.registered.v1' }]);
    expect(await audited(vehicle.id)).toBe(1);
  });

  test('under an id that has other values is a duplicate', async () => {
    await registerBranch(t.db, AGENT, branch);
    const other = { ...branch, name: 'Linz' };
    await expect(registerBranch(t.db, AGENT, other)).rejects.toMatchObject({ code: 'duplicate' });
    expect(await branchById(t.db, 'GRZ')).toMatchObject({ name: 'Graz', version: 1 });
  });

  test('a plate that another vehicle has is a duplicate', async () => {
    const vehicle = newVehicle();
    await registerVehicle(t.db, AGENT, vehicle);
    await expect(
      registerVehicle(t.db, AGENT, { ...newVehicle(), plate: vehicle.plate }),
    ).rejects.toMatchObject({ code: 'duplicate' });
  });

  test.each([
    ['branch', { branchId: 'NOWHERE' }],
    ['class', { classId: 'ZZZZ' }],
  ])('a vehicle of an unknown %s is refused by name', async (of, wrong) => {
    await expect(registerVehicle(t.db, AGENT, { ...newVehicle(), ...wrong })).rejects.toMatchObject(
      { code: 'not-found', details: { of } },
    );
  });

  test('a value out of its range is refused by name', async () => {
    await expect(
      registerVehicle(t.db, AGENT, { ...newVehicle(), odometerKm: -1 }),
    ).rejects.toMatchObject({ code: 'value-refused' });
  });
});

describe('changing', () => {
  test('counts the version and tells it', async () => {
    const vehicle = await registerVehicle(t.db, AGENT, newVehicle());
    const changed = await updateVehicle(t.db, AGENT, vehicle.id, 1, { model: 'Superb' });
    expect(changed).toMatchObject({ model: 'Superb', version: 2 });
    expect(await vehicleById(t.db, READER, vehicle.id)).toEqual(changed);
    expect((await facts(vehicle.id)).map((fact) => fact.seq)).toEqual([1, 2]);
    expect(await audited(vehicle.id)).toBe(2);
  });

  test('of a branch and a class too, under the aggregate id of their code', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    await updateBranch(t.db, AGENT, branchId, 1, { name: 'Elsewhere' });
    const published = await facts(codeAggregate('branch', branchId));
    expect(published.map((fact) => fact.seq)).toEqual([1, 2]);
    expect(codeAggregate('branch', 'VIE')).not.toBe(codeAggregate('class', 'VIE'));
    const classId = 'XDMR';
    await registerClass(t.db, AGENT, { id: classId, name: 'Any' });
    await updateClass(t.db, AGENT, classId, 1, { name: 'Other' });
    expect(await facts(codeAggregate('class', classId))).toHaveLength(2);
  });

  test('so are a rate plan and a legal entity, once', async () => {
    const entity = { id: 'FC-ONE', name: 'One', functionalCurrency: 'EUR', timeZone: 'UTC' };
    for (let n = 0; n < 2; n += 1) {
      await publishRatePlan(t.db, AGENT, GOLD_1);
      await openLegalEntity(t.db, AGENT, entity, []);
    }
    expect(await facts(codeAggregate('rate-plan', GOLD_1.id))).toHaveLength(1);
    expect(await facts(codeAggregate('legal-entity', 'FC-ONE'))).toHaveLength(1);
  });

  test('of two who know the same version, one is told that it moved on', async () => {
    const { id } = await registerVehicle(t.db, AGENT, newVehicle());
    const results = await Promise.allSettled([
      updateVehicle(t.db, AGENT, id, 1, { model: 'Superb' }),
      updateVehicle(t.db, AGENT, id, 1, { model: 'Fabia' }),
    ]);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toMatchObject([
      { reason: { code: 'version-conflict', details: { version: 2 } } },
    ]);
  });

  test.each([
    ['branch', () => updateBranch(t.db, AGENT, 'NOPE', 1, { name: 'x' })],
    ['class', () => updateClass(t.db, AGENT, 'NOPE', 1, { name: 'x' })],
    ['vehicle', () => updateVehicle(t.db, AGENT, uuidv7(), 1, { model: 'x' })],
    ['customer', () => updateCustomer(t.db, AGENT, uuidv7(), 1, { name: 'x' })],
  ])('an unknown %s is not found', async (_, update) => {
    await expect(update()).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a vehicle that the calendar counts on keeps class and branch', async () => {
    const fleet = await plantFleet(t.db, { vehicles: 1 });
    const { vehicleId } = await book(t.db, {
      branchId: fleet.branchId,
      from: hour(0),
      to: hour(10),
    });
    await registerClass(t.db, AGENT, { id: 'IDMR', name: 'Intermediate' });
    for (const change of [{ classId: 'IDMR' }, { branchId }]) {
      await expect(updateVehicle(t.db, AGENT, vehicleId, 1, change)).rejects.toMatchObject({
        code: 'resource-in-use',
      });
    }
    await updateVehicle(t.db, AGENT, vehicleId, 1, { plate: `NEW-${vehicleId.slice(-6)}` });
  });
});

describe('customers', () => {
  test('are changed by version; events and audit rows name fields and ids only', async () => {
    const id = uuidv7();
    await createCustomer(t.db, AGENT, { id, name: 'Grace Planted', email: 'g@planted.example' });
    await updateCustomer(t.db, AGENT, id, 1, { phone: '+43 1 PLANTED-5559' });
    expect(await customerById(t.db, READER, id)).toMatchObject({
      phone: '+43 1 PLANTED-5559',
      version: 2,
    });
    expect((await facts(id)).map((fact) => fact.seq)).toEqual([1, 2]);
    const { rows } = await sql<{ text: string }>`select event as text from events.outbox
      union all select to_jsonb(a)::text from people.audit_entry a`.execute(t.owner);
    expect(rows.filter(({ text }) => /planted/i.test(text))).toEqual([]);
  });

  test('are found by the beginning of their name, page by page', async () => {
    const names = ['Zoe A', 'zoe B', 'Zoe C'];
    for (const name of names) await createCustomer(t.db, AGENT, { id: uuidv7(), name });
    const first = await listCustomers(t.db, READER, { q: 'ZOE', limit: 2 });
    expect([first.rows.map((row) => row.name), first.more]).toEqual([['Zoe A', 'zoe B'], true]);
    const after = first.rows.at(-1)?.id;
    const rest = await listCustomers(t.db, READER, { q: 'zoe', limit: 2, after });
    expect([rest.rows.map((row) => row.name), rest.more]).toEqual([['Zoe C'], false]);
  });
});

test('vehicles are listed by branch, class and status, page by page', async () => {
  const fleet = await plantFleet(t.db, { vehicles: 5 });
  const filter = { branchId: fleet.branchId, classId: CLASS, status: 'in_service', limit: 3 };
  const first = await listVehicles(t.db, READER, filter);
  const rest = await listVehicles(t.db, READER, { ...filter, after: first.rows.at(-1)?.id });
  expect([...first.rows, ...rest.rows].map((row) => row.id)).toEqual([...fleet.vehicleIds].sort());
  expect([first.more, rest.more]).toEqual([true, false]);
  expect((await listVehicles(t.db, READER, { ...filter, status: 'preparing' })).rows).toEqual([]);
});
