// Kafka and Redis carry nothing that a reservation needs: without them counters work on.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKafka } from '../../events/kafka.ts';
import { readBack } from '../../events/read-back.ts';
import { ensureTopics, FACT_TOPICS } from '../../events/topics.ts';
import { stackModule } from '../stack/stack.ts';
import { type Counter, counter, plantCompany, plantVehicles, tally } from '../support/counter.ts';
import { freePort, type System, testSystem, until } from '../support/system.ts';

type Server = {
  readonly address: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly ready: () => Promise<boolean>;
};
type Finder = (context: object) => Promise<Server>;

const RENTALS = 10;
const DAY_MS = 86_400_000;
const running = new Map<Server, ChildProcess>();
let folder: string;
let kafka: Server;
let redis: Server;
let system: System;
let desk: Counter;

/** Servers of this file's own, because the others' must not be stopped. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forecourt-brokers-'));
  const context = {
    places: { data: folder, run: folder, logs: folder },
    ports: {
      kafka: await freePort(),
      kafkaController: await freePort(),
      redis: await freePort(),
    },
    environment: {},
  };
  const modules = {
    kafka: await stackModule<{ readonly kafka: Finder }>('servers/kafka.mjs'),
    redis: await stackModule<{ readonly redis: Finder }>('servers/redis.mjs'),
  };
  kafka = await modules.kafka.kafka(context);
  redis = await modules.redis.redis(context);
  await Promise.all([start(kafka), start(redis)]);
  system = await testSystem('brokers');
  await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', 2 * RENTALS);
  await ensureTopics(openKafka([kafka.address], 'test'));
  const own = { KAFKA_BROKERS: kafka.address, REDIS_URL: `redis://${redis.address}` };
  const api = await system.start('api/server.ts', own);
  await system.start('workers/main.ts', own);
  await system.start('workers/relay.ts', own);
  desk = counter(system.base(api), await system.token());
}, 120_000);
afterAll(async () => {
  await Promise.all([...running.keys()].map(kill));
  await rm(folder, { recursive: true, force: true });
});

test('reservations succeed while both are down; their events leave afterwards', async () => {
  const before = await reserveAll();
  await until(async () => (await depth()) === 0);
  await Promise.all([kill(kafka), kill(redis)]);
  const during = await reserveAll();
  expect(await depth()).toBeGreaterThanOrEqual(RENTALS);
  await start(kafka);
  await until(async () => (await depth()) === 0, 60_000);

  const seen = new Set<string>();
  await readBack(openKafka([kafka.address], 'test'), FACT_TOPICS, (message) => {
    if (message.key !== null) seen.add(message.key);
  });
  for (const id of [...before, ...during]) expect(seen).toContain(id);
}, 150_000);

async function reserveAll(): Promise<readonly string[]> {
  const customer = (await desk.get('/customers')).body.items[0].id;
  const from = Date.now() + DAY_MS;
  const answers = await Promise.all(
    Array.from({ length: RENTALS }, () =>
      desk.post('/rentals', {
        branchId: 'VIE',
        classId: 'CDMR',
        customerId: customer,
        pickUpAt: new Date(from).toISOString(),
        dueAt: new Date(from + DAY_MS).toISOString(),
      }),
    ),
  );
  expect(tally(answers)).toEqual({ 201: RENTALS });
  return answers.map((answer) => answer.body.id);
}

async function depth(): Promise<number> {
  const { rows } = await sql<{ depth: number }>`select count(*)::int as depth
    from events.outbox`.execute(system.owner);
  return rows[0]?.depth ?? 0;
}

async function start(server: Server): Promise<void> {
  const child = spawn(server.file, [...server.args], {
    cwd: server.cwd,
    env: { ...process.env, ...server.env },
    stdio: 'ignore',
  });
  running.set(server, child);
  await until(() => server.ready(), 60_000);
}

async function kill(server: Server): Promise<void> {
  const child = running.get(server);
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
