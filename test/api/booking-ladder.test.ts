// Held quotes, overrides, requests and shortages over HTTP, with the workflows that stand behind them.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerClass } from '../../db/commands/branches.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { customerPerson, tokenOf } from '../support/people.ts';
import { type System, testSystem, until } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

let system: System;
let api: TestApi;
let company: Company;

beforeAll(async () => {
  system = await testSystem('ladder');
  company = await plantCompany(system.db);
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
  await workHere(system);
}, 120_000);

const CLASSES = ['CDAB', 'CDAD', 'ICAB', 'ICAD', 'FCAB', 'FCAD', 'PCAB', 'PCAD', 'LCAB', 'LCAD'];

/** A class of its own with so many vehicles at VIE. */
async function pool(vehicles: number): Promise<string> {
  const id = CLASSES.shift() ?? '';
  if (vehicles > 0) await plantVehicles(system.db, id, vehicles);
  else await registerClass(system.db, 'system:test', { id, name: id });
  return id;
}

function wanted(classId: string, fromHours = 48) {
  const { branchId } = company;
  const [pickUpAt, dueAt] = [hoursFromNow(fromHours), hoursFromNow(fromHours + 24)];
  return { branchId, classId, pickUpAt, dueAt };
}

const post = (path: string, body: object, token?: string): Promise<ApiAnswer> =>
  api.call('POST', `/api/v1${path}`, { body, ...(token !== undefined && { token }) });
const get = (path: string): Promise<ApiAnswer> => api.call('GET', `/api/v1${path}`);

describe('a held quote', () => {
  test('keeps the vehicle, is accepted by a rental, and is released no more', async () => {
    const term = wanted(await pool(1));
    const held = await post('/quotes/holds', { ...term, channel: 'online' });
    expect([held.status, held.body.status]).toEqual([201, 'held']);
    const path = held.headers.get('location') ?? '';
    expect((await api.call('GET', path)).body).toEqual(held.body);
    const { customerId } = company;
    expectProblem(await post('/rentals', { ...term, customerId }), 409, 'vehicle-unavailable');
    const quoteId = held.body.id;
    const rental = await post('/rentals', { ...term, customerId, quoteId });
    expect([rental.status, rental.body.price]).toEqual([201, held.body.price]);
    expect((await api.call('GET', path)).body).toMatchObject({
      status: 'accepted',
      rentalId: rental.body.id,
    });
    expectProblem(await api.call('DELETE', path), 409, 'invalid-state');
  });

  test('that is released gives its vehicle back, and says so again', async () => {
    const term = wanted(await pool(1));
    const { body } = await post('/quotes/holds', { ...term, channel: 'corporate' });
    const path = `/api/v1/quotes/holds/${body.id}`;
    const released = await api.call('DELETE', path);
    expect([released.status, released.body.status]).toEqual([200, 'released']);
    expect((await api.call('DELETE', path)).body).toEqual(released.body);
    const rental = await post('/rentals', { ...term, customerId: company.customerId });
    expect(rental.status).toBe(201);
  });

  test("is the customer's own: nobody else's is there, and online only", async () => {
    const term = wanted(await pool(1));
    const { customerId } = company;
    const token = await tokenOf(await customerPerson(system.owner, customerId));
    const corporate = await post('/quotes/holds', { ...term, channel: 'corporate' }, token);
    expectProblem(corporate, 403, 'forbidden');
    const own = await post('/quotes/holds', { ...term, channel: 'online' }, token);
    expect([own.status, own.body.customerId]).toEqual([201, customerId]);
    const [other] = (
      await sql<{ id: string }>`insert into rentals.customer (id, name)
        values (uuidv7(), 'Other') returning id`.execute(system.owner)
    ).rows;
    const stranger = await tokenOf(await customerPerson(system.owner, other?.id ?? ''));
    const path = `/api/v1/quotes/holds/${own.body.id}`;
    expectProblem(await api.call('GET', path, { token: stranger }), 404, 'not-found');
    expectProblem(await api.call('DELETE', path, { token: stranger }), 404, 'not-found');
    const theirs = { ...term, customerId: other?.id, quoteId: own.body.id };
    expectProblem(await post('/rentals', theirs, stranger), 422, 'unknown-reference');
  });
});

describe('a shortage', () => {
  test('is raised by the rental itself, and an upgrade reaches its workflow', async () => {
    const classId = await pool(1);
    const { customerId, branchId } = company;
    const term = wanted(classId, 0.5);
    await post('/rentals', { ...term, customerId });
    const override = { reason: 'Regular of ours', overbook: 1 };
    const rental = await post('/rentals', { ...term, customerId, override });
    expect([rental.status, rental.body.allocation]).toEqual([201, 'unassigned']);
    const report = await get(`/audit?report=overrides&subjectId=${rental.body.id}`);
    expect(report.body.items).toMatchObject([{ action: 'rental.overbook' }]);
    const cases = async () => (await get(`/shortages?open=true&branchId=${branchId}`)).body.items;
    await until(async () => (await cases()).length === 1);
    const [open] = await cases();
    expect(open).toMatchObject({ rentalId: rental.body.id, classId, step: null });
    const above = await pool(1);
    await sql`insert into vehicles.upgrade (class_id, next_class_id, rank)
      values (${classId}, ${above}, 1)`.execute(system.owner);
    const shown = await get(`/shortages/${open.id}`);
    expect(shown.body.proposals).toMatchObject({
      upgrades: [{ classId: above, free: 1 }],
      otherwise: ['sub_rental', 'walk'],
    });
    const resolution = { step: 'upgrade', classId: above };
    const resolved = await post(`/shortages/${open.id}/resolve`, resolution);
    expect(resolved.body).toMatchObject({ step: 'upgrade', upgradeClassId: above });
    const reading = { odometerKm: 2_000, fuelEighths: 8 };
    await until(
      async () => (await get(`/rentals/${rental.body.id}`)).body.allocation === 'assigned',
    );
    const out = await post(`/rentals/${rental.body.id}/check-out`, reading);
    expect(out.body).toMatchObject({
      status: 'active',
      vehicleId: resolved.body.vehicleId,
      price: rental.body.price,
    });
  });

  test('that ends in a walk cancels the rental', async () => {
    const term = wanted(await pool(0), 1);
    const { customerId } = company;
    const override = { reason: 'Promised by phone', overbook: 1 };
    const rental = await post('/rentals', { ...term, customerId, override });
    const mine = async () =>
      (await get('/shortages?open=true')).body.items.find(
        (one: { rentalId: string }) => one.rentalId === rental.body.id,
      );
    await until(async () => (await mine()) !== undefined);
    const walk = { step: 'walk', costMinor: 8_900, currency: 'EUR', reason: 'Sold out' };
    const walked = await post(`/shortages/${(await mine()).id}/resolve`, walk);
    expect([walked.status, walked.body.step]).toEqual([200, 'walk']);
    const ended = await get(`/rentals/${rental.body.id}`);
    expect(ended.body.status).toBe('cancelled');
  });
});

