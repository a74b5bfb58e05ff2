// How many readings one consumer on one core takes from Kafka, each judged and once in effect.
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { type Db, openDb } from '../db/client.ts';
import { createTopics, type Kafka, openKafka, openProducer } from '../events/kafka.ts';
import { topicPlans } from '../events/topics.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { createCompany } from './support/company.ts';
import { median, progress, rounded, setting } from './support/measure.ts';

const READINGS = setting('BENCH_READINGS', 100_000);
const VEHICLES = 2000;
const GOAL = 5000;
const ROUNDS = 3;
const SENT_AT_ONCE = 2000;
const PATIENCE_MS = 240_000;

const SPEED: Goal = {
  figure: `readings, Kafka to judged rows, one process${isPinned() ? ' on one core' : ''}`,
  unit: 'readings/s',
  goal: `>= ${GOAL}; floor: the same messages consumed and inserted unjudged`,
};
const LOST: Goal = { figure: 'readings lost', unit: 'readings', goal: '= 0' };
const TWICE: Goal = { ...LOST, figure: 'readings stored twice' };
const QUEUED: Goal = { ...LOST, figure: 'plausible readings not accepted' };
export const goals: readonly Goal[] = [SPEED, LOST, TWICE, QUEUED];

type Faults = { readonly lost: number; readonly twice: number; readonly queued: number };
type Round = Faults & { readonly perSecond: number; readonly floor: number };

/** Three alternating pairs of the floor and the intake, in the database of `ctx`; medians. */
export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 2, limitMs: 0 });
  const kafka = openKafka(ctx.kafkaBrokers.split(','), 'forecourt-bench');
  try {
    await createCompany(owner, { branches: 20, vehiclesPerPool: VEHICLES / 100 });
    await plantFloor(owner);
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const topic = await filledTopic(owner, kafka);
      const env = { KAFKA_BROKERS: ctx.kafkaBrokers, TOPIC: topic };
      const urls = { DATABASE_URL: ctx.databaseUrl, DATABASE_OWNER_URL: ctx.ownerUrl };
      const floor = await floorRound(owner, { ...env, ...urls, GROUP: `${topic}.floor` });
      const intake = await intakeRound(owner, { ...env, ...urls, GROUP: `${topic}.intake` });
      progress(
        `telematics: pair ${round}: ${rounded(intake.perSecond, 0)} of ${rounded(floor, 0)}/s`,
      );
      rounds.push({ ...intake, floor });
    }
    return figures(rounds);
  } finally {
    await owner.destroy();
  }
}

function figures(rounds: readonly Round[]): Figure[] {
  const value = median(rounds.map((round) => round.perSecond));
  const floor = median(rounds.map((round) => round.floor));
  const zero = (goal: Goal, of: (faults: Faults) => number): Figure => {
    const count = rounds.reduce((sum, round) => sum + of(round), 0);
    const rest = { value: count, floor: null, ratio: null, met: count === 0 };
    return { bench: 'telematics', ...goal, ...rest };
  };
  return [
    {
      bench: 'telematics',
      ...SPEED,
      value: rounded(value, 0),
      floor: rounded(floor, 0),
      ratio: rounded(value / floor),
      met: value >= GOAL,
    },
    zero(LOST, (faults) => faults.lost),
    zero(TWICE, (faults) => faults.twice),
    zero(QUEUED, (faults) => faults.queued),
  ];
}

/** Every vehicle tells its odometer each minute, its fuel and engine hours now and then. */
async function filledTopic(owner: Db, kafka: Kafka): Promise<string> {
  const topic = `bench.telematics.${crypto.randomUUID()}`;
  await createTopics(kafka, topicPlans([topic]), { partitions: 8, replication: 1 });
  const { rows } = await sql<{ id: string }>`select id from vehicles.vehicle
    order by id limit ${VEHICLES}`.execute(owner);
  const producer = await openProducer(kafka);
  for (let start = 0; start < READINGS; start += SENT_AT_ONCE) {
    const numbers = Array.from({ length: SENT_AT_ONCE }, (_, n) => start + n);
    await producer.send(
      topic,
      numbers.map((n) => message(rows[n % VEHICLES]?.id ?? '', n)),
    );
  }
  await producer.close();
  return topic;
}

