// Whatever moves a booking, or closes its branch, its workflow hears of it: once in effect, in order.
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  setException,
  setOpeningHours,
  withdrawException,
} from '../../db/commands/opening-hours.ts';
import { outboxRow } from '../../db/outbox.ts';
import { type ConsumerPlan, runConsumer, ServerAway } from '../../events/consumer.ts';
import { openProducer } from '../../events/kafka.ts';
import type { Relay } from '../../events/relay.ts';
import { rentalHours } from '../../events/rental-hours.ts';
import { rentalReassignments, type TellRental } from '../../events/rental-reassignments.ts';
import { listHeld } from '../../events/replay.ts';
import { openClient, type TemporalSettings } from '../../temporal-config/connection.ts';
import { rentalWorkflowId, searchAttributes } from '../../temporal-config/names.ts';
import { parsePayloadKeys } from '../../temporal-config/payload-codec.ts';
import { openHoursNews, openRentalNews } from '../../workers/rental-news.ts';
import { eventSetting, relayFor, type Setting, waitFor } from '../events/setting.ts';
import {
  type Company,
  type Counter,
  counter,
  plantCompany,
  plantVehicles,
} from '../support/counter.ts';
import { type Part, type System, testSystem, until } from '../support/system.ts';

const DAY_MS = 86_400_000;
let system: System;
let setting: Setting;
let desk: Counter;
let company: Company;
let worker: Part;
let settings: TemporalSettings;
let temporal: Client;
let relay: Relay;
const running: { readonly stop: () => Promise<void> }[] = [];

beforeAll(async () => {
  system = await testSystem('reassigned');
  setting = await eventSetting(system.owner);
  company = await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', 2);
  const api = await system.start('api/server.ts');
  worker = await system.start('workers/main.ts');
  desk = counter(system.base(api), await system.token());
  const { TEMPORAL_ADDRESS: address = '', PAYLOAD_KEYS: keys } = system.env;
  settings = { address, namespace: system.namespace, keys: parsePayloadKeys(keys) };
  temporal = openClient(settings);
  relay = relayFor(system.url, setting.kafka).relay;
}, 120_000);
afterEach(() => Promise.all(running.splice(0).map((consumer) => consumer.stop())));
afterAll(async () => {
  await relay?.stop();
  await temporal?.connection.close();
});

/** The consumer of the product on topics of this test's own; `seen` counts what became of messages. */
function consume(tell: TellRental, groupId?: string) {
  return consumed(rentalReassignments(tell), groupId);
}

function consumed(plan: ConsumerPlan, groupId = `test-${randomUUID()}`) {
  const seen = { handled: 0, dead: 0, away: 0 };
  const observer = {
    handled: (n: number) => {
      seen.handled += n;
    },
    dead: (n: number) => {
      seen.dead += n;
    },
    trouble: (_: string, error: unknown) => {
      if (error instanceof ServerAway) seen.away += 1;
    },
  };
  const topics = plan.topics.map((topic) => setting.prefix + topic);
  const deps = { db: system.db, kafka: setting.kafka, observer };
  const consumer = runConsumer(deps, { ...plan, topics, groupId });
  running.push(consumer);
  return { seen, groupId, stop: consumer.stop };
}

async function reserve(days: number): Promise<{ readonly id: string; readonly vehicleId: string }> {
  const [pickUpAt, dueAt] = [days, days + 1].map((n) =>
    new Date(Date.now() + n * DAY_MS).toISOString(),
  );
  const { body } = await desk.post('/rentals', { ...company, classId: 'CDMR', pickUpAt, dueAt });
  return body;
}

async function shown(rentalId: string): Promise<string | null> {
  const { typedSearchAttributes } = await temporal.workflow
    .getHandle(rentalWorkflowId(rentalId))
    .describe();
  return typedSearchAttributes.get(searchAttributes.vehicleId) ?? null;
}

const shows = (rentalId: string, vehicleId: string | null) =>
  until(async () => (await shown(rentalId)) === vehicleId, 30_000);

async function attention(rentalId: string): Promise<boolean | undefined> {
  const { typedSearchAttributes } = await temporal.workflow
    .getHandle(rentalWorkflowId(rentalId))
    .describe();
  return typedSearchAttributes.get(searchAttributes.needsAttention);
}

const calls = (rentalId: string, isCalling: boolean) =>
  until(async () => (await attention(rentalId)) === isCalling, 30_000);

type News = Parameters<TellRental>[0];

/** As the outbox would send it; the span's id is the key. */
function fact({ rentalId, vehicleId, sequence }: News, spanId = uuidv7()) {
  const { event } = outboxRow({
    type: 'forecourt.vehicle.span-reassigned.v1',
    aggregateId: spanId,
    sequence,
    data: { spanId, rentalId, vehicleId, reason: null },
  });
  return { key: spanId, value: event, headers: {} };
}

