// What a consumer promises: every event once in effect, in order within its key, poison set aside.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { outboxRow } from '../../db/outbox.ts';
import type { ForecourtEvent } from '../../domain/events.ts';
import { type ConsumerPlan, runConsumer } from '../../events/consumer.ts';
import type { Handle } from '../../events/inbox.ts';
import { openProducer } from '../../events/kafka.ts';
import { discardHeld, listHeld, replayHeld } from '../../events/replay.ts';
import { deadTopicOf } from '../../events/topics.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventSetting, messagesOf, noShow, type Setting, waitFor } from './setting.ts';

let at: TestDatabase;
let setting: Setting;
beforeAll(async () => {
  at = await testDatabase();
  setting = await eventSetting(at.owner);
  await sql`create table public.effect (n bigint generated always as identity, consumer text,
    key uuid, sequence int)`.execute(at.owner);
  await sql`grant insert on public.effect to events_rw`.execute(at.owner);
});

type Sent = { readonly key: string; readonly value: string };

async function send(...messages: readonly Sent[]): Promise<void> {
  const producer = await openProducer(setting.kafka);
  await producer.send(
    setting.topic,
    messages.map((message) => ({ ...message, headers: {} })),
  );
  await producer.close();
}

function fact(key: string, sequence: number): Sent {
  return { key, value: outboxRow(noShow(key, sequence)).event };
}

type Consumer = { readonly name: string; readonly stop: () => Promise<void> };

/** A consumer that writes what it saw; `before` may refuse an event. */
function start(before: (event: ForecourtEvent) => void = () => undefined): Consumer {
  const name = `test-${randomUUID()}`;
  return restart(name, before);
}

function restart(name: string, before: (event: ForecourtEvent) => void): Consumer {
  const handle: Handle = async (tx, events) => {
    for (const event of events) {
      await sql`insert into public.effect (consumer, key, sequence)
        values (${name}, ${event.subject}, ${Number(event.sequence)})`.execute(tx);
      before(event);
    }
  };
  const plan: ConsumerPlan = { name, topics: [setting.topic], handle };
  const observer = { handled: () => undefined, dead: () => undefined, trouble: () => undefined };
  return { name, ...runConsumer({ db: at.db, kafka: setting.kafka, observer }, plan) };
}

async function effects(consumer: string, key: string): Promise<number[]> {
  const { rows } = await sql<{ sequence: number }>`select sequence from public.effect
    where consumer = ${consumer} and key = ${key} order by n`.execute(at.owner);
  return rows.map((row) => row.sequence);
}

const has = (consumer: string, key: string, ...expected: number[]) =>
  waitFor(
    `${expected} of ${key}`,
    async () => (await effects(consumer, key)).join() === expected.join(),
  );
const heldBy = async (consumer: string, ...keys: readonly string[]) =>
  (await listHeld(at.db, {})).filter((h) => h.consumer === consumer && keys.includes(h.key));

describe('a consumer', () => {
  it('handles what comes twice, or again after a restart, once', async () => {
    const key = uuidv7();
    const facts = [1, 2, 3].map((n) => fact(key, n));
    await send(...facts, ...facts);
    const consumer = start();
    await has(consumer.name, key, 1, 2, 3);
    await consumer.stop();
    const again = restart(consumer.name, () => undefined);
    await send(...facts, fact(key, 4));
    await has(consumer.name, key, 1, 2, 3, 4);
    await again.stop();
  });

  it('leaves no trace of an attempt that failed, and tries again', async () => {
    const key = uuidv7();
    let failures = 2;
    const consumer = start((event) => {
      if (event.subject === key && failures-- > 0) throw new Error('not yet');
    });
    await send(fact(key, 1), fact(key, 2));
    await has(consumer.name, key, 1, 2);
    await consumer.stop();
    expect(await heldBy(consumer.name, key)).toEqual([]);
  });

  it('waits for PostgreSQL as long as it takes, without a dead letter', async () => {
    const key = uuidv7();
    let failures = 5;
    const consumer = start((event) => {
      if (event.subject === key && failures-- > 0) {
        throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      }
    });
    await send(fact(key, 1));
    await has(consumer.name, key, 1);
    await consumer.stop();
    expect(await heldBy(consumer.name, key)).toEqual([]);
  });
});

