// Three relays, one killed each second: nothing lost, order kept, duplicates without effect.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { countActivity } from '../../events/branch-activity.ts';
import { runConsumer } from '../../events/consumer.ts';
import { openProducer } from '../../events/kafka.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  countOf,
  eventSetting,
  messagesOf,
  noShow,
  plantBranch,
  publishAs,
  type Setting,
  sequences,
  upTo,
  waitFor,
} from './setting.ts';

const KEYS = 60;
const ROUNDS = 40;
const KILLS = 4;

let at: TestDatabase;
let setting: Setting;
const alive: ChildProcess[] = [];
beforeAll(async () => {
  at = await testDatabase();
  setting = await eventSetting(at.owner);
  await plantBranch(at.owner, 'VIE', 'Europe/Vienna');
});
afterAll(() => {
  for (const child of alive) child.kill('SIGKILL');
});

function spawnRelay(): void {
  const env = {
    ...process.env,
    DATABASE_URL: at.url,
    KAFKA_BROKERS: inject('servers').kafkaBrokers,
    INTERNAL_PORT: '0',
    LOG_LEVEL: 'fatal',
  };
  const entry = fileURLToPath(new URL('../../workers/relay.ts', import.meta.url));
  alive.push(spawn(process.execPath, [entry], { env, stdio: 'ignore' }));
}

const noShows = async () => {
  const { rows } = await sql<{ n: number }>`select coalesce(sum(no_shows), 0)::int as n
    from events.branch_activity`.execute(at.owner);
  return rows[0]?.n ?? 0;
};

it('survives kills: all arrive, ascending, and count once', { timeout: 120_000 }, async () => {
  const keys = Array.from({ length: KEYS }, () => uuidv7());
  const observer = { handled: () => undefined, dead: () => undefined, trouble: () => undefined };
  const consumer = runConsumer(
    { db: at.db, kafka: setting.kafka, observer },
    { name: 'test', groupId: randomUUID(), topics: [setting.topic], handle: countActivity },
  );
  for (let n = 0; n < 3; n += 1) spawnRelay();
  const publishing = (async () => {
    for (const n of upTo(ROUNDS)) {
      await publishAs(at.db, ...keys.map((key) => noShow(key, n)));
      await new Promise((resolve) => setTimeout(resolve, (KILLS * 1000) / ROUNDS));
    }
  })();
  for (let n = 0; n < KILLS; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    alive.shift()?.kill('SIGKILL');
    spawnRelay();
  }
  await publishing;
  const total = KEYS * ROUNDS;
  await waitFor('all sent', async () => (await countOf(at.owner, 'events.log')) === total, 30_000);
  await waitFor('all counted', async () => (await noShows()) === total, 30_000);

  const messages = await messagesOf(setting.kafka, setting.topic);
  expect(sequences(messages)).toEqual(new Map(keys.map((key) => [key, upTo(ROUNDS)])));
  expect(messages.length).toBeGreaterThanOrEqual(total);

  // All of it once more, as after a restored backup: the consumer knows every one of them.
  const producer = await openProducer(setting.kafka);
  await producer.send(setting.topic, messages);
  await producer.close();
  await publishAs(at.db, noShow(uuidv7(), 1));
  await waitFor('the last one', async () => (await noShows()) > total);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await consumer.stop();
  expect(await noShows()).toBe(total + 1);
});
