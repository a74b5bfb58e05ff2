// Planted personal values stand in the customers' table and nowhere else that facts go.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { topicOf } from '../../domain/events.ts';
import { openKafka } from '../../events/kafka.ts';
import { readBack } from '../../events/read-back.ts';
import { ensureTopics } from '../../events/topics.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { rentalWorkflowId } from '../../temporal-config/names.ts';
import { type Counter, counter, plantCompany, plantVehicles } from '../support/counter.ts';
import { decryptedHistory } from '../support/decrypted-history.ts';
import { type Part, type System, testSystem, until } from '../support/system.ts';

const RENTALS = 20;
/** Where a rental's life leaves facts. */
const TOPICS = (['vehicles', 'rentals', 'people', 'accounting'] as const).map(topicOf);
const DAY_MS = 86_400_000;
const parts: Part[] = [];
let system: System;
let desk: Counter;

beforeAll(async () => {
  system = await testSystem('personal');
  await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', RENTALS);
  await ensureTopics(openKafka((system.env['KAFKA_BROKERS'] ?? '').split(','), 'test'));
  const loud = { LOG_LEVEL: 'trace' };
  for (const entry of ['api/server.ts', 'workers/main.ts', 'workers/relay.ts']) {
    parts.push(await system.start(entry, loud));
  }
  desk = counter(system.base(parts[0] as Part), await system.token());
});

test('60 planted values: none in topics, histories or logs', { timeout: 120_000 }, async () => {
  const planted: string[] = [];
  const rentals: string[] = [];
  for (let n = 0; n < RENTALS; n += 1) {
    const customer = personalValues();
    planted.push(...Object.values(customer));
    rentals.push(await liveOneLife(customer, n));
  }
  expect(planted).toHaveLength(60);
  const table = await system.owner.selectFrom('rentals.customer').selectAll().execute();
  expect(hits(planted, [JSON.stringify(table)])).toBe(60);

  await until(async () => (await depth()) === 0);
  const facts: string[] = [];
  const kafka = openKafka((system.env['KAFKA_BROKERS'] ?? '').split(','), 'test');
  await readBack(kafka, TOPICS, (message) => {
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
    pickUpAt: new Date(now + DAY_MS).toISOString(),
    dueAt: new Date(now + 2 * DAY_MS).toISOString(),
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

async function depth(): Promise<number> {
  const { rows } = await sql<{ depth: number }>`select count(*)::int as depth
    from events.outbox`.execute(system.owner);
  return rows[0]?.depth ?? 0;
}

function hits(values: readonly string[], texts: readonly string[]): number {
  return values.filter((value) => texts.some((text) => text.includes(value))).length;
}