describe('poison', () => {
  it('goes to the dead letters with its story, while the other keys flow', async () => {
    const [bad, worse, good] = [uuidv7(), uuidv7(), uuidv7()];
    const consumer = start((event) => {
      if (event.subject === bad) throw new Error('no such branch');
    });
    const event = JSON.parse(fact(worse, 1).value);
    await send(
      fact(bad, 1),
      { key: worse, value: '{"broken' },
      { key: worse, value: JSON.stringify({ ...event, type: 'forecourt.rental.no-show.v9' }) },
      fact(good, 1),
      fact(good, 2),
    );
    await has(consumer.name, good, 1, 2);
    await waitFor('three held', async () => (await heldBy(consumer.name, bad, worse)).length === 3);
    await consumer.stop();
    const letters = (await messagesOf(setting.kafka, deadTopicOf(setting.topic))).filter(
      (letter) => letter.headers['dead-consumer'] === consumer.name,
    );
    const story = (key: string) =>
      letters
        .filter((letter) => letter.key === key)
        .map(({ headers }) => [headers['dead-error'], headers['dead-attempts']]);
    expect(story(bad)).toEqual([['Error: no such branch', '4']]);
    expect(story(worse)).toEqual([
      ['not JSON', '1'],
      ['unknown type forecourt.rental.no-show.v9', '1'],
    ]);
    for (const { headers } of letters) {
      expect(headers['dead-origin-topic']).toBe(setting.topic);
      expect(headers['dead-origin-partition']).toMatch(/^[0-3]$/);
      expect(headers['dead-origin-offset']).toMatch(/^[0-9]+$/);
    }
  });

  it('holds the later events of its key; a replay handles them in order and once', async () => {
    const key = uuidv7();
    let broken = true;
    const consumer = start((event) => {
      if (broken && event.subject === key && event.sequence === '2') throw new Error('broken');
    });
    await send(fact(key, 1), fact(key, 2), fact(key, 3));
    await waitFor('two held', async () => (await heldBy(consumer.name, key)).length === 2);
    await send(fact(key, 4));
    await waitFor('three held', async () => (await heldBy(consumer.name, key)).length === 3);
    expect(await effects(consumer.name, key)).toEqual([1]);

    const [first] = await heldBy(consumer.name, key);
    expect(first).toMatchObject({ key, attempts: 4, error: 'Error: broken' });
    await replayHeld(at.db, setting.kafka, { topic: setting.topic });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await effects(consumer.name, key)).toEqual([1]);

    broken = false;
    await replayHeld(at.db, setting.kafka, { topic: setting.topic });
    await replayHeld(at.db, setting.kafka, { topic: setting.topic });
    await has(consumer.name, key, 1, 2, 3, 4);
    await send(fact(key, 5));
    await has(consumer.name, key, 1, 2, 3, 4, 5);
    await consumer.stop();
    expect(await heldBy(consumer.name, key)).toEqual([]);
  });

  it('can be given up, so that its key goes on', async () => {
    const key = uuidv7();
    const consumer = start((event) => {
      if (event.subject === key && event.sequence === '1') throw new Error('broken');
    });
    await send(fact(key, 1));
    await waitFor('one held', async () => (await heldBy(consumer.name, key)).length === 1);
    const [held] = await heldBy(consumer.name, key);
    expect(await discardHeld(at.db, { id: held?.eventId ?? '' })).toBe(1);
    await send(fact(key, 2));
    await has(consumer.name, key, 2);
    await consumer.stop();
  });
});
