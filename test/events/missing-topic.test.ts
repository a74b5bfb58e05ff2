// A topic of ours that set-up forgot, or that somebody dropped, costs no event its way.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { topicOf } from '../../domain/events.ts';
import { listTopics } from '../../events/kafka.ts';
import { deadTopicOf } from '../../events/topics.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  countOf,
  eventSetting,
  messagesOf,
  relayFor,
  type Setting,
  sequences,
  waitFor,
} from './setting.ts';

let at: TestDatabase;
let setting: Setting;
beforeAll(async () => {
  at = await testDatabase();
  setting = await eventSetting(at.owner);
});

describe('a topic of ours that is missing', () => {
  it('is made, rather than its events parked', async () => {
    // Nothing happens in maintenance yet, so nobody else misses its topic meanwhile.
    const topic = topicOf('maintenance');
    const key = uuidv7();
    const admin = setting.kafka.admin();
    await admin.connect();
    if ((await listTopics(setting.kafka)).has(topic)) await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    const gone = async () => !(await listTopics(setting.kafka)).has(topic);
    await waitFor('the topic to be gone', gone);
    await at.owner.transaction().execute(async (tx) => {
      await sql`insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
        values (gen_random_uuid(), 'moved below', ${key}, 1, 't',
          ${JSON.stringify({ id: uuidv7(), sequence: '1' })})`.execute(tx);
      await sql`update events.outbox set topic = ${topic} where aggregate_id = ${key}`.execute(tx);
    });
    const { relay, witness } = relayFor(at.url, setting.kafka);
    await waitFor('an empty outbox', async () => (await countOf(at.owner, 'events.outbox')) === 0);
    await relay.stop();
    expect(witness).toMatchObject({ published: 1, parked: 0 });
    expect(sequences(await messagesOf(setting.kafka, topic)).get(key)).toEqual([1]);
    expect((await listTopics(setting.kafka)).has(deadTopicOf(topic))).toBe(true);
  });
});