async function send(...facts: readonly ReturnType<typeof fact>[]): Promise<void> {
  const producer = await openProducer(setting.kafka);
  await producer.send(`${setting.prefix}vehicles.facts.v1`, facts);
  await producer.close();
}

test('a hold over HTTP moves a booking, and its workflow shows the vehicle, whoever died meanwhile', {
  timeout: 180_000,
}, async () => {
  const { id, vehicleId } = await reserve(3);
  await shows(id, vehicleId);
  await worker.stop('SIGKILL');
  const held = await desk.post(`/vehicles/${vehicleId}/holds`, {
    type: 'damage',
    severity: 'hard',
    reason: 'a broken window',
  });
  expect(held.status, held.text).toBe(201);
  const { body } = await desk.get(`/rentals/${id}`);
  expect(body.vehicleId).not.toBe(vehicleId);

  // It dies after the signal and before the commit that notes it: the next one signals again.
  const tell = openRentalNews(temporal);
  let signals = 0;
  const dying = consume(async (news) => {
    await tell(news);
    if (news.rentalId === id) signals += 1;
    throw new ServerAway('PostgreSQL', null);
  });
  await waitFor('a signal', () => signals > 0);
  await dying.stop();
  const heir = consume(tell, dying.groupId);
  worker = await system.start('workers/main.ts');
  await shows(id, body.vehicleId);

  // Late, and again: the newest stays.
  const spanId = uuidv7();
  const other = uuidv7();
  const newest = fact({ rentalId: id, vehicleId: null, sequence: 9 }, spanId);
  await send(newest);
  await shows(id, null);
  const before = heir.seen.handled;
  await send(fact({ rentalId: id, vehicleId: other, sequence: 8 }, spanId), newest);
  await send(fact({ rentalId: randomUUID(), vehicleId: other, sequence: 1 }));
  await waitFor('all handled', () => heir.seen.handled >= before + 3);
  const handle = temporal.workflow.getHandle(rentalWorkflowId(id));
  expect(await handle.query('state')).toMatchObject({ vehicleId: null });
  await send(fact({ rentalId: id, vehicleId: other, sequence: 10 }, spanId));
  await shows(id, other);
  expect(heir.seen.dead).toBe(0);
});

test('a rental that cannot be told is set aside; the others are told, once Temporal answers', {
  timeout: 60_000,
}, async () => {
  const told: string[] = [];
  const broken = randomUUID();
  const rentals = Array.from({ length: 3 }, () => randomUUID());
  const nowhere = openClient({ ...settings, address: '127.0.0.1:1' });
  const away = openRentalNews(nowhere);
  const early = consume(away);
  const spanId = uuidv7();
  await send(
    fact({ rentalId: broken, vehicleId: null, sequence: 1 }, spanId),
    ...rentals.map((rentalId) => fact({ rentalId, vehicleId: null, sequence: 1 })),
  );
  await waitFor('it waits', () => early.seen.away > 1);
  await early.stop();
  await nowhere.connection.close();
  expect(early.seen.dead).toBe(0);
  const late = consume(async ({ rentalId }) => {
    if (rentalId === broken) throw new Error('too many signals');
    told.push(rentalId);
  }, early.groupId);
  await waitFor('others are told', () => rentals.every((id) => told.includes(id)));
  await waitFor('one is set aside', () => late.seen.dead === 1);
  const held = await listHeld(system.db, {});
  expect(held.map(({ consumer, key }) => [consumer, key])).toEqual([
    ['rental-reassignments', spanId],
  ]);
});

test('a closure calls for a person until it is taken back, or the keys are out', {
  timeout: 60_000,
}, async () => {
  // The keys go out before the time, while nothing else is booked on the vehicle.
  const [kept, gone] = [await reserve(0.02), await reserve(8)];
  const consumer = consumed(rentalHours(system.db, openHoursNews(temporal)));
  const { rows } = await sql<{ day: string; version: number }>`select b.version,
      (pick_up_at at time zone 'Europe/Vienna')::date as day
    from vehicles.branch b, rentals.rental r where r.id = ${kept.id}`.execute(system.owner);
  const { day = '', version = 0 } = rows[0] ?? {};
  const closed = { date: day, periods: [], reason: 'works' };
  await setException(system.db, 'system:test', 'VIE', version, closed);
  await calls(kept.id, true);
  expect(await attention(gone.id)).toBe(false);
  await withdrawException(system.db, 'system:test', 'VIE', version + 1, day);
  await calls(kept.id, false);

  const never = { weekly: [], keyDrop: true, outOfHours: null };
  await setOpeningHours(system.db, 'system:test', 'VIE', version + 2, never);
  await Promise.all([kept, gone].map(({ id }) => calls(id, true)));
  const out = await desk.post(`/rentals/${kept.id}/check-out`, {
    odometerKm: 1_000,
    fuelEighths: 8,
  });
  expect([out.status, await attention(kept.id)]).toEqual([200, false]);
  expect(consumer.seen.dead).toBe(0);
});
