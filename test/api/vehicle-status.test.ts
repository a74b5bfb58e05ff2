// The status of vehicles over HTTP, and the register's fields as the API takes and shows them.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { book, CLASS, hour, plantFleet } from '../support/fleet.ts';

let api: TestApi;
let branchId: string;
beforeAll(async () => {
  api = await testApi();
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 0, turnaroundMinutes: 0 }));
});

const CAR = { classId: CLASS, make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
let plates = 0;

function register(over: object = {}) {
  plates += 1;
  const body = { plate: `HTTP-${plates}`, branchId, ...CAR, ...over };
  return api.call('POST', '/api/v1/vehicles', { body });
}

function command(id: string, name: string, body: object = { reason: 'Because' }, key?: string) {
  const options = { body, ...(key && { key }) };
  return api.call('POST', `/api/v1/vehicles/${id}/${name}`, options);
}

describe('a status command', () => {
  test('answers the vehicle as it is now, once for each key', async () => {
    const { body: vehicle } = await register({ status: 'ordered' });
    const key = randomUUID();
    const prepared = await command(vehicle.id, 'prepare', { reason: 'Arrived' }, key);
    expect([prepared.status, prepared.body.status]).toEqual([200, 'preparing']);
    expect(prepared.headers.get('etag')).toBe('"2"');
    const again = await command(vehicle.id, 'prepare', { reason: 'Arrived' }, key);
    expect(again.body).toEqual(prepared.body);
    expect((await command(vehicle.id, 'activate')).body).toMatchObject({ status: 'in_service' });
  });

  test('that the state does not allow is 409 with the reason', async () => {
    const { body: vehicle } = await register();
    const sold = await command(vehicle.id, 'sell');
    expectProblem(sold, 409, 'invalid-state');
    expect(sold.body).toMatchObject({
      reason: 'transition',
      vehicleStatus: 'in_service',
      command: 'sell',
    });
    const back = await command(vehicle.id, 'return-to-supplier');
    expect(back.body).toMatchObject({ status: 409, reason: 'ownership' });
  });

  test('against a booking is 409 with the bookings to be moved first', async () => {
    const { db } = api.database;
    const { branchId } = await plantFleet(db, { vehicles: 0, turnaroundMinutes: 0 });
    const { body: vehicle } = await register({ branchId });
    const { rentalId } = await book(db, { branchId, from: hour(50), to: hour(60) });
    const refused = await command(vehicle.id, 'hold-for-sale', { reason: 'Old', from: hour(55) });
    expectProblem(refused, 409, 'invalid-state');
    expect(refused.body).toMatchObject({
      reason: 'booked',
      spans: [{ kind: 'rental', ref: rentalId, from: hour(50), to: hour(60), number: null }],
    });
    const planned = await command(vehicle.id, 'hold-for-sale', { reason: 'Old', from: hour(60) });
    expect(planned.body).toMatchObject({ status: 'in_service', heldForSaleAt: hour(60) });
  });

  test('needs a reason, and is no part of a change any more', async () => {
    const { body: vehicle } = await register();
    expect((await command(vehicle.id, 'prepare', {})).status).toBe(422);
    const changed = await api.call('PATCH', `/api/v1/vehicles/${vehicle.id}`, {
      body: { status: 'preparing' },
      headers: { 'if-match': '"1"' },
    });
    expectProblem(changed, 422, 'unknown-field');
    expectProblem(await command(randomUUID(), 'prepare'), 404, 'not-found');
  });
});

describe('what is told of a vehicle', () => {
  test('comes back as it was told, the VIN in capitals', async () => {
    const subRental = {
      from: hour(1_000),
      until: hour(2_000),
      offHireNoticeDays: 2,
      costPerDayMinor: 2_500,
      currency: 'EUR',
    };
    const told = {
      energy: 'electric',
      batteryKwh: 77.4,
      plateJurisdiction: 'DE',
      ownership: 'sub_rented',
      supplier: 'Partner Cars',
      subRental,
    };
    const { status, body } = await register({ ...told, vin: 'wvw zzz1jzxw0-00001' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...told, vin: 'WVWZZZ1JZXW000001', acquisition: null });
    // Its ninth place is no check digit, as with most European makers.
    expect(body.warnings).toEqual(['vin-check-digit']);
    const { body: found } = await api.call('GET', '/api/v1/vehicles?vin=wvwzzz1jzxw000001');
    expect(found.items).toEqual([body]);
  });

  test.each([
    ['vin', { vin: '1M8GDM9A1KP042788' }],
    ['vin', { vin: 'TOO-SHORT' }],
    ['supplier', { ownership: 'leased' }],
    ['subRental', { ownership: 'sub_rented', supplier: 'P' }],
    ['batteryKwh', { energy: 'diesel', batteryKwh: 50 }],
    [
      'acquisition.residualMinor',
      {
        acquisition: { acquiredOn: '2027-01-01', costMinor: 1, currency: 'EUR', residualMinor: 2 },
      },
    ],
  ])('is refused by its place: %s', async (path, over) => {
    const answer = await register(over);
    expectProblem(answer, 422, 'validation-failed');
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('that only the database can judge is 422 too', async () => {
    const { body: vehicle } = await register();
    const answer = await api.call('PATCH', `/api/v1/vehicles/${vehicle.id}`, {
      body: { ownership: 'leased' },
      headers: { 'if-match': '"1"' },
    });
    expectProblem(answer, 422, 'value-refused');
  });
});

describe('a fine', () => {
  test('finds the vehicle that had the plate then', async () => {
    const { body: first } = await register({ plate: 'FINE 1' });
    const then = new Date().toISOString();
    const changed = await api.call('PATCH', `/api/v1/vehicles/${first.id}`, {
      body: { plate: 'FINE 2' },
      headers: { 'if-match': '"1"' },
    });
    expect(changed.status).toBe(200);
    const { body: second } = await register({ plate: 'FINE-1' });
    const asked = async (query: string) =>
      (await api.call('GET', `/api/v1/vehicles/by-plate?${query}`)).body.items.map(
        (item: { vehicleId: string }) => item.vehicleId,
      );
    expect(await asked(`plate=fine1&at=${then}`)).toEqual([first.id]);
    expect(await asked('plate=fine1')).toEqual([second.id]);
    expect(await asked('plate=fine1&jurisdiction=AT')).toEqual([]);
    const { body } = await api.call('GET', `/api/v1/vehicles/${first.id}/plates`);
    expect(body.items.map((item: { plate: string }) => item.plate)).toEqual(['FINE 2', 'FINE 1']);
  });
});

describe('a class', () => {
  test('has a code that means something, and says it in words', async () => {
    const body = { id: 'IDAH', name: 'Hybrid' };
    const made = await api.call('POST', '/api/v1/classes', { body });
    expect(made.body.meaning).toMatchObject({ category: 'Intermediate', fuel: 'Hybrid' });
    const wrong = await api.call('POST', '/api/v1/classes', { body: { ...body, id: 'IDXH' } });
    expectProblem(wrong, 422, 'validation-failed');
  });

  test('has a ladder of upgrades', async () => {
    const path = `/api/v1/classes/${CLASS}/upgrades`;
    const read = await api.call('GET', path);
    expect(read.body).toEqual({ classId: CLASS, upgrades: [], version: 1 });
    const set = (upgrades: readonly string[], match: string) =>
      api.call('PUT', path, { body: { upgrades }, headers: { 'if-match': match } });
    const done = await set(['IDAH'], read.headers.get('etag') ?? '');
    expect(done.body).toEqual({ classId: CLASS, upgrades: ['IDAH'], version: 2 });
    expect((await api.call('GET', path)).body).toEqual(done.body);
    expectProblem(await set(['IDAH'], '"1"'), 412, 'version-conflict');
    expectProblem(await set(['ZZZZ'], '"2"'), 422, 'unknown-reference');
    expectProblem(await set([CLASS], '"2"'), 422, 'value-refused');
  });
});
