// What still works, and what is said, while a part that the API needs is down.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHealth, listenerProbe } from '../../api/health.ts';
import {
  type ApiAnswer,
  CLOSED_ADDRESS,
  type TestApi,
  testApi,
  unreachableDb,
} from '../support/api.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { hour, plantFleet } from '../support/fleet.ts';

function expectUnavailable(answer: ApiAnswer): void {
  expect([answer.status, answer.body?.type]).toEqual([503, '/problems/service-unavailable']);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.text).not.toMatch(/ECONN|grpc|UNAVAILABLE|at .*\.ts|127\.0\.0\.1/);
}

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});

describe('without Temporal', () => {
  let api: TestApi;
  let rental: object;
  beforeAll(async () => {
    api = await testApi({ database });
    const { branchId } = await plantFleet(api.database.db, { vehicles: 1 });
    rental = {
      branchId,
      classId: 'CDMR',
      customerId: randomUUID(),
      pickUpAt: hour(0),
      dueAt: hour(24),
    };
  });

  test('commands are 503 within seconds and store nothing but the key', async () => {
    const started = performance.now();
    const key = randomUUID();
    const path = `/api/v1/rentals/${randomUUID()}/check-out`;
    const answers = await Promise.all([
      api.call('POST', '/api/v1/rentals', { body: rental, key }),
      api.call('POST', path, { body: { odometerKm: 1, fuelEighths: 8 }, key }),
    ]);
    for (const answer of answers) expectUnavailable(answer);
    expect(performance.now() - started).toBeLessThan(15_000);
    const { rows } = await sql<{ spans: number; rentals: number }>`select
      (select count(*) from vehicles.span) as spans,
      (select count(*) from rentals.rental) as rentals`.execute(api.database.owner);
    expect(rows).toEqual([{ spans: 0, rentals: 0 }]);
  });

  test('the same key may be sent again at once, and keeps its id', async () => {
    const key = randomUUID();
    const impatient = await testApi({
      database: api.database,
      deps: { commandTimeoutMs: 500 },
    });
    const bound = async () =>
      (
        await sql<{ bound_id: string }>`select bound_id from events.idempotency
          where key = ${key}`.execute(api.database.owner)
      ).rows;
    const command = () => impatient.call('POST', '/api/v1/rentals', { body: rental, key });
    expectUnavailable(await command());
    const before = await bound();
    expectUnavailable(await command());
    expect(await bound()).toEqual(before);
  });

  test('reads, master data, availability and lists go on', async () => {
    const { branchId } = rental as { branchId: string };
    const times = `branchId=${branchId}&from=${hour(0)}&to=${hour(1)}`;
    for (const path of ['/branches', '/rentals', `/availability?${times}`, '/trial-balance']) {
      expect([path, (await api.call('GET', `/api/v1${path}`)).status]).toEqual([path, 200]);
    }
    const made = await api.call('POST', '/api/v1/customers', { body: { name: 'Still here' } });
    expect(made.status).toBe(201);
  });

  test('it is alive but not ready, and says what is missing', async () => {
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    const ready = await api.call('GET', '/health/ready');
    expect([ready.status, ready.body]).toEqual([
      503,
      {
        status: 'unavailable',
        dependencies: {
          postgres: { state: 'up', needed: true },
          temporal: { state: 'down', needed: true },
        },
      },
    ]);
  });
});

describe('without PostgreSQL', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi({ database, db: unreachableDb() });
  });

  test('whatever reads or writes is 503, what needs no data still answers', async () => {
    expectUnavailable(await api.call('GET', '/api/v1/branches'));
    expectUnavailable(await api.call('POST', '/api/v1/customers', { body: { name: 'A' } }));
    expect((await api.call('GET', '/openapi.json')).status).toBe(200);
    expect((await api.call('GET', '/api/v1/branches', { token: 'not.a.token' })).status).toBe(401);
    expect((await api.call('GET', '/health/ready')).body.dependencies.postgres.state).toBe('down');
  });
});

test('a server that ends our connections is an outage for one request, not for the next', async () => {
  const api = await testApi();
  await api.call('GET', '/api/v1/branches');
  const sleeping = api.database.db
    .transaction()
    .execute((tx) => sql`select pg_sleep(5)`.execute(tx))
    .catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename <> current_user`.execute(api.database.owner);
  expect(await sleeping).toBeInstanceOf(Error);
  await expect.poll(async () => (await api.call('GET', '/api/v1/branches')).status).toBe(200);
});

test('a dependency that is not needed is named, and does no harm', async () => {
  const health = createHealth({
    postgres: { needed: true, check: async () => undefined },
    kafka: listenerProbe(CLOSED_ADDRESS),
  });
  const api = await testApi({ database, deps: { health } });
  const ready = await api.call('GET', '/health/ready');
  expect([ready.status, ready.body.status]).toEqual([200, 'ready']);
  expect(ready.body.dependencies.kafka).toEqual({ state: 'down', needed: false });
});

test('an error that nobody foresaw is 500 with an id, and nothing else', async () => {
  const api = await testApi({
    database,
    deps: {
      actorOf: () => {
        const fault = new Error('secret: select password from staff');
        throw Object.assign(fault, { code: '23514', detail: 'Failing row contains (Ada).' });
      },
    },
  });
  const answer = await api.call('POST', '/api/v1/customers', { body: { name: 'A' } });
  expect([answer.status, answer.body.type]).toEqual([500, '/problems/internal']);
  expect(answer.text).not.toContain('secret');
  const id = answer.headers.get('x-request-id') ?? '';
  expect(answer.body.instance).toBe(`urn:uuid:${id}`);
  const line = api.logLines.find((logged) => logged.includes(id));
  expect(line).toContain('secret: select password from staff');
  expect(line).toContain('23514');
  expect(line).not.toContain('Ada');
});
