// What the tests of the telematics intake share: a topic of their own, vehicles, readings sent.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { inject } from 'vitest';
import { createTopics, type Kafka, openKafka, openProducer } from '../../events/kafka.ts';
import { topicPlans } from '../../events/topics.ts';
import type { TestDatabase } from '../support/database.ts';
import { plantFleet } from '../support/fleet.ts';

export type Telematics = {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly vehicleIds: readonly string[];
};

export async function telematics(
  { db }: TestDatabase,
  options: { readonly vehicles: number },
): Promise<Telematics> {
  const topic = `t${randomUUID()}.telematics.readings.v1`;
  const kafka = openKafka(inject('servers').kafkaBrokers.split(','), 'forecourt-test');
  await createTopics(kafka, topicPlans([topic]), { partitions: 4, replication: 1 });
  const { vehicleIds } = await plantFleet(db, options);
  return { kafka, topic, group: `test-${randomUUID()}`, vehicleIds };
}

const START_MS = Date.now() - 10 * 86_400_000;

/** The n-th minute of a vehicle at 60 km/h, as a producer sends it. */
export function message(vehicleId: string, n: number, over: object = {}) {
  const takenAt = new Date(START_MS + n * 60_000).toISOString();
  const said = { kind: 'odometer', takenAt, value: 5_000 + n };
  const from = { vehicleId, deviceId: `dev-${vehicleId}`, source: 'can' };
  return {
    key: vehicleId,
    value: JSON.stringify({ id: `m${n}`, ...from, ...said, ...over }),
  };
}

export async function send(
  { kafka, topic }: Telematics,
  messages: readonly { readonly key: string; readonly value: string }[],
): Promise<void> {
  const producer = await openProducer(kafka);
  for (let start = 0; start < messages.length; start += 1_000) {
    const part = messages.slice(start, start + 1_000);
    await producer.send(
      topic,
      part.map((one) => ({ ...one, headers: {} })),
    );
  }
  await producer.close();
}

export type Stored = { readonly n: number; readonly distinct: number; readonly queued: number };

export async function stored({ owner }: TestDatabase): Promise<Stored> {
  const { rows } = await sql<Stored>`select count(*) as n,
      count(distinct (meter_id, external_id)) as distinct,
      count(*) filter (where state = 'queued') as queued from vehicles.reading`.execute(owner);
  return rows[0] ?? { n: 0, distinct: 0, queued: 0 };
}
