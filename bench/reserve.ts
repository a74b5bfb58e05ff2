// Reservations over HTTP with everything on, against the least that Temporal asks of anybody.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { openDb } from '../db/client.ts';
import { createCustomer } from '../db/commands/customers.ts';
import { publishRatePlan } from '../db/commands/rate-plans.ts';
import { GOLD_1 } from '../domain/rate-plan.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { openStand, type Side, type Stand } from './reserve/stand.ts';
import { type Company, createCompany } from './support/company.ts';
import { type Leg, load } from './support/http.ts';
import { median, progress, rounded, setting } from './support/measure.ts';
import { withStolenShare } from './support/quiet.ts';

/** 20 pools of 100 vehicles: thousands of rentals in three months leave each of them free ones. */
const COMPANY: Company = { branches: 4, vehiclesPerPool: 100 };
const CUSTOMERS = 100;
const PRINCIPAL = 'system:bench';
const CLIENTS = [1, 8, 32] as const;
/** Of which count those that lost least to other guests of the host. */
const PAIRS = 5;
const KEPT_PAIRS = 3;
const LEG_SECONDS = setting('BENCH_LEG_SECONDS', 10);
const WARM_UP_SECONDS = setting('BENCH_WARM_UP_SECONDS', 20);
/** A machine that is slower than that has its memory not measured rather than the bench go on. */
const MAX_TOP_UP_MS = 150_000;
const OPEN_RENTALS = setting('BENCH_OPEN_RENTALS', 3_000);
const MIN_RATIO = 1;
const MAX_EXTRA_MS = 5;
const MAX_API_MB = 300;
const MAX_WORKER_MB = 600;

type Clients = (typeof CLIENTS)[number];

const THROUGHPUT: Readonly<Record<Clients, Goal>> = {
  1: { figure: 'throughput at 1 client', unit: 'rentals/s', goal: 'reported' },
  8: { figure: 'throughput at 8 clients', unit: 'rentals/s', goal: 'reported' },
  32: {
    figure: 'throughput at 32 clients',
    unit: 'rentals/s',
    goal: `>= ${MIN_RATIO} x the floor`,
  },
};
const P50 = {
  figure: 'p50 at 1 client',
  unit: 'ms',
  goal: `<= the floor + ${MAX_EXTRA_MS} ms`,
} as const;
const API_MEMORY = {
  figure: `resident memory of the API with ${OPEN_RENTALS} rentals open`,
  unit: 'MB',
  goal: `<= ${MAX_API_MB} MB`,
} as const;
const WORKER_MEMORY = {
  figure: `resident memory of the worker with ${OPEN_RENTALS} rentals open`,
  unit: 'MB',
  goal: `<= ${MAX_WORKER_MB} MB`,
} as const;

export const goals = [
  ...CLIENTS.map((clients) => THROUGHPUT[clients]),
  P50,
  API_MEMORY,
  WORKER_MEMORY,
];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  const stand = await openStand(ctx, COMPANY, await prepare(ctx));
  try {
    const tally = { opened: 0, apiMb: 0, workerMb: 0 };
    for (const side of [stand.product, stand.floor]) {
      await leg(stand, tally, side, 32, WARM_UP_SECONDS);
    }
    const results: Result[] = [];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const sides = [stand.product, stand.floor];
      for (const clients of CLIENTS) {
        // One right after the other, each second time the other way round.
        for (const side of pair % 2 === 0 ? sides : sides.toReversed()) {
          const measured = await leg(stand, tally, side, clients, LEG_SECONDS);
          results.push({ side: side.name, clients, pair, ...measured });
        }
      }
    }
    const end = Date.now() + MAX_TOP_UP_MS;
    while (tally.opened < OPEN_RENTALS && Date.now() < end) {
      await leg(stand, tally, stand.product, 32, LEG_SECONDS);
    }
    return figures(results, tally);
  } finally {
    await stand.close();
  }
}

/** Answers the ids of customers to reserve for. */
async function prepare(ctx: BenchContext): Promise<readonly string[]> {
  const owner = openDb(ctx.ownerUrl, { max: 1, limitMs: 0 });
  const db = openDb(ctx.databaseUrl);
  try {
    await createCompany(owner, COMPANY);
    await publishRatePlan(db, PRINCIPAL, GOLD_1);
    const customers = Array.from({ length: CUSTOMERS }, (_, index) => ({
      id: uuidv7(),
      name: `Customer ${index}`,
    }));
    for (const customer of customers) await createCustomer(db, PRINCIPAL, customer);
    await sql`analyze`.execute(owner);
    return customers.map(({ id }) => id);
  } finally {
    await db.destroy();
    await owner.destroy();
  }
}

