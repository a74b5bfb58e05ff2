// Meters over HTTP: who may send what, batches, and what a person decides.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantFleet } from '../support/fleet.ts';
import { hoursIn } from '../support/meters.ts';
import { clientToken, plantPartner, plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let vehicleId: string;
let branchId: string;
beforeAll(async () => {
  api = await testApi();
});
const plant = async () => {
  const fleet = await plantFleet(api.database.db, { vehicles: 1 });
  [vehicleId = ''] = fleet.vehicleIds;
  ({ branchId } = fleet);
};

const reads = (hours: number, value: number) => ({
  kind: 'odometer',
  source: 'dash',
  takenAt: hoursIn(hours),
  value,
});
const device = { source: 'can', deviceId: 'dev-1' } as const;
const post = (path: string, body: object, options: object = {}) =>
  api.call('POST', `/api/v1${path}`, { body, ...options });
const get = (path: string) => api.call('GET', `/api/v1${path}`);
const send = (body: object, options: object = {}) =>
  post(`/vehicles/${vehicleId}/readings`, body, options);

describe('a reading', () => {
  test('is recorded, listed, and seen in the vehicle', async () => {
    await plant();
    const sent = await send(reads(24, 1_100.5));
    expect(sent.status).toBe(201);
    expect(sent.body).toMatchObject({
      ...reads(24, 1_100.5),
      vehicleId,
      state: 'accepted',
      origin: 'http',
      deviceId: null,
      segment: 1,
      review: null,
    });
    const code = { kind: 'dtc', ...device, takenAt: hoursIn(25), code: 'P0420', active: true };
    expect((await send(code)).body).toMatchObject({ code: 'P0420', active: true, value: null });
    const all = await get(`/vehicles/${vehicleId}/readings`);
    expect(all.body.items).toHaveLength(2);
    const some = await get(`/vehicles/${vehicleId}/readings?kind=odometer&limit=1`);
    expect(some.body).toEqual({ items: [sent.body], nextCursor: null });
    expect((await get(`/vehicles/${vehicleId}`)).body.odometerKm).toBe(1_100);
    expect((await get(`/vehicles/${vehicleId}/meters`)).body).toEqual({
      meters: [
        {
          kind: 'odometer',
          source: 'dash',
          deviceId: null,
          takenAt: hoursIn(24),
          value: 1_100.5,
          offsetKm: null,
        },
      ],
      dtcs: [{ code: 'P0420', system: 'powertrain', definedBy: 'standard', takenAt: hoursIn(25) }],
    });
  });

  test('sent again is the same one, by key and by what it says', async () => {
    await plant();
    const first = await send(reads(24, 1_100), { key: 'once' });
    expect((await send(reads(24, 1_100), { key: 'once' })).body).toEqual(first.body);
    expect((await send(reads(24, 1_100))).body).toEqual(first.body);
  });

  test('must be one', async () => {
    await plant();
    expectProblem(await send({ ...reads(24, -1) }), 422, 'validation-failed');
    expectProblem(await send({ ...reads(24, 1), deviceId: 'dev-1' }), 422, 'validation-failed');
    expectProblem(await send({ ...reads(24, 1), source: 'can' }), 422, 'validation-failed');
    expectProblem(await send({ ...reads(24, 1), extra: 1 }), 422, 'unknown-field');
    const code = { kind: 'dtc', ...device, takenAt: hoursIn(1), code: 'X0420', active: true };
    expectProblem(await send(code), 422, 'validation-failed');
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    expectProblem(await send({ ...reads(24, 1), takenAt: tomorrow }), 422, 'invalid-time');
    const unknown = await post(`/vehicles/${uuidv7()}/readings`, reads(24, 1));
    expectProblem(unknown, 404, 'not-found');
  });
});

test('of a batch each item has its own result', async () => {
  await plant();
  const answer = await post('/readings/batch', {
    items: [
      { vehicleId, ...reads(24, 1_100) },
      { vehicleId: uuidv7(), ...reads(24, 1_100) },
      { vehicleId, ...reads(25, 9_000) },
    ],
  });
  expect(answer.status).toBe(200);
  const results: { status: number; item?: { state: string } }[] = answer.body.results;
  expect(results.map(({ status, item }) => [status, item?.state])).toEqual([
    [201, 'accepted'],
    [422, undefined],
    [201, 'queued'],
  ]);
});

describe('who decides', () => {
  test('what waits is listed, decided once, and gone from the list', async () => {
    await plant();
    await send(reads(24, 1_100));
    const { body: queued } = await send(reads(25, 2_000));
    expect(queued).toMatchObject({ state: 'queued', review: { reason: 'too-fast' } });
    const { body: waiting } = await get(`/readings/reviews?vehicleId=${vehicleId}`);
    expect(waiting.items).toEqual([queued]);
    const path = `/readings/reviews/${queued.id}/decide`;
    const decided = await post(path, { decision: 'accept', reason: 'Seen by me' });
    expect(decided.body).toMatchObject({ state: 'accepted', review: { decision: 'accept' } });
    const again = await post(path, { decision: 'void', reason: 'No' });
    expectProblem(again, 409, 'invalid-state');
    expect((await get(`/readings/reviews?vehicleId=${vehicleId}`)).body.items).toEqual([]);
    const back = await send(reads(30, 1_500));
    const refused = await post(`/readings/reviews/${back.body.id}/decide`, {
      decision: 'accept',
      reason: 'x',
    });
    expectProblem(refused, 422, 'odometer-rollback');
  });

  test('voids with a reason; a second time there is nothing to void', async () => {
    await plant();
    const { body } = await send(reads(24, 1_100));
    const answer = await post(`/readings/${body.id}/void`, { reason: 'Another car' });
    expect(answer.body).toMatchObject({ state: 'void', voidReason: 'Another car' });
    const again = await post(`/readings/${body.id}/void`, { reason: 'Really' });
    expectProblem(again, 409, 'invalid-state');
    expectProblem(await post(`/readings/${uuidv7()}/void`, { reason: 'x' }), 404, 'not-found');
  });

  test('replaces an odometer', async () => {
    await plant();
    await send(reads(24, 80_000));
    const path = `/vehicles/${vehicleId}/odometer-replacements`;
    const given = { replacedAt: hoursIn(48), newKm: 5, reason: 'Broken display' };
    expectProblem(await post(path, { ...given, oldKm: 79_000 }), 422, 'odometer-rollback');
    const done = await post(path, { ...given, oldKm: 80_050 });
    expect([done.status, done.body.segment, done.body.origin]).toEqual([201, 2, 'replacement']);
    expect((await send(reads(72, 300))).body).toMatchObject({ state: 'accepted', segment: 2 });
  });
});

describe('who may', () => {
  test('a partner sends what devices read, for its branches, and not the dash', async () => {
    await plant();
    const token = async (...branches: readonly string[]) =>
      clientToken(await plantPartner(api.database.owner, { branches }));
    const body = { ...reads(24, 100), ...device };
    const [own, other] = [await token(branchId), await token('NONE')];
    expect((await send(body, { token: own })).status).toBe(201);
    expectProblem(await send(body, { token: other }), 404, 'not-found');
    expectProblem(await send(reads(24, 1_100), { token: own }), 403, 'forbidden');
    const list = await api.call('GET', `/api/v1/vehicles/${vehicleId}/readings`, { token: own });
    expectProblem(list, 403, 'forbidden');
  });

  test('of another branch nothing is there', async () => {
    await plant();
    const { body: reading } = await send(reads(24, 1_100));
    const { body: queued } = await send(reads(25, 2_000));
    const person = await plantStaff(api.database.owner, {
      roles: ['technician'],
      branches: ['NONE'],
    });
    const options = { token: await tokenOf(person) };
    expectProblem(await send(reads(26, 1_101), options), 404, 'not-found');
    const voided = await post(`/readings/${reading.id}/void`, { reason: 'x' }, options);
    expectProblem(voided, 404, 'not-found');
    const decision = { decision: 'accept', reason: 'x' };
    const decided = await post(`/readings/reviews/${queued.id}/decide`, decision, options);
    expectProblem(decided, 404, 'not-found');
    const item = { vehicleId, ...reads(26, 1_101) };
    const { body: batch } = await post('/readings/batch', { items: [item] }, options);
    expect(batch.results[0].problem.type).toBe('/problems/unknown-reference');
    const listed = await api.call('GET', '/api/v1/readings/reviews', options);
    expect(listed.body.items).toEqual([]);
  });
});
