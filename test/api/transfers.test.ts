// Transfers over HTTP: a drive from ticket to arrival, who may do what, and the calendar that follows.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { testSystem } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

const PATH = '/api/v1/transfers';
const DASH = { odometerKm: 1_100, fuelEighths: 8 };
let api: TestApi;
let customerId: string;

beforeAll(async () => {
  const system = await testSystem('transfers');
  ({ customerId } = await plantTrade(system.db));
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
  await workHere(system);
}, 120_000);

async function branches(): Promise<{ a: string; b: string; vehicleId: string }> {
  const a = await plantFleet(api.database.db, { vehicles: 1 });
  const b = await plantFleet(api.database.db, { vehicles: 0 });
  return { a: a.branchId, b: b.branchId, vehicleId: a.vehicleIds[0] ?? '' };
}

function plan(vehicleId: string, toBranchId: string, hours = 0, over: object = {}) {
  const body = { vehicleId, toBranchId, departsAt: hoursFromNow(hours), ...over };
  return api.call('POST', PATH, { body });
}

function send(id: string, command: string, body: object, key?: string): Promise<ApiAnswer> {
  return api.call('POST', `${PATH}/${id}/${command}`, { body, ...(key && { key }) });
}

function rental(branchId: string, returnBranchId: string, from: number, to: number) {
  const term = { pickUpAt: hoursFromNow(from), dueAt: hoursFromNow(to) };
  const body = { branchId, returnBranchId, classId: CLASS, customerId, ...term };
  return api.call('POST', '/api/v1/rentals', { body });
}

describe('a transfer', () => {
  test('is planned, driven and arrived; then the vehicle is rented at its new branch', async () => {
    const { a, b, vehicleId } = await branches();
    const planned = await plan(vehicleId, b);
    expect([planned.status, planned.body.type]).toEqual([201, undefined]);
    expect(planned.body).toMatchObject({ status: 'planned', fromBranchId: a, toBranchId: b });
    expect(planned.body.commands).toEqual(['depart', 'cancel']);
    const { id } = planned.body;
    expect(planned.headers.get('location')).toBe(`${PATH}/${id}`);
    const key = randomUUID();
    const gone = await send(id, 'depart', DASH, key);
    expect([gone.status, gone.body.status]).toEqual([200, 'under_way']);
    expect((await send(id, 'depart', DASH, key)).body).toEqual(gone.body);
    expectProblem(await send(id, 'cancel', { reason: 'driver' }), 409, 'invalid-state');
    const low = await send(id, 'arrive', { odometerKm: 1_000, fuelEighths: 8 });
    expectProblem(low, 422, 'odometer-rollback');
    const there = await send(id, 'arrive', { odometerKm: 1_250, fuelEighths: 7 });
    expect(there.body).toMatchObject({ status: 'arrived', km: 150, commands: [] });
    expect((await api.call('GET', `${PATH}/${id}`)).body).toEqual(there.body);
    expectProblem(await send(id, 'arrive', DASH), 409, 'invalid-state');
    const vehicle = await api.call('GET', `/api/v1/vehicles/${vehicleId}`);
    expect(vehicle.body).toMatchObject({ branchId: b, odometerKm: 1_250 });
    const list = await api.call('GET', `${PATH}?branchId=${b}&status=arrived`);
    expect(list.body.items.map((one: { id: string }) => one.id)).toEqual([id]);
    expect((await rental(b, b, 3, 9)).body).toMatchObject({ vehicleId });
  });

  test('is planned for each chosen move, with the vehicle that fits; refused ones say why', async () => {
    const { a, b, vehicleId } = await branches();
    const move = { fromBranchId: a, toBranchId: b, classId: CLASS, departsAt: hoursFromNow(1) };
    const options = { body: { items: [move, move] }, key: randomUUID() };
    const answer = await api.call('POST', '/api/v1/relocations', options);
    const [planned, refused] = answer.body.results;
    expect(planned).toMatchObject({ status: 201, item: { vehicleId, toBranchId: b } });
    expect(refused).toMatchObject({
      status: 409,
      problem: { type: '/problems/vehicle-unavailable' },
    });
    expect((await api.call('POST', '/api/v1/relocations', options)).text).toBe(answer.text);
    const list = await api.call('GET', `${PATH}?branchId=${b}`);
    expect(list.body.items.map((one: { id: string }) => one.id)).toEqual([planned.item.id]);
  });

  test('does not take a vehicle that is promised: 409 names the booking', async () => {
    const { a, b, vehicleId } = await branches();
    const booked = (await rental(a, a, 20, 30)).body;
    const refused = await plan(vehicleId, b);
    expectProblem(refused, 409, 'vehicle-unavailable');
    expect(refused.body.inTheWay).toMatchObject([{ kind: 'rental', ref: booked.id }]);
    expectProblem(await plan(vehicleId, 'NOWHERE'), 422, 'unknown-reference');
    expectProblem(await plan(randomUUID(), b), 422, 'unknown-reference');
    const driverId = randomUUID();
    expectProblem(await plan(vehicleId, b, 0, { driverId }), 422, 'unknown-reference');
    expectProblem(await plan(vehicleId, b, -5), 422, 'pick-up-in-past');
  });

  test('cancelled, it leaves who relied on its arrival without a vehicle, and says so', async () => {
    const { b, vehicleId } = await branches();
    const { id } = (await plan(vehicleId, b, 1)).body;
    const relying = (await rental(b, b, 10, 20)).body;
    expect(relying.vehicleId).toBe(vehicleId);
    const ended = await send(id, 'cancel', { reason: 'driver' });
    expect(ended.body).toMatchObject({ status: 'cancelled', cancelReason: 'driver' });
    const left = await api.call('GET', `/api/v1/rentals/${relying.id}`);
    expect(left.body).toMatchObject({ vehicleId: null, allocation: 'unassigned' });
  });
});

