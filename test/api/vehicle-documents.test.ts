// Documents and photos over HTTP: what is taken, what is made of it, and how it comes back.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { keyOf } from '../../storage/object-key.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { book, hour, plantFleet } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { bomb, PDF, photo } from '../support/vehicle-files.ts';
import { someoneWaits } from '../support/waiting.ts';

let api: TestApi;
let branchId: string;
let vehicleId: string;
beforeAll(async () => {
  api = await testApi();
  const fleet = await plantFleet(api.database.db, { vehicles: 1, turnaroundMinutes: 0 });
  branchId = fleet.branchId;
  vehicleId = fleet.vehicleIds[0] ?? '';
});

const path = (id = vehicleId) => `/api/v1/vehicles/${id}/documents`;

type Sent = { readonly query?: string; readonly type?: string; readonly key?: string };

function send(
  body: Uint8Array,
  { query = 'kind=photo', type = 'application/pdf', key }: Sent = {},
) {
  return api.call('POST', `${path()}?${query}`, {
    body,
    headers: { 'content-type': type },
    ...(key && { key }),
  });
}

async function fetched(documentId: string): Promise<Response> {
  const token = await tokenOf(await api.person('reader'));
  const headers = { authorization: `Bearer ${token}`, accept: 'image/*' };
  return fetch(`${api.url}${path()}/${documentId}/content`, { headers });
}

/** A date so many days from now. */
function day(n: number): string {
  return new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
}

describe('a photo', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('as %s loses whose it is', async (format) => {
    const file = await photo(format);
    const type = `image/${format}`;
    const added = await send(file, { type });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ kind: 'photo', mediaType: type, vehicleId, version: 1 });
    const content = await fetched(added.body.id);
    expect([content.status, content.headers.get('content-type')]).toEqual([200, type]);
    const bytes = Buffer.from(await content.arrayBuffer());
    expect(file.includes('Planted')).toBe(true);
    expect(bytes.includes('Planted')).toBe(false);
    expect(bytes.length).toBe(added.body.sizeBytes);
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 64, height: 48 });
  });

  test('that is huge becomes 4096 pixels wide', async () => {
    const added = await send(await photo('jpeg', 5_000, 2_500), { type: 'image/jpeg' });
    const content = await fetched(added.body.id);
    const size = await sharp(Buffer.from(await content.arrayBuffer())).metadata();
    expect([size.width, size.height]).toEqual([4_096, 2_048]);
  });

  test('that hides something behind its end loses that too', async () => {
    const file = Buffer.concat([await photo('png'), Buffer.from('<script>planted</script>')]);
    const added = await send(file, { type: 'image/png' });
    const content = await fetched(added.body.id);
    expect(Buffer.from(await content.arrayBuffer()).includes('planted')).toBe(false);
  });
});

