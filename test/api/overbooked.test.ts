// Who gets a vehicle over HTTP, who waits, who is refused: overbooked, one-way, and at the desk.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerBranch } from '../../db/commands/branches.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { heldDeposit } from '../support/rental-money.ts';
import { type System, testSystem, until } from '../support/system.ts';

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
  // Here a booking of two days ahead is taken through its whole life.
  await sql`update vehicles.branch set early_check_out_minutes = 10080`.execute(system.owner);
  // 64 at once keep a core busy here already: the worker is a process of its own.
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
  test('is booked so, and comes back where it does; one that does not exist is named', async () => {
    await plantVehicles(system.db, 'IDMR', 1);
    const soon = { pickUpAt: hoursFromNow(0.1), dueAt: hoursFromNow(24), returnBranchId: 'GRZ' };
    const { status, body } = await reserve('IDMR', soon);
    expect([status, body.returnBranchId]).toEqual([201, 'GRZ']);
    await send(body.id, 'check-out', READING);
    const back = await send(body.id, 'check-in', { ...READING, branchId: company.branchId });
    expect([back.status, back.body.returnBranchId]).toEqual([200, company.branchId]);
    const vehicle = await api.call('GET', `/api/v1/vehicles/${body.vehicleId}`);
    expect(vehicle.body.branchId).toBe(company.branchId);
    const nowhere = await reserve('IDMR', { returnBranchId: 'NIX' });
    expect(nowhere).toMatchObject({ status: 422, body: { type: '/problems/unknown-reference' } });
  });
});