const START_MS = Date.now() - 20 * 86_400_000;

function message(vehicleId: string, n: number) {
  const minute = Math.floor(n / VEHICLES);
  const takenAt = new Date(START_MS + minute * 60_000).toISOString();
  const from = { id: `m${n}`, vehicleId, deviceId: `device-${vehicleId}`, source: 'can', takenAt };
  const said =
    n % 20 === 0
      ? { kind: 'fuel', value: 8 - (minute % 8) }
      : n % 20 === 1
        ? { kind: 'engine_hours', value: 900 + minute / 60 }
        : { kind: 'odometer', value: 20_000 + minute };
  return { key: vehicleId, value: JSON.stringify({ ...from, ...said }), headers: {} };
}

async function plantFloor(owner: Db): Promise<void> {
  await sql`create table public.bench_reading (id uuid primary key default uuidv7(),
    external_id text, vehicle_id uuid, device_id text, source text, kind text,
    taken_at timestamptz, value numeric, recorded_at timestamptz default now())`.execute(owner);
}

async function floorRound(owner: Db, env: Record<string, string>): Promise<number> {
  await sql`truncate public.bench_reading`.execute(owner);
  return during('./telematics-floor.ts', env, owner, 'public.bench_reading');
}

async function intakeRound(owner: Db, env: Record<string, string>) {
  await sql`truncate vehicles.meter, vehicles.meter_segment, vehicles.reading,
    vehicles.reading_review`.execute(owner);
  const perSecond = await during('./telematics-intake.ts', env, owner, 'vehicles.reading');
  const { rows } = await sql<{ n: number; distinct: number; queued: number }>`select count(*) as n,
      count(distinct (meter_id, external_id)) as distinct,
      count(*) filter (where state <> 'accepted') as queued from vehicles.reading`.execute(owner);
  const { n = 0, distinct = 0, queued = 0 } = rows[0] ?? {};
  return { perSecond, lost: READINGS - distinct, twice: n - distinct, queued };
}

/** From the first transaction's beginning to the last one's, by the server's clock. */
async function during(
  file: string,
  env: Record<string, string>,
  owner: Db,
  table: string,
): Promise<number> {
  await sql`checkpoint`.execute(owner);
  const child = spawnPinned(file, env);
  try {
    await filled(owner, child, table);
  } finally {
    const exit = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await exit;
  }
  const { rows } = await sql<{ rate: number }>`select (count(*) filter (where recorded_at < last)
      / extract(epoch from max(recorded_at) - min(recorded_at)))::float8 as rate
    from ${sql.table(table)}, (select max(recorded_at) as last from ${sql.table(table)}) l
    `.execute(owner);
  return rows[0]?.rate ?? 0;
}

async function filled(owner: Db, child: ChildProcess, table: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(300)) {
    const { rows } = await sql<{ n: number }>`select count(*) as n
      from ${sql.table(table)}`.execute(owner);
    if ((rows[0]?.n ?? 0) >= READINGS) return;
    if (child.exitCode !== null) throw new Error('The consumer ended early.');
  }
  throw new Error(`Not all readings were there within ${PATIENCE_MS / 60_000} minutes.`);
}

function isPinned(): boolean {
  return process.platform === 'linux' && availableParallelism() > 1;
}

function spawnPinned(file: string, env: Record<string, string>): ChildProcess {
  const node = [process.execPath, fileURLToPath(new URL(file, import.meta.url))];
  const [command = '', ...args] = isPinned() ? ['taskset', '-c', '1', ...node] : node;
  return spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
