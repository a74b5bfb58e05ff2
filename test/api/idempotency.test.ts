// One key, one effect, one answer: however often, and however badly, a request is repeated.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { claimKey, forgetOldKeys } from '../../db/commands/idempotency.ts';
import { SOMEBODY, type TestApi, testApi } from '../support/api.ts';
import { tokenOf } from '../support/people.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

const CUSTOMERS = '/api/v1/customers';
const ROUTE = `POST ${CUSTOMERS}`;

async function counted(table: string, column: string, value: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}
    where ${sql.id(column)} = ${value}`.execute(api.database.owner);
  return rows[0]?.n ?? -1;
}
const customersNamed = (name: string) => counted('rentals.customer', 'name', name);
const claims = (key: string) => counted('events.idempotency', 'key', key);

async function age(key: string, interval: string): Promise<void> {
  await sql`update events.idempotency set locked_until = now() - ${interval}::interval
    where key = ${key}`.execute(api.database.owner);
}

/** What a process leaves behind that died after its claim. */
async function orphan(key: string): Promise<void> {
  await sql`update events.idempotency set state = 'in_progress', status = null, headers = null,
    body = null, locked_until = now() + interval '30 seconds' where key = ${key}`.execute(
    api.database.owner,
  );
}

describe('a key', () => {
  test('is needed by every POST that creates or moves something', async () => {
    const id = '01980a5d-ac96-774b-bcce-b302099a8057';
    const customerId = id;
    const times = { pickUpAt: '2099-05-03T10:00:00Z', dueAt: '2099-05-05T10:00:00Z' };
    const bodies: Readonly<Record<string, object>> = {
      '/branches': { id: 'VIE', name: 'V', timeZone: 'Europe/Vienna', entityId: 'FC-AT' },
      '/classes': { id: 'CDMR', name: 'Compact' },
      '/vehicles': {
        plate: 'W-1',
        classId: 'CDMR',
        branchId: 'VIE',
        make: 'Skoda',
        model: 'Octavia',
        modelYear: 2026,
        odometerKm: 0,
      },
      '/customers': { name: 'A' },
      '/rentals': { branchId: 'VIE', classId: 'CDMR', customerId, ...times },
      [`/rentals/${id}/check-out`]: { odometerKm: 1, fuelEighths: 8 },
      [`/rentals/${id}/extend`]: { dueAt: times.dueAt },
      [`/rentals/${id}/amend`]: { payerId: null },
      [`/rentals/${id}/check-in`]: { odometerKm: 1, fuelEighths: 8, branchId: 'VIE' },
      [`/rentals/${id}/cancel`]: { reason: 'customer' },
    };
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await api.call('POST', `/api/v1${path}`, { body, key: false });
      expect([path, answer.status, answer.body.type]).toEqual([
        path,
        400,
        '/problems/idempotency-key-missing',
      ]);
    }
  });

  test.each([
    ['longer than 255', 'k'.repeat(256)],
    ['with a space', 'two words'],
    ['with letters beyond ASCII', 'schl\u00fcssel'],
  ])('%s is 400 idempotency-key-invalid', async (_name, key) => {
    const answer = await api.call('POST', CUSTOMERS, { body: { name: 'A' }, key });
    expect(answer.body.type).toBe('/problems/idempotency-key-invalid');
    expect(answer.status).toBe(400);
  });

  test('of 255 characters that looks like SQL is a key like any other', async () => {
    const key = `');drop-table--\\'"$1${'k'.repeat(235)}`;
    const body = { name: 'Quoted' };
    const first = await api.call('POST', CUSTOMERS, { body, key });
    expect(first.status).toBe(201);
    expect((await api.call('POST', CUSTOMERS, { body, key })).text).toBe(first.text);
  });
});

