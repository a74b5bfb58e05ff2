// How fast the fleet board of a large branch is answered over HTTP, against the same by plain SQL.
import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { openDb } from '../db/client.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { openBenchApi } from './support/api.ts';
import { loadRentals } from './support/calendar.ts';
import { type Company, createCompany } from './support/company.ts';
import type { HttpClient } from './support/http.ts';
import { median, percentile, progress, rounded, setting } from './support/measure.ts';
import { quietLatencies } from './support/quiet.ts';

/** 5 classes: 500 vehicles a branch. */
const COMPANY: Company = { branches: 4, vehiclesPerPool: 100 };
const VEHICLES = 500;
const RENTALS_PER_VEHICLE = setting('BENCH_RENTALS_PER_VEHICLE', 100);
const PROBES = setting('BENCH_PROBES', 500);
const WARM_UP_PROBES = 50;
const WINDOW_DAYS = 30;
const DAY_MS = 86_400_000;
const MAX_P99_MS = 50;

const goal = `<= ${MAX_P99_MS} ms`;
const about = `GET /api/v1/fleet/board of ${VEHICLES} vehicles x ${WINDOW_DAYS} days, p99 at 1 client`;
const PLAIN = { figure: `${about}, as it is; floor: plain SQL`, unit: 'ms', goal } as const;
const SMALL = { figure: `${about}, compressed (br); floor: plain SQL`, unit: 'ms', goal } as const;

export const goals: readonly Goal[] = [PLAIN, SMALL];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 1, limitMs: 0 });
  try {
    await createCompany(owner, COMPANY);
    await loadRentals(owner, RENTALS_PER_VEHICLE);
  } finally {
    await owner.destroy();
  }
  progress('board: loaded');
  const floorMs = await measurePlainSql(ctx);
  return measureHttp(ctx, percentile(floorMs, 99));
}

type Probe = { readonly branchId: string; readonly from: string; readonly to: string };

function randomProbe(): Probe {
  const from = Date.now() + (Math.random() * 180 - 90) * DAY_MS;
  return {
    branchId: `B0${1 + randomInt(COMPANY.branches)}`,
    from: new Date(from).toISOString(),
    to: new Date(from + WINDOW_DAYS * DAY_MS).toISOString(),
  };
}

/** The rows, without roles, shape or HTTP: what any board has to read. */
async function measurePlainSql(ctx: BenchContext): Promise<readonly number[]> {
  const db = openDb(ctx.ownerUrl, { max: 1 });
  const latenciesMs: number[] = [];
  try {
    for (let index = -WARM_UP_PROBES; index < PROBES; index += 1) {
      const { branchId, from, to } = randomProbe();
      const started = performance.now();
      await sql`select json_agg(b) from (
        select v.id, v.plate, v.class_id, v.status, (
          select json_agg(json_build_array(s.kind, s.ref, s.during, s.grip, s.branch_out, s.branch_in))
          from vehicles.span s where s.vehicle_id = v.id and s.grip <> 'released'
            and s.during && tstzrange(${from}, ${to})) as spans
        from vehicles.vehicle v where v.branch_id = ${branchId}) b`.execute(db);
      if (index >= 0) latenciesMs.push(performance.now() - started);
    }
  } finally {
    await db.destroy();
  }
  progress(`board: plain SQL p50 ${rounded(median(latenciesMs))} ms`);
  return latenciesMs;
}

async function measureHttp(ctx: BenchContext, floorMs: number): Promise<Figure[]> {
  const { http, authorization, close } = await openBenchApi(ctx);
  try {
    return [
      await measureLeg(http, PLAIN, floorMs, { authorization }),
      await measureLeg(http, SMALL, floorMs, { authorization, 'accept-encoding': 'br' }),
    ];
  } finally {
    await close();
  }
}

async function measureLeg(
  http: HttpClient,
  leg: Goal,
  floorMs: number,
  headers: Readonly<Record<string, string>>,
): Promise<Figure> {
  let failures = 0;
  let characters = 0;
  const probe = async (probes: number) => {
    const latenciesMs: number[] = [];
    for (let index = 0; index < probes; index += 1) {
      const started = performance.now();
      const path = `/api/v1/fleet/board?${new URLSearchParams(randomProbe())}`;
      const answer = await http.get(path, headers);
      latenciesMs.push(performance.now() - started);
      if (answer.status !== 200) failures += 1;
      characters = answer.body.length;
    }
    return latenciesMs;
  };
  await probe(WARM_UP_PROBES);
  const latenciesMs = await quietLatencies('board', () => probe(PROBES));
  if (failures > 0) progress(`board: ${failures} answers were not 200`);
  progress(`board: last answer ${characters} characters`);
  const [value, floor] = [rounded(percentile(latenciesMs, 99)), rounded(floorMs)];
  const met = failures === 0 && value <= MAX_P99_MS;
  return { bench: 'board', ...leg, value, floor, ratio: rounded(value / floor), met };
}
