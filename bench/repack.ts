// How often the search for a repack ends without an answer on pools that are nearly full.
import { repack } from '../domain/repack.ts';
import type { Figure, Goal } from './figure.ts';
import { generator, type Mix, randomPool } from './repack/pools.ts';
import { median, percentile, progress, rounded, setting } from './support/measure.ts';

const LOAD = 0.95;
const DAYS = 30;
const DEMANDS = setting('BENCH_REPACKS', 10_000);
const WARM_UP = 50;
const MAX_EXHAUSTED_PERCENT = 0.1;

const EXHAUSTED = {
  figure: 'exhausted budgets at 95 % load, of demands that no vehicle is free for',
  unit: '%',
  goal: `< ${MAX_EXHAUSTED_PERCENT} %`,
} as const;
const MEDIAN = { figure: 'search time, p50', unit: 'ms', goal: 'reported' } as const;
const P99 = { figure: 'search time, p99', unit: 'ms', goal: 'reported' } as const;

export const goals: readonly Goal[] = [EXHAUSTED, MEDIAN, P99];

/** Shares of spans that cannot move, from a quiet season to a day with every other vehicle out. */
const FIXED = [0.05, 0.1, 0.25, 0.5] as const;
/** Two of three pools have no one-way rentals. */
const ONE_WAY = [0, 0, 0.1] as const;

export async function run(): Promise<Figure[]> {
  const random = generator(20_270_501);
  const milliseconds: number[] = [];
  const outcomes = { plan: 0, none: 0, exhausted: 0 };
  const mixes: Record<string, typeof outcomes> = {};
  for (let index = -WARM_UP; index < DEMANDS; index += 1) {
    const fixed = FIXED[Math.abs(index) % FIXED.length] ?? 0;
    const oneWay = ONE_WAY[Math.abs(index) % ONE_WAY.length] ?? 0;
    const mix: Mix = { load: LOAD, days: DAYS, fixed, oneWay };
    const problem = randomPool(random, mix);
    const started = performance.now();
    const { outcome } = repack(problem, () => performance.now());
    if (index < 0) continue;
    milliseconds.push(performance.now() - started);
    outcomes[outcome] += 1;
    const name = `fixed ${100 * fixed} %, one-way ${100 * oneWay} %`;
    mixes[name] ??= { plan: 0, none: 0, exhausted: 0 };
    mixes[name][outcome] += 1;
  }
  for (const [name, seen] of Object.entries(mixes)) {
    progress(`repack: ${name}: ${JSON.stringify(seen)}`);
  }
  progress(`repack: ${JSON.stringify(outcomes)}`);
  const exhausted = rounded((100 * outcomes.exhausted) / DEMANDS);
  const times = [
    { ...MEDIAN, value: rounded(median(milliseconds)) },
    { ...P99, value: rounded(percentile(milliseconds, 99)) },
  ];
  return [
    {
      bench: 'repack',
      ...EXHAUSTED,
      value: exhausted,
      floor: null,
      ratio: null,
      met: exhausted < MAX_EXHAUSTED_PERCENT,
    },
    ...times.map((time) => ({ bench: 'repack', ...time, floor: null, ratio: null, met: true })),
  ];
}
