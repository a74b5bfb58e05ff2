// What the tests of events share: topics of their own, a branch, rentals' facts, relays.
import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { inject } from 'vitest';
import type { Db } from '../../db/client.ts';
import { transact } from '../../db/client.ts';
import { publish } from '../../db/outbox.ts';
import { openOutboxSession } from '../../db/outbox-session.ts';
import type { DB } from '../../db/schema.ts';
import { DOMAINS, type FactOf, topicOf } from '../../domain/events.ts';
import { createTopics, type Kafka, openKafka, type ReadMessage } from '../../events/kafka.ts';
import { readBack } from '../../events/read-back.ts';
import { type Relay, type RelayObserver, startRelay } from '../../events/relay.ts';
import { topicPlans } from '../../events/topics.ts';

export type Setting = { readonly kafka: Kafka; readonly topic: string; readonly prefix: string };

/**
 * Kafka is shared with other test files, so a trigger gives this database's events topics of
 * their own: `topic` stands for `rentals.facts.v1`.
 */
export async function eventSetting(owner: Kysely<DB>): Promise<Setting> {
  const prefix = `t${randomBytes(5).toString('hex')}.`;
  const kafka = openKafka(inject('servers').kafkaBrokers.split(','), 'forecourt-test');
  const topics = DOMAINS.map((domain) => prefix + topicOf(domain));
  await createTopics(kafka, topicPlans(topics), { partitions: 4, replication: 1 });
  await sql`create function public.own_topic() returns trigger language plpgsql as ${sql.lit(`begin
    if position('.facts.' in new.topic) > 0 and new.topic not like '${prefix}%' then
      new.topic := '${prefix}' || new.topic;
    end if;
    return new;
  end`)}`.execute(owner);
  await sql`create trigger own_topic before insert on events.outbox
    for each row execute function public.own_topic()`.execute(owner);
  return { kafka, prefix, topic: `${prefix}${topicOf('rentals')}` };
}

export async function plantBranch(owner: Kysely<DB>, id: string, zone: string): Promise<void> {
  await sql`insert into vehicles.branch (id, name, time_zone, entity_id)
    values (${id}, ${id}, ${zone}, 'FC-AT')`.execute(owner);
}

export type NoShow = FactOf<'forecourt.rental.no-show.v1'>;

export function noShow(rentalId: string, sequence: number, branchId = 'VIE'): NoShow {
  const data = { rentalId, branchId, status: 'no_show' };
  return {
    type: 'forecourt.rental.no-show.v1',
    aggregateId: rentalId,
    sequence,
    data: { ...data, pickUpAt: '2027-01-05T09:00:00.000Z' },
  };
}

export function publishAs(db: Db, ...facts: readonly NoShow[]): Promise<void> {
  return transact(db, 'rentals_rw', 'system:test', (tx) => publish(tx, ...facts));
}

export type Witness = { published: number; parked: number; troubles: number };

export function relayFor(url: string, kafka: Kafka): { relay: Relay; witness: Witness } {
  const witness = { published: 0, parked: 0, troubles: 0 };
  const observer: RelayObserver = {
    published: (count) => {
      witness.published += count;
    },
    parked: (count) => {
      witness.parked += count;
    },
    trouble: () => {
      witness.troubles += 1;
    },
    depth: () => undefined,
    shards: () => undefined,
  };
  const relay = startRelay({ kafka, observer, openSession: () => openOutboxSession(url) });
  return { relay, witness };
}

export async function waitFor(what: string, until: () => Promise<boolean> | boolean, ms = 20_000) {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    if (await until()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited in vain: ${what}.`);
}

export async function countOf(owner: Kysely<DB>, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(
    owner,
  );
  return rows[0]?.n ?? 0;
}

export async function messagesOf(kafka: Kafka, topic: string): Promise<ReadMessage[]> {
  const found: ReadMessage[] = [];
  await readBack(kafka, [topic], (message) => found.push(message));
  return found;
}

/** The sequences of each key, in the order of arrival, without repeats of what was seen. */
export function sequences(messages: readonly ReadMessage[]): Map<string, number[]> {
  const seen = new Set<string>();
  const byKey = new Map<string, number[]>();
  for (const { key, value } of messages) {
    const event = JSON.parse(value ?? '{}');
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    byKey.set(key ?? '', [...(byKey.get(key ?? '') ?? []), Number(event.sequence)]);
  }
  return byKey;
}

export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
