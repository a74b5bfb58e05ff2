// How fast one relay on one core brings a full outbox into Kafka, and that it keeps order.
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Kysely, sql } from 'kysely';
import { openDb } from '../db/client.ts';
import type { DB } from '../db/schema.ts';
import { createTopics, type Kafka, openKafka } from '../events/kafka.ts';
import { readBack } from '../events/read-back.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { median, progress } from './support/measure.ts';

const EVENTS = 200_000;
const AGGREGATES = 5000;
const GOAL = 20_000;
const ROUNDS = 3;

const SPEED: Goal = {
  figure: `relay, outbox to Kafka and log, one process${pinned() ? ' on one core' : ''}`,
  unit: 'events/s',
  goal: `>= ${GOAL}; floor: the bare Kafka client with such messages`,
};
const MISSING: Goal = { figure: 'events missing in Kafka', unit: 'events', goal: '= 0' };
const DISORDER: Goal = { ...MISSING, figure: 'events out of order within their aggregate' };
const TWICE: Goal = { ...MISSING, figure: 'events twice in Kafka without a kill' };
export const goals: readonly Goal[] = [SPEED, MISSING, DISORDER, TWICE];

/** Three alternating pairs of the floor and the relay, in the database of `ctx`; medians. */
export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 2, limitMs: 0 });
  const kafka = openKafka(ctx.kafkaBrokers.split(','), 'forecourt-bench');
  try {
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const floor = await rawProduce(ctx.kafkaBrokers, await newTopic(kafka));
      const relay = await relayRound(owner, kafka, ctx);
      progress(`outbox: pair ${round}: ${Math.round(relay.perSecond)} of ${Math.round(floor)}/s`);
      rounds.push({ ...relay, floor });
    }
    return figures(rounds);
  } finally {
    await owner.destroy();
  }
}

type Round = { readonly perSecond: number; readonly faults: Faults; readonly floor: number };

function figures(rounds: readonly Round[]): Figure[] {
  const value = median(rounds.map((round) => round.perSecond));
  const floor = median(rounds.map((round) => round.floor));
  const zero = (goal: Goal, of: (faults: Faults) => number): Figure => {
    const count = rounds.reduce((sum, round) => sum + of(round.faults), 0);
    const rest = { value: count, floor: null, ratio: null, met: count === 0 };
    return { bench: 'outbox', ...goal, ...rest };
  };
  return [
    {
      bench: 'outbox',
      ...SPEED,
      value: Math.round(value),
      floor: Math.round(floor),
      ratio: Number((value / floor).toFixed(2)),
      met: value >= GOAL,
    },
    zero(MISSING, (faults) => faults.missing),
    zero(DISORDER, (faults) => faults.disorder),
    zero(TWICE, (faults) => faults.duplicates),
  ];
}

async function relayRound(
  owner: Kysely<DB>,
  kafka: Kafka,
  ctx: BenchContext,
): Promise<Omit<Round, 'floor'>> {
  const topic = await newTopic(kafka);
  await sql`truncate events.outbox, events.log`.execute(owner);
  await fill(owner, topic);
  const relay = spawnPinned('../workers/relay.ts', {
    DATABASE_URL: ctx.databaseUrl,
    KAFKA_BROKERS: ctx.kafkaBrokers,
    INTERNAL_PORT: '0',
    LOG_LEVEL: 'warn',
  });
  try {
    await drained(owner, relay);
  } finally {
    await ended(relay);
  }
  // From the first batch's acknowledgement to the last one's, by the server's clock.
  const { rows } = await sql<{ rate: number }>`select (count(*) filter (where published_at > first))
      / extract(epoch from max(published_at) - min(published_at))::float8 as rate
    from events.log, (select min(published_at) as first from events.log) f`.execute(owner);
  return { perSecond: rows[0]?.rate ?? 0, faults: await check(kafka, topic) };
}

/** Rentals' events of about 600 bytes, the aggregates interleaved as they are in a busy hour. */
async function fill(owner: Kysely<DB>, topic: string): Promise<void> {
  await sql`insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
    select id, ${topic}, aggregate, seq, type, json_build_object('specversion', '1.0', 'id', id,
      'source', '/forecourt/rentals', 'type', type, 'subject', aggregate,
      'time', '2026-11-21T10:00:00.000Z', 'datacontenttype', 'application/json',
      'sequence', seq::text, 'traceparent', '00-' || md5(n::text) || '-' || left(md5(n::text), 16)
        || '-01', 'data', json_build_object('rentalId', aggregate, 'branchId', 'VIE',
      'status', 'active', 'vehicleId', id, 'odometerKm', n, 'fuelEighths', 8,
      'checkedOutAt', '2026-11-21T10:00:00.000Z', 'dueAt', '2026-11-24T10:00:00.000Z'))::text
    from (select n, uuidv7() as id, 'forecourt.rental.checked-out.v1' as type,
        md5((n % ${AGGREGATES})::text)::uuid as aggregate, n / ${AGGREGATES} + 1 as seq
      from generate_series(0, ${EVENTS - 1}) n order by n) e`.execute(owner);
  await sql`checkpoint`.execute(owner);
}

async function drained(owner: Kysely<DB>, relay: ChildProcess): Promise<void> {
  for (let waited = 0; waited < 120_000; waited += 200) {
    const { rows } = await sql`select from events.outbox limit 1`.execute(owner);
    if (rows.length === 0) return;
    if (relay.exitCode !== null) throw new Error('The relay ended early.');
    await sleep(200);
  }
  throw new Error('The relay did not drain the outbox within 2 minutes.');
}

type Faults = { readonly missing: number; readonly disorder: number; readonly duplicates: number };

async function check(kafka: Kafka, topic: string): Promise<Faults> {
  const seen = new Map<string, number>();
  let disorder = 0;
  let duplicates = 0;
  let distinct = 0;
  await readBack(kafka, [topic], ({ key, value }) => {
    const sequence = Number(JSON.parse(value ?? '{}').sequence);
    const last = seen.get(key ?? '') ?? 0;
    if (sequence <= last) duplicates += 1;
    else {
      if (sequence !== last + 1) disorder += 1;
      distinct += 1;
      seen.set(key ?? '', sequence);
    }
  });
  return { missing: EVENTS - distinct, disorder, duplicates };
}

async function rawProduce(brokers: string, topic: string): Promise<number> {
  const child = spawnPinned('./outbox-floor.ts', {
    KAFKA_BROKERS: brokers,
    TOPIC: topic,
    EVENTS: String(EVENTS),
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('exit', resolve));
  return Number(output);
}

async function newTopic(kafka: Kafka): Promise<string> {
  const topic = `bench.outbox.${crypto.randomUUID()}`;
  await createTopics(kafka, [{ topic, config: { 'retention.ms': '600000' } }], {
    partitions: 8,
    replication: 1,
  });
  return topic;
}

function pinned(): boolean {
  return process.platform === 'linux' && availableParallelism() > 1;
}

function spawnPinned(file: string, env: Record<string, string>): ChildProcess {
  const node = [process.execPath, fileURLToPath(new URL(file, import.meta.url))];
  const [command = '', ...args] = pinned() ? ['taskset', '-c', '1', ...node] : node;
  return spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}