describe('a PDF', () => {
  test('stays as it is, and no browser opens it in our name', async () => {
    const added = await send(PDF, { query: 'kind=other' });
    const content = await fetched(added.body.id);
    expect(Buffer.from(await content.arrayBuffer())).toEqual(PDF);
    expect(content.headers.get('content-disposition')).toMatch(/^attachment; filename="other-/);
    expect(content.headers.get('x-content-type-options')).toBe('nosniff');
    expect(content.headers.get('content-security-policy')).toContain('sandbox');
  });
});

describe('what is not taken', () => {
  test('is a type that is not offered, or a content that is another: 415', async () => {
    const jpeg = await photo('jpeg');
    for (const [file, type] of [
      [Buffer.from('<svg/>'), 'image/svg+xml'],
      [Buffer.from('{}'), 'application/json'],
      [jpeg, 'image/png'],
      [jpeg, 'application/pdf'],
      [Buffer.from('<html>'), 'application/pdf'],
      [PDF, 'image/jpeg'],
      [Buffer.concat([jpeg.subarray(0, 40)]), 'image/jpeg'],
      [await bomb(), 'image/png'],
    ] as const) {
      expectProblem(await send(file, { type }), 415, 'unsupported-media-type');
    }
  });

  test('is more than 10 MiB: 413, and exactly that is taken', async () => {
    const file = Buffer.alloc(10 * 1_024 * 1_024, 32);
    PDF.copy(file);
    expect((await send(file)).status).toBe(201);
    expectProblem(await send(Buffer.concat([file, PDF])), 413, 'payload-too-large');
  });

  test('is a paper whose days are none, or of an unknown kind: 422', async () => {
    for (const query of [
      'kind=passport',
      '',
      'kind=insurance&expiresOn=2027-02-30',
      'kind=insurance&validFrom=2027-05-02&expiresOn=2027-05-01',
    ]) {
      expect([query, (await send(PDF, { query })).status]).toEqual([query, 422]);
    }
  });

  test('is a paper of a vehicle that is not there, or of another branch: 404', async () => {
    const { vehicleIds } = await plantFleet(api.database.db, { vehicles: 1 });
    const person = await plantStaff(api.database.owner, { branches: [branchId] });
    const token = await tokenOf(person);
    for (const id of [randomUUID(), vehicleIds[0]]) {
      const headers = { 'content-type': 'application/pdf' };
      const options = { body: PDF, headers, token };
      expectProblem(await api.call('POST', `${path(id)}?kind=other`, options), 404, 'not-found');
      expectProblem(await api.call('GET', path(id), { token }), 404, 'not-found');
    }
    const { body: theirs } = await api.call('POST', `${path(vehicleIds[0])}?kind=other`, {
      body: PDF,
      headers: { 'content-type': 'application/pdf' },
    });
    for (const what of ['', '/content']) {
      const at = `${path(vehicleIds[0])}/${theirs.id}${what}`;
      expect((await api.call('GET', at)).status).toBe(200);
      expectProblem(await api.call('GET', at, { token }), 404, 'not-found');
    }
  });
});

test('sent twice with one key it is one document; told otherwise the key is used up', async () => {
  const key = randomUUID();
  const first = await send(PDF, { query: 'kind=certificate', key });
  const again = await send(PDF, { query: 'kind=certificate', key });
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const other = await send(PDF, { query: 'kind=other', key });
  expectProblem(other, 422, 'idempotency-key-reused');
});

test('its file is noted before it is stored, until the row names it', async () => {
  const { owner } = api.database;
  const file = Buffer.concat([PDF, Buffer.from('%noted')]);
  const note = sql`select from rentals.file_removal where sha256 = ${keyOf(file)}`;
  const { sent } = await owner.transaction().execute(async (tx) => {
    await sql`select from vehicles.vehicle where id = ${vehicleId} for update`.execute(tx);
    const answer = send(file, { query: 'kind=other' });
    await someoneWaits(owner);
    expect((await note.execute(owner)).rows).toHaveLength(1);
    return { sent: answer };
  });
  expect((await sent).status).toBe(201);
  expect((await note.execute(owner)).rows).toEqual([]);
});

test('withdrawn it stays on file, with the reason', async () => {
  const { body: added } = await send(PDF, { query: 'kind=other' });
  const withdraw = () =>
    api.call('POST', `${path()}/${added.id}/withdraw`, { body: { reason: 'Of another car' } });
  const { body: gone } = await withdraw();
  expect(gone).toMatchObject({ withdrawReason: 'Of another car', version: 2 });
  expect((await withdraw()).body).toEqual(gone);
  expect((await api.call('GET', `${path()}/${added.id}`)).body).toEqual(gone);
  expect((await fetched(added.id)).status).toBe(200);
  const { body: all } = await api.call('GET', `${path()}?limit=200`);
  expect(all.items.map((one: { id: string }) => one.id)).toContain(added.id);
});

describe('an insurance that ends', () => {
  test('is due, and keeps the vehicle from being booked beyond, until it is renewed', async () => {
    const paper = `kind=insurance&validFrom=${day(-300)}&expiresOn=${day(5)}`;
    const { body: old } = await send(PDF, { query: paper });
    const due = async (within: number) => {
      const query = `within=${within}&branchId=${branchId}`;
      const { body } = await api.call('GET', `/api/v1/vehicles/expiries?${query}`);
      return body.items.map((item: { id: string }) => item.id);
    };
    expect([await due(7), await due(60)]).toEqual([[old.id], [old.id]]);
    const beyond = { branchId, from: hour(0), to: hour(24 * 10) };
    await expect(book(api.database.db, beyond)).rejects.toMatchObject({
      code: 'vehicle-unavailable',
    });
    const renewed = `kind=insurance&validFrom=${day(6)}&expiresOn=${day(371)}`;
    const { body: next } = await send(PDF, { query: renewed });
    expect(await due(60)).toEqual([]);
    await book(api.database.db, beyond);
    const holds = await api.call('GET', `/api/v1/vehicles/${vehicleId}/holds`);
    const states = holds.body.items.map((hold: { sourceRef: string; liftedAt: string | null }) => [
      hold.sourceRef,
      hold.liftedAt === null,
    ]);
    expect(states).toEqual([
      [old.id, false],
      [next.id, true],
    ]);
  });

  test('with a day without cover before the next one holds it for that day', async () => {
    const { db } = api.database;
    const { vehicleIds, branchId } = await plantFleet(db, { vehicles: 1, turnaroundMinutes: 0 });
    const [id = ''] = vehicleIds;
    for (const query of [
      `kind=inspection&expiresOn=${day(20)}`,
      `kind=inspection&validFrom=${day(22)}&expiresOn=${day(400)}`,
    ]) {
      const headers = { 'content-type': 'application/pdf' };
      await api.call('POST', `${path(id)}?${query}`, { body: PDF, headers });
    }
    const from = (n: number) => `${day(n)}T12:00:00.000Z`;
    const tried = (a: number, b: number) => book(db, { branchId, from: from(a), to: from(b) });
    await expect(tried(19, 22)).rejects.toMatchObject({ code: 'vehicle-unavailable' });
    await tried(18, 20);
    await tried(22, 25);
  });

  test('cannot be made to forget it: the last dated paper of its kind stays', async () => {
    const { body: only } = await send(PDF, { query: `kind=registration&expiresOn=${day(100)}` });
    const withdraw = (id: string) =>
      api.call('POST', `${path()}/${id}/withdraw`, { body: { reason: 'Mistyped' } });
    expectProblem(await withdraw(only.id), 409, 'resource-in-use');
    const { body: right } = await send(PDF, { query: `kind=registration&expiresOn=${day(50)}` });
    expect((await withdraw(only.id)).status).toBe(200);
    const { body } = await api.call('GET', `/api/v1/vehicles/expiries?branchId=${branchId}`);
    expect(body.items.map((item: { id: string }) => item.id)).toContain(right.id);
  });
});
