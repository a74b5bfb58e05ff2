// Overbooking over HTTP: who gets a vehicle, who waits for one, who is refused; and one-way rentals.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerBranch } from '../../db/commands/branches.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { type System, testSystem } from '../support/system.ts';

const PLANTER = 'system:test';

let system: System;
let api: TestApi;
let company: Company;
beforeAll(async () => {
  system = await testSystem('overbooked');
  company = await plantCompany(system.db);
  await registerBranch(system.db, PLANTER, {
    id: 'GRZ',
    name: 'Graz',
    timeZone: 'Europe/Vienna',
    entityId: 'FC-AT',
  });
  await system.start('workers/main.ts');
  api = await testApi({
    database: system,
    temporal: openClient(temporalSettings(system.env)),
  });
}, 120_000);

/** So many vehicles of a class of their own, a tenth of which may be overbooked. */
async function plant(classId: string, vehicles: number): Promise<void> {
  await plantVehicles(system.db, classId, vehicles);
  const open = { fromDate: null, toDate: null, absolute: null };
  const pool = { id: uuidv7(), branchId: company.branchId, classId };
  await setOverbookingLimit(system.db, PLANTER, { ...open, ...pool, percent: 10 });
}

function reserve(classId: string, over: object = {}): Promise<ApiAnswer> {
  const times = { pickUpAt: hoursFromNow(48), dueAt: hoursFromNow(72) };
  return api.call('POST', '/api/v1/rentals', { body: { ...company, classId, ...times, ...over } });
}

function statuses(answers: readonly ApiAnswer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const send = (id: string, command: string, body: object) =>
  api.call('POST', `/api/v1/rentals/${id}/${command}`, { body });
const READING = { odometerKm: 2_000, fuelEighths: 8 };

describe('64 reservations at once, a tenth overbooked', () => {
  test.each([
    ['CDMR', 10, 10, 1],
    ['ECMR', 9, 9, 0],
  ])('of class %s with %i vehicles: %i get one, %i waits', async (id, count, assigned, waits) => {
    await plant(id, count);
    const answers = await Promise.all(Array.from({ length: 64 }, () => reserve(id)));
    expect(statuses(answers)).toEqual({ 201: assigned + waits, 409: 64 - assigned - waits });
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body.type).toBe('/problems/vehicle-unavailable');
    const made = answers.filter((answer) => answer.status === 201).map(({ body }) => body);
    const allocated = (how: string) => made.filter((rental) => rental.allocation === how);
    expect([allocated('assigned').length, allocated('unassigned').length]).toEqual([
      assigned,
      waits,
    ]);
    for (const rental of allocated('unassigned')) {
      // A person has to see to it from a day before the pick-up on, which is two days away.
      expect(rental).toMatchObject({ vehicleId: null, needsAttention: false });
    }
    const { rows } = await sql`select grip, count(*)::int as spans from vehicles.span
      where class_id = ${id} group by grip order by grip`.execute(system.owner);
    expect(rows).toEqual([
      { grip: 'tentative', spans: assigned },
      ...(waits > 0 ? [{ grip: 'unassigned', spans: waits }] : []),
    ]);
  });

  test('who waits cannot be handed keys, and gets the vehicle of one who cancels', async () => {
    const { rows } = await sql<{ waiting: string; held: string }>`select
      (select ref from vehicles.span where class_id = 'CDMR' and grip = 'unassigned') as waiting,
      (select ref from vehicles.span where class_id = 'CDMR' and grip = 'tentative' limit 1)
        as held`.execute(system.owner);
    const { waiting = '', held = '' } = rows[0] ?? {};
    const early = await send(waiting, 'check-out', READING);
    expect([early.status, early.body.type]).toEqual([409, '/problems/no-vehicle']);
    expect((await send(held, 'cancel', { reason: 'customer' })).status).toBe(200);
    const served = (await api.call('GET', `/api/v1/rentals/${waiting}`)).body;
    expect(served).toMatchObject({ allocation: 'assigned', needsAttention: false });
    expect((await send(waiting, 'check-out', READING)).body.status).toBe('active');
  });
});

describe('a rental to another branch', () => {
  test('is booked so, and comes back where it does', async () => {
    await plantVehicles(system.db, 'IDMR', 1);
    const soon = { pickUpAt: hoursFromNow(0.1), dueAt: hoursFromNow(24), returnBranchId: 'GRZ' };
    const { status, body } = await reserve('IDMR', soon);
    expect([status, body.returnBranchId]).toEqual([201, 'GRZ']);
    await send(body.id, 'check-out', READING);
    const back = await send(body.id, 'check-in', { ...READING, branchId: company.branchId });
    expect([back.status, back.body.returnBranchId]).toEqual([200, company.branchId]);
    const vehicle = await api.call('GET', `/api/v1/vehicles/${body.vehicleId}`);
    expect(vehicle.body.branchId).toBe(company.branchId);
  });

  test('that does not exist is refused by name', async () => {
    const { status, body } = await reserve('IDMR', { returnBranchId: 'NIX' });
    expect([status, body.type]).toEqual([422, '/problems/unknown-reference']);
  });
});

test('a booking is amended before its pick-up, or a named refusal leaves it', async () => {
  await plantVehicles(system.db, 'FDMR', 1);
  const { id, price } = (await reserve('FDMR')).body;
  const amended = await send(id, 'amend', { coverages: ['cdw'], driverAges: [41, 22] });
  // 50 + CDW 12 + a young driver 25 = 87.00 and 20 %
  expect([amended.status, amended.body.price.totalMinor]).toEqual([200, 104_40]);
  expect(amended.text).not.toContain('driverAges');
  const lacking = await send(id, 'amend', { promotion: 'none' });
  expect([lacking.status, lacking.body.type]).toEqual([422, '/problems/value-refused']);
  const unknown = await send(id, 'amend', { payerId: uuidv7() });
  expect([unknown.status, unknown.body.type]).toEqual([422, '/problems/unknown-reference']);
  const plain = await send(id, 'amend', { coverages: [], driverAges: [] });
  expect(plain.body.price.totalMinor).toBe(price.totalMinor);
  const cancelled = await send(id, 'cancel', { reason: 'customer' });
  expect([cancelled.body.feeMinor, cancelled.body.invoiceId]).toEqual([50_00, expect.any(String)]);
});
