// What rentals leave behind: personal values nowhere but in their table, and traces that join.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { topicOf } from '../../domain/events.ts';
import { openKafka } from '../../events/kafka.ts';
import { readBack } from '../../events/read-back.ts';
import { deadTopicOf, ensureTopics } from '../../events/topics.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { rentalWorkflowId } from '../../temporal-config/names.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import { type Counter, counter, plantCompany, plantVehicles } from '../support/counter.ts';
import { decryptedHistory } from '../support/decrypted-history.ts';
import { type Part, type System, testSystem, until } from '../support/system.ts';

const RENTALS = 20;
const AT_ONCE = 5;
/** Where a rental's life leaves facts. */
const TOPICS = (['vehicles', 'rentals', 'people', 'accounting'] as const).map(topicOf);
const DAY_MS = 86_400_000;
const parts: Part[] = [];
let collector: Collector;
let system: System;
let desk: Counter;

beforeAll(async () => {
  collector = await startCollector();
  system = await testSystem('personal');
  await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', RENTALS);
  await ensureTopics(openKafka((system.env['KAFKA_BROKERS'] ?? '').split(','), 'test'));
  const loud = {
    LOG_LEVEL: 'trace',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
  const workers = ['workers/main.ts', 'workers/relay.ts', 'workers/consumers.ts'];
  const started = ['api/server.ts', ...workers].map((entry) => system.start(entry, loud));
  parts.push(...(await Promise.all(started)));
  desk = counter(system.base(parts[0] as Part), await system.token());
}, 180_000);
afterAll(() => collector.close());

test('60 planted values: none in topics, histories or logs', { timeout: 120_000 }, async () => {
  const planted: string[] = [];
  const rentals: string[] = [];
  for (let n = 0; n < RENTALS; n += AT_ONCE) {
    const customers = Array.from({ length: AT_ONCE }, personalValues);
    planted.push(...customers.flatMap((customer) => Object.values(customer)));
    // A vehicle may be out again in the next round, so its odometer may not stand lower then.
    const lives = customers.map((customer, i) => liveOneLife(customer, n + i));
    rentals.push(...(await Promise.all(lives)));
  }
  expect(planted).toHaveLength(60);
  const table = await system.owner.selectFrom('rentals.customer').selectAll().execute();
  expect(hits(planted, [JSON.stringify(table)])).toBe(60);

  await until(async () => (await depth()) === 0);
  // A letter for each confirmation and each invoice; what fails with one would be in the logs.
  await until(async () => (await settledLetters()) === 2 * RENTALS, 60_000);
  const facts: string[] = [];
  const kafka = openKafka((system.env['KAFKA_BROKERS'] ?? '').split(','), 'test');
  await readBack(kafka, [...TOPICS, ...TOPICS.map(deadTopicOf)], (message) => {
    facts.push(`${message.key} ${message.value} ${JSON.stringify(message.headers)}`);
  });
  expect(hits(rentals, facts), 'the topics hold these rentals').toBe(RENTALS);
  expect(hits(planted, facts)).toBe(0);

  const client = openClient(temporalSettings(system.env));
  const { keys } = temporalSettings(system.env);
  const histories = await Promise.all(
    rentals.map((id) => decryptedHistory(client, rentalWorkflowId(id), keys)),
  );
  await client.connection.close();
  expect(hits(rentals, histories), 'the histories were decrypted').toBe(RENTALS);
  expect(hits(planted, histories)).toBe(0);

  const logs = await Promise.all(parts.map((part) => part.log()));
  expect(logs.join('').length).toBeGreaterThan(1_000);
  expect(hits(planted, logs)).toBe(0);
});

test('API, workflow, activity, SQL, event and relay share the trace of the request', async () => {
  const { rows } = await sql<{ traceparent: string }>`select event::jsonb ->> 'traceparent'
      as traceparent
    from events.log where type = 'forecourt.rental.reserved.v1' limit 1`.execute(system.owner);
  const traceId = rows[0]?.traceparent.split('-')[1];
  const joined = () => collector.spans().filter((span) => span.traceId === traceId);
  const seen = () => joined().map((span) => `${span.service}: ${span.name}`);
  const expected = [
    /api: POST \/api\/v1\/rentals/,
    /api: (StartUpdateWithStart|UpdateWithStart)/i,
    /worker: HandleUpdate/i,
    /worker: RunActivity:reserveRental/,
    /worker: transact rentals_rw/,
    /relay: send rentals.facts.v1/,
  ];
  await until(async () => expected.every((name) => seen().some((span) => name.test(span)))).catch(
    () => undefined,
  );
  for (const name of expected) expect(seen()).toContainEqual(expect.stringMatching(name));
});

function personalValues() {
  const mark = randomBytes(5).toString('hex');
  const digits = String(BigInt(`0x${mark}`))
    .padStart(13, '1')
    .slice(0, 13);
  return { name: `Zorblax ${mark}`, email: `zx${mark}@example.com`, phone: `+43${digits}` };
}

async function liveOneLife(customer: object, n: number): Promise<string> {
  const { body: created } = await desk.post('/customers', customer);
  const now = Date.now();
  const reserved = await desk.post('/rentals', {
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: created.id,
    // After the turnaround of the life before.
    pickUpAt: new Date(now + 40 * 60_000).toISOString(),
    dueAt: new Date(now + DAY_MS).toISOString(),
  });
  const at = `/rentals/${reserved.body.id}`;
  const out = await desk.post(`${at}/check-out`, { odometerKm: 1_000 + 200 * n, fuelEighths: 8 });
  expect(out.status, out.text).toBe(200);
  const back = { odometerKm: 1_100 + 200 * n, fuelEighths: 7, branchId: 'VIE' };
  const returned = await desk.post(`${at}/check-in`, back);
  expect(returned.status, returned.text).toBe(200);
  // A refusal's words go into histories and logs as well.
  expect((await desk.post(`${at}/cancel`, { reason: 'customer' })).status).toBe(409);
  await desk.get(`/customers?q=${encodeURIComponent((customer as { name: string }).name)}`);
  return reserved.body.id;
}

async function settledLetters(): Promise<number> {
  const { rows } = await sql<{ letters: number }>`select count(*)::int as letters
    from rentals.notification where state not in ('queued', 'sending')`.execute(system.owner);
  return rows[0]?.letters ?? 0;
}

async function depth(): Promise<number> {
  const { rows } = await sql<{ depth: number }>`select count(*)::int as depth
    from events.outbox`.execute(system.owner);
  return rows[0]?.depth ?? 0;
}

function hits(values: readonly string[], texts: readonly string[]): number {
  return values.filter((value) => texts.some((text) => text.includes(value))).length;
}