test('a booking is amended before its pick-up, or a named refusal leaves it', async () => {
  await plantVehicles(system.db, 'SDMR', 1);
  const { id, price } = (await reserve('SDMR')).body;
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

describe('somebody at the desk', () => {
  const arrive = (body: object, key: string = uuidv7()) =>
    api.call('POST', '/api/v1/rentals/walk-up', { body: { ...company, ...body }, key });
  const walkUp = (classId: string) => ({ classId, dueAt: hoursFromNow(24), ...READING });

  test('gets the keys with the plate that is named; the same key is the same rental', async () => {
    await plantVehicles(system.db, 'RDMR', 2);
    const { items } = (await api.call('GET', '/api/v1/vehicles?classId=RDMR')).body;
    const { id: vehicleId, plate } = items.at(-1);
    const [key, asked] = [uuidv7(), { ...walkUp('RDMR'), plate: plate.toLowerCase() }];
    const out = await arrive(asked, key);
    expect([out.status, out.body.status, out.body.walkUp]).toEqual([201, 'active', true]);
    expect(out.body).toMatchObject({ vehicleId, odometerOutKm: 2_000 });
    const path = `/api/v1/rentals/${out.body.id}`;
    expect(out.headers.get('location')).toBe(path);
    expect((await api.call('GET', path)).body).toEqual(out.body);
    expect((await arrive(asked, key)).text).toBe(out.text);
    const nobody = await arrive({ ...walkUp('RDMR'), plate: 'NO-SUCH-1' });
    expect([nobody.status, nobody.body.type]).toEqual([422, '/problems/unknown-reference']);
    const late = await arrive({ ...walkUp('RDMR'), dueAt: hoursFromNow(-1) });
    expect([late.status, late.body.type]).toEqual([422, '/problems/due-not-later']);
  });

  test('drives off as one of 16 with the one vehicle; of the others nothing is booked', async () => {
    await plantVehicles(system.db, 'UDMR', 1);
    const answers = await Promise.all(Array.from({ length: 16 }, () => arrive(walkUp('UDMR'))));
    expect(statuses(answers)).toEqual({ 201: 1, 409: 15 });
    const { items } = (await api.call('GET', '/api/v1/rentals?limit=200')).body;
    const known = items.filter((one: { classId: string }) => one.classId === 'UDMR');
    expect(known).toHaveLength(1);
  });

  test('gives the keys back at once, or says later when a late vehicle comes', async () => {
    await plantVehicles(system.db, 'WDMR', 1);
    const { id, vehicleId } = (await arrive(walkUp('WDMR'))).body;
    const back = await send(id, 'undo-check-out', { ...READING, reason: 'wrong-vehicle' });
    expect([back.status, back.body.status, back.body.vehicleId]).toEqual([
      200,
      'reserved',
      vehicleId,
    ]);
    expect((await send(id, 'check-out', READING)).body.status).toBe('active');
    const driven = { ...READING, odometerKm: 2_006, reason: 'other' };
    const refused = await send(id, 'undo-check-out', driven);
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/invalid-state']);
    const at = hoursFromNow(30);
    const told = await send(id, 'announce-return', { at });
    expect(told.body).toMatchObject({ announcedReturnAt: at, status: 'active' });
    const early = await send(id, 'announce-return', { at: hoursFromNow(20) });
    expect([early.status, early.body.type]).toEqual([422, '/problems/due-not-later']);
    const branchId = company.branchId;
    const drop = { ...READING, odometerKm: 2_100, branchId, droppedAt: hoursFromNow(1) };
    expect((await send(id, 'check-in', drop)).body.type).toBe('/problems/invalid-time');
  });

  test('keeps it for a late flight, and shows at the counter what may be done to it', async () => {
    await plantVehicles(system.db, 'FDMR', 1);
    const flight = { number: 'OS123', delayMinutes: 30 };
    const times = { pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(30) };
    const made = (await reserve('FDMR', { ...times, flight })).body;
    const told = await send(made.id, 'announce-delay', { delayMinutes: 90 });
    expect([made.delayMinutes, told.body.delayMinutes]).toEqual([30, 90]);
    expect(Date.parse(told.body.noShowAt) - Date.parse(made.noShowAt)).toBe(3_600_000);
    const path = `/api/v1/rentals/${made.id}`;
    const known = { flightNumber: 'OS123', delayMinutes: 90 };
    expect((await api.call('GET', `${path}/flight`)).body).toEqual(known);
    const planner = await plantStaff(system.owner, { roles: ['fleet-planner'] });
    for (const [token, shown] of [
      [undefined, known],
      [await tokenOf(planner), { flightNumber: null, delayMinutes: 90 }],
    ] as const) {
      const who = token === undefined ? {} : { token };
      const today = await api.call('GET', `/api/v1/counter/today?branchId=VIE`, who);
      const lists = [today.body.dueOut, today.body.needsAttention].flatMap(({ rows }) => rows);
      const row = lists.find(({ id }: { id: string }) => id === made.id);
      const { actions } = (await api.call('GET', path, who)).body;
      // Late in the evening it goes out tomorrow.
      if (row !== undefined) expect(row).toMatchObject(shown);
      for (const one of row?.actions ?? []) expect(actions).toContainEqual(one);
    }
    const named = (number: string) => send(made.id, 'amend', { flight: { number } });
    expect((await named('os 123')).status).toBe(422);
    expect((await named('LH9W')).body.delayMinutes).toBe(90);
    const none = await send(made.id, 'announce-delay', { flightNumber: null, delayMinutes: 0 });
    expect(none.body.delayMinutes).toBe(0);
    const again = await send(made.id, 'announce-delay', { delayMinutes: 9 });
    expect([again.status, again.body.type]).toEqual([422, '/problems/value-refused']);
    const branchId = company.branchId;
    const drop = { ...READING, branchId, droppedAt: hoursFromNow(-1), dropReason: 'Seen.' };
    const token = await tokenOf(await plantStaff(system.owner, { roles: ['senior-agent'] }));
    const old = await api.call('POST', `${path}/check-in`, { token, body: drop });
    expect(old.body.type).toBe('/problems/forbidden');
  });

  test('who came too late is a no-show until a manager reinstates him, once', async () => {
    await plantVehicles(system.db, 'JDMR', 1);
    const grace = (minutes: number) =>
      sql`update vehicles.branch set no_show_grace_minutes = ${minutes}
        where id = ${company.branchId}`.execute(system.owner);
    await grace(0);
    const times = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(24) };
    const { id } = (await reserve('JDMR', times)).body;
    await grace(60);
    const read = async () => (await api.call('GET', `/api/v1/rentals/${id}`)).body;
    await until(async () => (await read()).status === 'no_show');
    await heldDeposit(system.db, id, 500_00);
    expect((await read()).payBackMinor).toBeGreaterThan(0);
    const again = () => api.call('POST', `/api/v1/rentals/${id}/reinstate`, { body: {}, key: id });
    const [one, same] = [await again(), await again()];
    expect(one).toMatchObject({ status: 200, body: { status: 'reserved', payBackMinor: null } });
    expect(same.text).toBe(one.text);
    expect(
      (await read()).actions.find((a: { name: string }) => a.name === 'reinstate'),
    ).toMatchObject({ allowed: false });
    expect((await send(id, 'reinstate', {})).body.type).toBe('/problems/invalid-state');
    expect((await send(id, 'check-out', READING)).body.status).toBe('active');
  });
});