describe('a class on request', () => {
  const path = (classId: string) => `/api/v1/branches/${company.branchId}/on-request/${classId}`;
  const put = (classId: string, body: object = {}, headers = {}) =>
    api.call('PUT', path(classId), { body, headers });

  test('is set, changed and withdrawn by its version', async () => {
    const classId = await pool(0);
    const set = await put(classId);
    expect([set.status, set.body.answerMinutes, set.headers.get('etag')]).toEqual([
      200,
      1_440,
      '"1"',
    ]);
    expectProblem(await put(classId, { answerMinutes: 60 }), 428, 'precondition-required');
    const known = { 'if-match': '"1"' };
    expect((await put(classId, { answerMinutes: 60 }, known)).body.version).toBe(2);
    expectProblem(await put(classId, {}, known), 412, 'version-conflict');
    expectProblem(await put('ZZZZ'), 422, 'unknown-reference');
    const listed = await get(`/branches/${company.branchId}/on-request`);
    expect(listed.body.items).toMatchObject([{ classId, answerMinutes: 60 }]);
    const over = await api.call('DELETE', path(classId), { headers: { 'if-match': '"2"' } });
    expect(over.body).toMatchObject({ active: false, version: 3 });
    expect((await get(`/branches/${company.branchId}/on-request`)).body.items).toEqual([]);
  });

  test('answers 202, which a person confirms once there is a vehicle, or declines', async () => {
    const classId = await pool(1);
    const { customerId } = company;
    const term = wanted(classId);
    const taken = await post('/rentals', { ...term, customerId });
    await put(classId);
    const asked = await post('/rentals', { ...term, customerId });
    expect([asked.status, asked.body.status]).toEqual([202, 'requested']);
    expect(asked.body).toMatchObject({ needsAttention: true, allocation: null, vehicleId: null });
    const allowed = asked.body.actions.filter((one: { allowed: boolean }) => one.allowed);
    expect(allowed.map(({ name }: { name: string }) => name)).toEqual([
      'announceDelay',
      'cancel',
      'confirm',
      'decline',
    ]);
    const waiting = await get('/rentals?status=requested');
    expect(waiting.body.items).toEqual([asked.body]);
    const one = `/rentals/${asked.body.id}`;
    expectProblem(await post(`${one}/confirm`, {}), 409, 'vehicle-unavailable');
    expectProblem(
      await post(`${one}/check-out`, { odometerKm: 1, fuelEighths: 8 }),
      409,
      'invalid-state',
    );
    const other = await post('/rentals', { ...term, customerId });
    const declined = await post(`/rentals/${other.body.id}/decline`, { reason: 'no-vehicle' });
    expect([declined.status, declined.body.status]).toEqual([200, 'declined']);
    expectProblem(await post(`/rentals/${other.body.id}/confirm`, {}), 409, 'invalid-state');
    await post(`/rentals/${taken.body.id}/cancel`, { reason: 'customer' });
    const confirmed = await post(`${one}/confirm`, {});
    expect(confirmed.body).toMatchObject({
      status: 'reserved',
      vehicleId: taken.body.vehicleId,
      needsAttention: false,
    });
  });

  test("is the customer's own to cancel, and nobody's to override but a manager's", async () => {
    const classId = await pool(0);
    const { customerId } = company;
    await put(classId);
    const token = await tokenOf(await customerPerson(system.owner, customerId));
    const own = await post('/rentals', { ...wanted(classId), customerId }, token);
    expect(own.status).toBe(202);
    const one = `/rentals/${own.body.id}`;
    expectProblem(await post(`${one}/confirm`, {}, token), 403, 'forbidden');
    const cancelled = await post(`${one}/cancel`, { reason: 'customer' }, token);
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled']);
    const again = await post('/rentals', { ...wanted(classId), customerId });
    const override = { reason: 'A regular', overbook: 1 };
    const booked = await post(`/rentals/${again.body.id}/confirm`, { override });
    expect(booked.body).toMatchObject({ status: 'reserved', allocation: 'unassigned' });
    const report = await get(`/audit?report=overrides&subjectId=${again.body.id}`);
    const reason = 'see rentals.booking_override';
    expect(report.body.items).toMatchObject([{ action: 'rental.overbook', reason }]);
  });
});
