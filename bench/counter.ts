// How fast a counter's day is answered over HTTP, with a million rentals behind it, against plain SQL.
import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { type Db, openDb } from '../db/client.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { openBenchApi } from './support/api.ts';
import { loadCounters } from './support/counters.ts';
import { median, percentile, progress, rounded, setting } from './support/measure.ts';

const PAST = setting('BENCH_PAST_RENTALS', 1_000_000);
const BRANCHES = 10;
/** At each branch: half of them go out and half come back. */
const TODAY = 300;
const PROBES = setting('BENCH_PROBES', 500);
const WARM_UP_PROBES = 50;
const MAX_P99_MS = 50;

const GOAL = {
  figure:
    `GET /api/v1/counter/today, ${PAST} past rentals and ${TODAY} of today, ` +
    'p99 at 1 client; floor: plain SQL',
  unit: 'ms',
  goal: `<= ${MAX_P99_MS} ms`,
} as const;

export const goals: readonly Goal[] = [GOAL];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 1, limitMs: 0 });
  try {
    await loadCounters(owner, { branches: BRANCHES, past: PAST, today: TODAY });
    progress('counter: loaded');
    const floorMs = await measurePlainSql(owner);
    progress(`counter: plain SQL p50 ${rounded(median(floorMs))} ms`);
    return [await measureHttp(ctx, percentile(floorMs, 99))];
  } finally {
    await owner.destroy();
  }
}

function randomBranch(): string {
  return `B${String(1 + randomInt(BRANCHES)).padStart(2, '0')}`;
}

/** The rows of today, without roles, policies, lists, local times or HTTP. */
async function measurePlainSql(owner: Db): Promise<readonly number[]> {
  return probes(async () => {
    const branchId = randomBranch();
    await sql`select json_agg(d) from (
        select r.id, r.number, r.class_id, c.name, v.plate, r.pick_up_at, r.due_at
        from rentals.rental r join rentals.customer c on c.id = r.customer_id
          left join vehicles.span s on s.kind = 'rental' and s.ref = r.id
          left join vehicles.vehicle v on v.id = s.vehicle_id
        where r.branch_id = ${branchId} and r.status = 'reserved'
          and r.pick_up_at < now() + interval '1 day'
        union all
        select r.id, r.number, r.class_id, c.name, v.plate, r.pick_up_at, r.due_at
        from rentals.rental r join rentals.customer c on c.id = r.customer_id
          join vehicles.vehicle v on v.id = r.vehicle_id
        where r.return_branch_id = ${branchId} and r.status = 'active'
          and r.due_at < now() + interval '1 day') d`.execute(owner);
  });
}

async function measureHttp(ctx: BenchContext, floorMs: number): Promise<Figure> {
  const { http, authorization, close } = await openBenchApi(ctx);
  let failures = 0;
  let characters = 0;
  try {
    const latenciesMs = await probes(async () => {
      const path = `/api/v1/counter/today?branchId=${randomBranch()}`;
      const answer = await http.get(path, { authorization });
      if (answer.status !== 200) failures += 1;
      characters = answer.body.length;
    });
    if (failures > 0) progress(`counter: ${failures} answers were not 200`);
    progress(`counter: p50 ${rounded(median(latenciesMs))} ms, ${characters} characters`);
    const [value, floor] = [rounded(percentile(latenciesMs, 99)), rounded(floorMs)];
    const met = failures === 0 && value <= MAX_P99_MS;
    return { bench: 'counter', ...GOAL, value, floor, ratio: rounded(value / floor), met };
  } finally {
    await close();
  }
}

/** How long each took, one after the other; the first ones do not count. */
async function probes(ask: () => Promise<void>): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  for (let index = -WARM_UP_PROBES; index < PROBES; index += 1) {
    const started = performance.now();
    await ask();
    if (index >= 0) latenciesMs.push(performance.now() - started);
  }
  return latenciesMs;
}