type Tally = { opened: number; apiMb: number; workerMb: number };
/** `stolen`: the share of the time of all cores that other guests of the host took. */
type Measured = Leg & { readonly stolen: number };
type Result = Measured & {
  readonly side: Side['name'];
  readonly clients: Clients;
  readonly pair: number;
};

/** Weighs the product after each of its legs, once so many rentals are open, and keeps the most. */
async function leg(
  { product }: Stand,
  tally: Tally,
  side: Side,
  clients: Clients,
  seconds: number,
): Promise<Measured> {
  const { result, stolen } = await withStolenShare(() =>
    load(side.ask, { clients, seconds, expected: 201 }),
  );
  const { perSecond, latenciesMs, failures, failure } = result;
  if (side.name === 'product') tally.opened += latenciesMs.length;
  const [apiMb, workerMb] = [await product.api.residentMb(), await product.worker.residentMb()];
  if (tally.opened >= OPEN_RENTALS) {
    tally.apiMb = Math.max(tally.apiMb, apiMb);
    tally.workerMb = Math.max(tally.workerMb, workerMb);
  }
  const p50 = latenciesMs.length > 0 ? rounded(median(latenciesMs), 1) : '-';
  progress(
    `reserve: ${side.name}, ${clients} clients: ${rounded(perSecond, 1)}/s, p50 ${p50} ms; ` +
      `${rounded(stolen * 100, 1)} % stolen, ${tally.opened} open, ` +
      `API ${Math.round(apiMb)} MB, worker ${Math.round(workerMb)} MB` +
      (failure === null ? '' : `; ${failures} FAILED, the first with ${failure}`),
  );
  return { ...result, stolen };
}

function figures(results: readonly Result[], tally: Tally): Figure[] {
  const quiet = new Map(CLIENTS.map((clients) => [clients, quietPairs(results, clients)]));
  const all = (side: Side['name'], clients: Clients, value: (result: Result) => number) =>
    results
      .filter((r) => r.side === side && r.clients === clients)
      .filter((r) => quiet.get(clients)?.has(r.pair))
      .toSorted((a, b) => a.pair - b.pair)
      .map(value);
  const sound = (clients: Clients) =>
    results.every((result) => result.clients !== clients || result.failures === 0);

  const throughputs = CLIENTS.map((clients): Figure => {
    const compared = inPairs(
      all('product', clients, (result) => result.perSecond),
      all('floor', clients, (result) => result.perSecond),
    );
    const met = sound(clients) && (clients !== 32 || compared.ratio >= MIN_RATIO);
    return { bench: 'reserve', ...THROUGHPUT[clients], ...compared, met };
  });
  const p50 = inPairs(
    all('product', 1, (result) => median(result.latenciesMs)),
    all('floor', 1, (result) => median(result.latenciesMs)),
  );
  return [
    ...throughputs,
    {
      bench: 'reserve',
      ...P50,
      ...p50,
      met: sound(1) && p50.value <= p50.floor + MAX_EXTRA_MS,
    },
    weighed(API_MEMORY, tally.apiMb, MAX_API_MB),
    weighed(WORKER_MEMORY, tally.workerMb, MAX_WORKER_MB),
  ];
}

/** A pair has lost what the worse of its legs has lost. */
function quietPairs(results: readonly Result[], clients: Clients): ReadonlySet<number> {
  const lost = Array.from({ length: PAIRS }, (_, pair) => ({
    pair,
    stolen: Math.max(
      ...results.filter((r) => r.clients === clients && r.pair === pair).map((r) => r.stolen),
    ),
  }));
  const quietest = lost.toSorted((a, b) => a.stolen - b.stolen).slice(0, KEPT_PAIRS);
  return new Set(quietest.map(({ pair }) => pair));
}

/**
 * Medians; the ratio is that of the pairs' ratios: from one pair to the next the machine itself
 * gets faster or slower by a third, which a ratio of the medians would take for ours.
 */
function inPairs(values: readonly number[], floors: readonly number[]) {
  const ratios = values.map((value, pair) => value / (floors[pair] ?? Number.NaN));
  return {
    value: rounded(median(values)),
    floor: rounded(median(floors)),
    ratio: rounded(median(ratios)),
  };
}

/** 0 is what a process weighs that was never put on the scales. */
function weighed(goal: Goal, mb: number, max: number): Figure {
  const value = mb > 0 ? Math.round(mb) : null;
  const met = value !== null && mb <= max;
  return { bench: 'reserve', ...goal, value, floor: null, ratio: null, met };
}
