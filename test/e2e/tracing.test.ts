// One trace joins a counter's request with the workflow, the transaction and the event it caused.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collector, startCollector } from '../support/collector.ts';
import { type Counter, counter, plantCompany, plantVehicles } from '../support/counter.ts';
import { type System, testSystem, until } from '../support/system.ts';

const DAY_MS = 86_400_000;
let collector: Collector;
let system: System;
let desk: Counter;

beforeAll(async () => {
  collector = await startCollector();
  system = await testSystem('tracing');
  await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', 1);
  const traced = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
  const api = await system.start('api/server.ts', traced);
  await system.start('workers/main.ts', traced);
  await system.start('workers/relay.ts', traced);
  desk = counter(system.base(api), await system.token());
});
afterAll(() => collector.close());

test('API, workflow, activity, SQL, event and relay share the trace of the request', async () => {
  const now = Date.now();
  const reserved = await desk.post('/rentals', {
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: (await desk.get('/customers')).body.items[0].id,
    pickUpAt: new Date(now + DAY_MS).toISOString(),
    dueAt: new Date(now + 2 * DAY_MS).toISOString(),
  });
  expect(reserved.status, reserved.text).toBe(201);
  const facts = await desk.get(`/rentals/${reserved.body.id}/events`);
  const traceparent: string = facts.body.items[0].event.traceparent;
  const traceId = traceparent.split('-')[1];

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