describe('the same key', () => {
  test('with the same body gets the saved answer, byte for byte', async () => {
    const request = { body: { name: 'Replayed' }, key: 'replay' };
    const first = await api.call('POST', CUSTOMERS, request);
    const again = await api.call('POST', CUSTOMERS, request);
    expect(first.status).toBe(201);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('etag')).toBe('"1"');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await customersNamed('Replayed')).toBe(1);
  });

  test('20 times at once makes one customer, and one body for all who get an answer', async () => {
    const request = { body: { name: 'Parallel' }, key: 'parallel' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.call('POST', CUSTOMERS, request)),
    );
    expect(await customersNamed('Parallel')).toBe(1);
    const made = answers.filter((answer) => answer.status === 201);
    expect(new Set(made.map((answer) => answer.text)).size).toBe(1);
    for (const answer of answers.filter((a) => a.status !== 201)) {
      expect([answer.status, answer.body.type]).toEqual([409, '/problems/idempotency-in-progress']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
  });

  test('and the same body for another rental is another request, so it is refused', async () => {
    const request = { body: { reason: 'customer' }, key: 'two-rentals' };
    const cancel = () => `/api/v1/rentals/${randomUUID()}/cancel`;
    // Without Temporal the outcome is unknown, but the key is bound to its rental already.
    expect((await api.call('POST', cancel(), request)).status).toBe(503);
    const other = await api.call('POST', cancel(), request);
    expect([other.status, other.body.type]).toEqual([422, '/problems/idempotency-key-reused']);
  });

  test('with another body is 422 idempotency-key-reused', async () => {
    const key = 'reused';
    await api.call('POST', CUSTOMERS, { body: { name: 'First' }, key });
    const other = await api.call('POST', CUSTOMERS, { body: { name: 'Second' }, key });
    expect([other.status, other.body.type]).toEqual([422, '/problems/idempotency-key-reused']);
    expect(await customersNamed('Second')).toBe(0);
    const principal = `staff:${(await api.person(SOMEBODY)).id}`;
    const scope = { principal, route: ROUTE, key };
    expect((await claimKey(api.database.db, scope, 'ab'.repeat(32))).outcome).toBe('reused');
  });

  test('on another route, or of another person, is another key', async () => {
    const key = 'shared';
    const mine = await api.call('POST', CUSTOMERS, { body: { name: 'Mine' }, key });
    const theirs = await api.call('POST', CUSTOMERS, {
      body: { name: 'Theirs' },
      key,
      headers: { 'x-test-actor': 'somebody-else' },
    });
    const elsewhere = await api.call('POST', '/api/v1/classes', {
      body: { id: 'ECMR', name: 'Economy' },
      key,
    });
    expect([mine.status, theirs.status, elsewhere.status]).toEqual([201, 201, 201]);
    expect(theirs.body.name).toBe('Theirs');
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('after the answer was lost gets the answer that was lost', async () => {
    const request = { body: { name: 'Lost' }, key: 'lost' };
    // Got beforehand: the caller hangs up on the request, not on the making of a token.
    const token = await tokenOf(await api.person(SOMEBODY));
    await api.call('GET', CUSTOMERS, { token });
    const hangUp = new AbortController();
    // Held up where its customer is written: it has certainly begun, and certainly not answered.
    const lost = await api.database.owner.transaction().execute(async (tx) => {
      await sql`lock table rentals.customer in share mode`.execute(tx);
      const sent = { ...request, token, signal: hangUp.signal };
      const answer = api.call('POST', CUSTOMERS, sent).catch((error: Error) => error.name);
      await expect.poll(() => claims('lost'), { timeout: 10_000 }).toBe(1);
      hangUp.abort();
      return answer;
    });
    expect(lost).toBe('AbortError');
    await expect.poll(async () => customersNamed('Lost'), { timeout: 10_000 }).toBe(1);
    await expect.poll(async () => (await api.call('POST', CUSTOMERS, request)).status).toBe(201);
    expect(await customersNamed('Lost')).toBe(1);
  });

  test('replays a refusal too', async () => {
    const vehicle = {
      plate: 'W-404',
      classId: 'XXXX',
      branchId: 'NONE',
      make: 'Skoda',
      model: 'Octavia',
      modelYear: 2026,
      odometerKm: 0,
    };
    const request = { body: vehicle, key: 'refused' };
    const first = await api.call('POST', '/api/v1/vehicles', request);
    const again = await api.call('POST', '/api/v1/vehicles', request);
    expect([first.status, first.body.type]).toEqual([422, '/problems/unknown-reference']);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('a request whose process died', () => {
  test('is in progress while its lock is young, then runs again under the same id', async () => {
    const request = { body: { name: 'Orphan' }, key: 'orphan' };
    const first = await api.call('POST', CUSTOMERS, request);
    await orphan('orphan');
    expect((await api.call('POST', CUSTOMERS, request)).status).toBe(409);
    await age('orphan', '1 second');
    const again = await api.call('POST', CUSTOMERS, request);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(await customersNamed('Orphan')).toBe(1);
  });

  test('is taken over by one of many', async () => {
    const scope = { principal: 'staff:x', route: ROUTE, key: 'takers' };
    const hash = '00'.repeat(32);
    const first = await claimKey(api.database.db, scope, hash);
    await age('takers', '1 second');
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => claimKey(api.database.db, scope, hash)),
    );
    const takers = claims.filter((claim) => claim.outcome === 'run');
    expect(takers).toEqual([first]);
    expect(claims.filter((claim) => claim.outcome === 'running')).toHaveLength(7);
  });

  test('is not taken over with another body', async () => {
    const scope = { principal: 'staff:x', route: ROUTE, key: 'other-body' };
    await claimKey(api.database.db, scope, '00'.repeat(32));
    await age('other-body', '1 second');
    const claim = await claimKey(api.database.db, scope, '11'.repeat(32));
    expect(claim.outcome).toBe('reused');
  });
});

test('a key is kept for more than a day, and forgotten after two', async () => {
  const request = { body: { name: 'Old' }, key: 'old' };
  await api.call('POST', CUSTOMERS, request);
  const older = (interval: string) =>
    sql`update events.idempotency set created_at = now() - ${interval}::interval
      where key = 'old'`.execute(api.database.owner);
  await older('25 hours');
  expect(await forgetOldKeys(api.database.db)).toBe(0);
  await older('49 hours');
  expect(await forgetOldKeys(api.database.db)).toBe(1);
});

test('the role that reads everything else cannot read the answers kept here', async () => {
  const read = api.database.db.transaction().execute(async (tx) => {
    await sql`select set_config('role', 'api_read', true)`.execute(tx);
    await sql`select * from events.idempotency`.execute(tx);
  });
  await expect(read).rejects.toMatchObject({ code: '42501' });
});