test('a one-way rental, a drive back and another one-way rental have one vehicle', async () => {
  const { a, b, vehicleId } = await branches();
  const first = await rental(a, b, 1, 5);
  expect(first.body).toMatchObject({ vehicleId });
  const astray = await rental(a, a, 20, 30);
  expectProblem(astray, 409, 'vehicle-unavailable');
  const back = await plan(vehicleId, a, 8);
  expect(back.body).toMatchObject({ fromBranchId: b, toBranchId: a });
  expect((await rental(a, b, 20, 30)).body).toMatchObject({ vehicleId });
});

test('is seen and driven by those of either end, and planned by planners and managers', async () => {
  const { a, b, vehicleId } = await branches();
  const { id } = (await plan(vehicleId, b)).body;
  const tokenAt = async (role: 'counter-agent' | 'branch-manager', branch: string) =>
    tokenOf(await plantStaff(api.database.owner, { roles: [role], branches: [branch] }));
  const other = await tokenAt('counter-agent', 'ZZZ');
  const path = `${PATH}/${id}`;
  expectProblem(await api.call('GET', path, { token: other }), 404, 'not-found');
  const foreign = await api.call('POST', `${path}/depart`, { token: other, body: DASH });
  expectProblem(foreign, 404, 'not-found');
  const body = { vehicleId, toBranchId: b, departsAt: hoursFromNow(0) };
  const stranger = await tokenAt('branch-manager', 'ZZZ');
  const unseen = await api.call('POST', PATH, { token: stranger, body });
  expectProblem(unseen, 422, 'unknown-reference');
  const agent = await tokenAt('counter-agent', b);
  expectProblem(await api.call('POST', PATH, { token: agent, body }), 403, 'forbidden');
  const here = await tokenAt('counter-agent', a);
  const gone = await api.call('POST', `${path}/depart`, { token: here, body: DASH });
  expect(gone.status).toBe(200);
  const there = await api.call('POST', `${path}/arrive`, { token: agent, body: DASH });
  expect(there.body).toMatchObject({ status: 'arrived', km: 0 });
});
