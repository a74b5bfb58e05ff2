// A recall over HTTP, with its workflow: vehicles stand, their renters are told, a repair frees them.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test, vi } from 'vitest';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { type System, testSystem } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

const EMAIL = 'ada@planted.example';
let system: System;
let api: TestApi;
let company: Company;
beforeAll(async () => {
  system = await testSystem('recalls');
  company = await plantCompany(system.db, {}, { name: 'Ada Planted', email: EMAIL });
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
  await workHere(system);
});

function post(path: string, body: object, key = randomUUID()): Promise<ApiAnswer> {
  return api.call('POST', `/api/v1${path}`, { body, key });
}

async function read(path: string): Promise<ApiAnswer['body']> {
  return (await api.call('GET', `/api/v1${path}`)).body;
}

function notice(over: object = {}) {
  return {
    title: 'Airbag inflator',
    authorityNumber: `26V-${randomUUID()}`,
    jurisdiction: 'US',
    noticeReceivedAt: hoursFromNow(-1),
    isSafety: true,
    isRemedyAvailable: true,
    scopes: [{ make: 'Recalled' }],
    hardFrom: hoursFromNow(-0.5),
    ...over,
  };
}

test('from the notice to the repair', { timeout: 120_000 }, async () => {
  const vehicleIds = await plantVehicles(system.db, 'CDMR', 2);
  await sql`update vehicles.vehicle set make = 'Recalled'`.execute(system.owner);
  const rental = (
    await post('/rentals', {
      ...company,
      classId: 'CDMR',
      pickUpAt: hoursFromNow(0.1),
      dueAt: hoursFromNow(24),
    })
  ).body;
  const out = await post(`/rentals/${rental.id}/check-out`, { odometerKm: 2_000, fuelEighths: 8 });
  const { vehicleId } = out.body;

  const [body, key] = [notice(), randomUUID()];
  const opened = await post('/recalls', body, key);
  expect([opened.status, opened.body]).toMatchObject([201, { status: 'noticed', vehicles: 2 }]);
  expect((await post('/recalls', body, key)).body).toEqual(opened.body);
  const { recallId } = opened.body;
  expect((await post('/recalls', body)).body.type).toBe('/problems/duplicate');

  await vi.waitFor(async () => {
    const its = await read(`/recalls/${recallId}`);
    expect(its.groundedAt).not.toBeNull();
    expect(its).toMatchObject({ vehicles: 2, onRent: 1, repaired: 0 });
  }, 30_000);
  const [with1] = (await read(`/recalls/${recallId}/vehicles?onRent=true`)).items;
  expect(with1).toMatchObject({
    vehicleId,
    rental: { rentalId: rental.id, number: rental.number, dueAt: rental.dueAt, channel: 'mail' },
  });
  // What the letter is made of: test/db/recall-renters.test.ts sends it.
  const { rows } = await sql<{ data: object }>`select event::jsonb->'data' as data
    from events.outbox where type = 'forecourt.recall.renter-notified.v1'`.execute(system.owner);
  expect(rows).toEqual([{ data: { recallId, rentalId: rental.id, vehicleId, channel: 'mail' } }]);

  const { pickUpAt, dueAt } = { pickUpAt: hoursFromNow(30), dueAt: hoursFromNow(40) };
  const wanted = { ...company, classId: 'CDMR', pickUpAt, dueAt };
  expect((await post('/rentals', wanted)).body.type).toBe('/problems/vehicle-unavailable');
  const extend = await post(`/rentals/${rental.id}/extend`, { dueAt: hoursFromNow(48) });
  expect([extend.status, extend.body.type]).toEqual([409, '/problems/vehicle-held']);

  const other = vehicleIds.find((id) => id !== vehicleId);
  const path = `/recalls/${recallId}/vehicles/${other}/repair`;
  expect((await post(path, {})).status).toBe(422);
  const repaired = await post(path, { repairCode: 'RC-311/1' });
  expect([repaired.status, repaired.body.repairCode]).toEqual([200, 'RC-311/1']);
  expect(await read(`/recalls/${recallId}`)).toMatchObject({ repaired: 1 });
  const booked = await post('/rentals', wanted);
  expect([booked.status, booked.body.vehicleId]).toEqual([201, other]);
});

test('a notice that cannot be is refused, and may be entered anew', async () => {
  const wrong = await post('/recalls', notice({ deadlineHours: 72 }));
  expect([wrong.status, wrong.body.type]).toEqual([422, '/problems/value-refused']);
  const right = await post('/recalls', notice({ scopes: [{ make: 'Nobody' }] }));
  expect([right.status, right.body.vehicles]).toEqual([201, 0]);
});

test('its remedy is told by its version, and its deadline moves until it has come', async () => {
  const opened = await post('/recalls', notice({ hardFrom: undefined, scopes: [{ make: 'No' }] }));
  const path = `/recalls/${opened.body.recallId}`;
  const patch = (version: number, body: object) =>
    api.call('PATCH', `/api/v1${path}`, { body, headers: { 'if-match': `"${version}"` } });
  const { version } = await read(path);
  const told = await patch(version, { remedy: 'A new inflator', hardFrom: hoursFromNow(-0.1) });
  expect([told.status, told.headers.get('etag')]).toEqual([200, `"${version + 1}"`]);
  expect((await patch(version, { remedy: null })).status).toBe(412);
  expect((await patch(version + 1, {})).status).toBe(422);
  await vi.waitFor(async () => expect((await read(path)).groundedAt).not.toBeNull(), 30_000);
  const late = await patch((await read(path)).version, { hardFrom: hoursFromNow(1) });
  expect(late.status).toBe(409);
  const again = await patch((await read(path)).version, { remedy: 'Another one' });
  expect([again.status, again.body.remedy]).toEqual([200, 'Another one']);
});
