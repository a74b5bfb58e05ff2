// Runs the benches: figures as JSON lines on standard output, progress on standard error.
import { randomBytes } from 'node:crypto';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { createBenchDatabase } from './support/database.ts';
import { progress } from './support/measure.ts';

type Bench = {
  readonly run: (ctx: BenchContext) => Promise<readonly Figure[]>;
  /** Printed without a value when the bench throws. */
  readonly goals?: readonly Goal[];
};

/** In this order; the last leaves Temporal thousands of open workflows to clear away. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  availability: () => import('./availability.ts'),
  board: () => import('./board.ts'),
  counter: () => import('./counter.ts'),
  import: () => import('./import.ts'),
  post: () => import('./post.ts'),
  quote: () => import('./quote.ts'),
  repack: () => import('./repack.ts'),
  outbox: () => import('./outbox.ts'),
  telematics: () => import('./telematics.ts'),
  auth: () => import('./auth.ts'),
  reserve: () => import('./reserve.ts'),
};

const UNKNOWN_GOALS: readonly Goal[] = [{ figure: 'all figures', unit: '', goal: 'measured' }];

async function runAlone(name: string, context: BenchContext): Promise<readonly Figure[]> {
  progress(`${name}: starts`);
  let goals = UNKNOWN_GOALS;
  try {
    const bench = await BENCHES[name]?.();
    if (bench === undefined) throw new Error('There is no such bench.');
    goals = bench.goals ?? goals;
    const database = await createBenchDatabase(name, context);
    try {
      return await bench.run({ ...context, ...database });
    } finally {
      await database.drop();
    }
  } catch (error) {
    progress(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
    const missing = { bench: name, value: null, floor: null, ratio: null, met: false };
    return goals.map((goal) => ({ ...missing, ...goal }));
  }
}

function contextOf(env: NodeJS.ProcessEnv): BenchContext {
  const needed = (name: string) => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set: run the benches by npm run bench.`);
    return value;
  };
  return {
    ownerUrl: needed('DATABASE_OWNER_URL'),
    databaseUrl: needed('DATABASE_URL'),
    temporalAddress: needed('TEMPORAL_ADDRESS'),
    kafkaBrokers: needed('KAFKA_BROKERS'),
    redisUrl: needed('REDIS_URL'),
  };
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  progress(
    `No bench is called ${unknown.join(', ')}. There are ${Object.keys(BENCHES).join(', ')}.`,
  );
  process.exit(2);
}
// What is encrypted here is thrown away with the bench's namespace.
process.env['PAYLOAD_KEYS'] ||= `bench:${randomBytes(32).toString('base64')}`;
process.env['DATA_KEYS'] ||= `bench:${randomBytes(32).toString('base64')}`;
process.env['AUTH_COOKIE_KEYS'] ||= randomBytes(32).toString('base64');
// A bench asks as one person, far more often than a person may.
process.env['RATE_LIMITS'] ||= 'staff=100000000,key=100000000,public=100000000';
const context = contextOf(process.env);
let met = true;
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  for (const figure of await runAlone(name, context)) {
    process.stdout.write(`${JSON.stringify(orderly(figure))}\n`);
    met &&= figure.met;
  }
}
process.exitCode = met ? 0 : 1;

/** The fields in the order that readers of the lines expect. */
function orderly({ bench, figure, value, unit, floor, ratio, goal, met }: Figure): Figure {
  return { bench, figure, value, unit, floor, ratio, goal, met };
}
