// How fast one class at one branch is counted free: against the best plain SQL, and over HTTP.
import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { type Db, openDb } from '../db/client.ts';
import { availability } from '../db/queries/vehicles.ts';
import type { BenchContext, Figure } from './figure.ts';
import { openBenchApi } from './support/api.ts';
import { loadRentals } from './support/calendar.ts';
import { type Company, createCompany, type Pool, pools } from './support/company.ts';
import { median, percentile, progress, rounded, setting } from './support/measure.ts';
import { quietLatencies } from './support/quiet.ts';

/** 5 classes: 10,000 vehicles, 100 candidates an answer; 100 rentals each: 1,000,000. */
const COMPANY: Company = { branches: 20, vehiclesPerPool: 100 };
const RENTALS_PER_VEHICLE = setting('BENCH_RENTALS_PER_VEHICLE', 100);
const PROBES = setting('BENCH_PROBES', 3_000);
const WARM_UP_PROBES = 300;
const MAX_RATIO = 1.5;
const MAX_MISMATCHES = 0;
const MAX_HTTP_P99_MS = 10;

const DATABASE = {
  figure: 'one class at one branch, p50, against the best plain SQL on the same kind of pool',
  unit: 'ms',
  goal: `<= ${MAX_RATIO} x the floor`,
} as const;
const COUNTS = {
  figure: 'probes where both count differently',
  unit: 'probes',
  goal: `= ${MAX_MISMATCHES}`,
} as const;
const HTTP = {
  figure: 'GET /api/v1/availability of one class at one branch, p99 at 1 client',
  unit: 'ms',
  goal: `<= ${MAX_HTTP_P99_MS} ms`,
} as const;

export const goals = [DATABASE, COUNTS, HTTP];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 1, limitMs: 0 });
  const loading = performance.now();
  try {
    await createCompany(owner, COMPANY);
    await loadRentals(owner, RENTALS_PER_VEHICLE);
  } finally {
    await owner.destroy();
  }
  progress(`availability: loaded in ${Math.round((performance.now() - loading) / 1_000)} s`);
  return [...(await measureQueries(ctx)), await measureHttp(ctx)];
}

type Probe = Pool & { readonly from: string; readonly to: string };

const HOUR_MS = 3_600_000;
const POOLS = pools(COMPANY);

/** Each third one for the next day, as at a counter; the others up to half a year ahead. */
function randomProbe(): Probe {
  const pool = POOLS[randomInt(POOLS.length)];
  if (pool === undefined) throw new Error('There are no pools.');
  const ahead = randomInt(3) === 0 ? 24 : 180 * 24;
  const from = Date.now() + (1 + Math.random() * ahead) * HOUR_MS;
  const to = from + (1 + Math.random() * 6) * 24 * HOUR_MS;
  return { ...pool, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** Both answer the same probes in turns, each second one first, so that caches favour neither. */
async function measureQueries(ctx: BenchContext): Promise<Figure[]> {
  const ours = openDb(ctx.databaseUrl);
  const plain = openDb(ctx.ownerUrl);
  const oursMs: number[] = [];
  const plainMs: number[] = [];
  let mismatches = 0;
  try {
    for (let index = -WARM_UP_PROBES; index < PROBES; index += 1) {
      const probe = randomProbe();
      const counts: number[] = [];
      const runs = [
        async () => counts.push(await timed(index < 0 ? [] : oursMs, () => countOurs(ours, probe))),
        async () =>
          counts.push(await timed(index < 0 ? [] : plainMs, () => countPlain(plain, probe))),
      ];
      for (const one of index % 2 === 0 ? runs : runs.toReversed()) await one();
      if (counts[0] !== counts[1]) mismatches += 1;
    }
  } finally {
    await ours.destroy();
    await plain.destroy();
  }
  const [value, floor] = [median(oursMs), median(plainMs)];
  progress(
    `availability: p99 ${rounded(percentile(oursMs, 99))} ms, ` +
      `floor's ${rounded(percentile(plainMs, 99))} ms`,
  );
  const ratio = rounded(value / floor);
  return [
    {
      bench: 'availability',
      ...DATABASE,
      value: rounded(value),
      floor: rounded(floor),
      ratio,
      met: ratio <= MAX_RATIO,
    },
    {
      bench: 'availability',
      ...COUNTS,
      value: mismatches,
      floor: null,
      ratio: null,
      met: mismatches <= MAX_MISMATCHES,
    },
  ];
}

async function timed(into: number[], work: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const result = await work();
  into.push(performance.now() - started);
  return result;
}

async function countOurs(db: Db, probe: Probe): Promise<number> {
  const rows = await availability(db, probe);
  return rows?.[0]?.free ?? Number.NaN;
}

/**
 * The span that starts last before the end decides: one index probe a vehicle. It knows neither
 * roles nor turnaround rules nor late vehicles; the turnaround is handed in.
 */
async function countPlain(db: Db, { branchId, classId, from, to }: Probe): Promise<number> {
  const { rows } = await sql<{ free: number }>`
    select count(*)::int as free
    from vehicles.vehicle v
    left join lateral (
      select s.during from vehicles.span s
      where s.vehicle_id = v.id and s.grip <> 'released'
        and lower(s.during) < ${to}::timestamptz + interval '30 minutes'
      order by lower(s.during) desc limit 1
    ) last on true
    where v.branch_id = ${branchId} and v.class_id = ${classId} and v.status = 'in_service'
      and (last.during is null or upper(last.during) <= ${from}::timestamptz)`.execute(db);
  return rows[0]?.free ?? Number.NaN;
}

async function measureHttp(ctx: BenchContext): Promise<Figure> {
  const { http, authorization, close } = await openBenchApi(ctx);
  let failures = 0;
  const leg = async (probes: number) => {
    const latenciesMs: number[] = [];
    for (let index = 0; index < probes; index += 1) {
      const path = `/api/v1/availability?${new URLSearchParams(randomProbe())}`;
      const status = await timed(
        latenciesMs,
        async () => (await http.get(path, { authorization })).status,
      );
      if (status !== 200) failures += 1;
    }
    return latenciesMs;
  };
  try {
    await leg(WARM_UP_PROBES);
    const latenciesMs = await quietLatencies('availability over HTTP', () => leg(PROBES / 3));
    if (failures > 0) progress(`availability: ${failures} answers were not 200`);
    const value = rounded(percentile(latenciesMs, 99));
    const met = failures === 0 && value <= MAX_HTTP_P99_MS;
    return { bench: 'availability', ...HTTP, value, floor: null, ratio: null, met };
  } finally {
    await close();
  }
}
