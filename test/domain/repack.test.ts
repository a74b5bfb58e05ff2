// Repacking says what an independent exact solver says, and its plans break nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generator, randomPool } from '../../bench/repack/pools.ts';
import { openBudget } from '../../domain/repack/budget.ts';
import type { RepackProblem } from '../../domain/repack/problem.ts';
import { narrow, searchOn } from '../../domain/repack/search.ts';
import { stretchesOf, withBrokenOnesFixed } from '../../domain/repack/stretches.ts';
import { timelineOf } from '../../domain/repack/timeline.ts';
import { repack } from '../../domain/repack.ts';
import { canBePlaced, faultsOf } from '../support/repack-oracle.ts';
import { anyProblem } from '../support/repack-problems.ts';

/** Time stands still: only nodes end a budget here, so every run is the same. */
const still = () => 0;

const RUNS = 600;
const POOLS = 60;

function check(problem: RepackProblem): 'plan' | 'none' {
  const result = repack(problem, still);
  if (result.outcome === 'exhausted') throw new Error(`exhausted after ${result.nodes} nodes`);
  expect(result.outcome).toBe(canBePlaced(problem) ? 'plan' : 'none');
  if (result.outcome !== 'plan') return 'none';
  expect(faultsOf(problem, result.moves)).toEqual([]);
  return 'plan';
}

describe('equal to an exact solver, and every plan keeps overlaps, fixed times and places', () => {
  test.each([
    ['nothing fixed', { fixedPercent: 0, oneWayPercent: 0, holes: false }],
    ['25 % fixed', { fixedPercent: 25, oneWayPercent: 0, holes: false }],
    ['50 % fixed, and holds', { fixedPercent: 50, oneWayPercent: 0, holes: true }],
    ['one-way rentals', { fixedPercent: 10, oneWayPercent: 30, holes: false }],
    [
      'one-way rentals, 40 % fixed, and holds',
      { fixedPercent: 40, oneWayPercent: 20, holes: true },
    ],
    [
      'one that gives its vehicle up, and holds',
      { fixedPercent: 20, oneWayPercent: 30, holes: true, leaves: true },
    ],
  ])('with %s', { timeout: 60_000 }, (_, options) => {
    const seen = { plan: 0, none: 0 };
    fc.assert(
      fc.property(anyProblem(options), (problem) => {
        seen[check(problem)] += 1;
      }),
      { numRuns: RUNS },
    );
    // Problems that all end alike would prove little.
    expect(seen.plan).toBeGreaterThan(RUNS / 20);
    expect(seen.none).toBeGreaterThan(RUNS / 20);
  });
});

describe('on pools of 20 to 50 vehicles whose time is taken to 95 %', () => {
  test.each([
    ['5 % fixed', { fixed: 0.05, oneWay: 0 }, 1],
    ['half fixed', { fixed: 0.5, oneWay: 0 }, 0],
    ['a quarter fixed, and one-way rentals', { fixed: 0.25, oneWay: 0.1 }, 0],
  ])(
    'there is an answer within the nodes, and every plan holds: %s',
    { timeout: 60_000 },
    (_, mix, plans) => {
      const random = generator(1_234);
      const seen = { plan: 0, none: 0, exhausted: 0 };
      for (let demand = 0; demand < POOLS; demand += 1) {
        const problem = randomPool(random, { ...mix, load: 0.95, days: 30 });
        const result = repack(problem, still);
        seen[result.outcome] += 1;
        if (result.outcome === 'plan') expect(faultsOf(problem, result.moves)).toEqual([]);
      }
      expect(seen.exhausted).toBe(0);
      expect(seen.plan).toBeGreaterThanOrEqual(plans);
      expect(seen.none).toBeGreaterThan(0);
    },
  );
});

describe('without routes, which find most plans before', () => {
  test.each([
    ['40 % fixed, and holds', { fixedPercent: 40, oneWayPercent: 0, holes: true }],
    ['one-way rentals, 20 % fixed', { fixedPercent: 20, oneWayPercent: 25, holes: false }],
  ])('filtering and search rule out no plan that exists: %s', { timeout: 60_000 }, (_, mix) => {
    fc.assert(
      fc.property(anyProblem(mix), (problem) => {
        const { vehicles, spans } = withBrokenOnesFixed(problem);
        const stretches = vehicles.flatMap((vehicle) => stretchesOf(vehicle, [], spans));
        const narrowed = narrow(timelineOf(spans, stretches), openBudget(still));
        if (canBePlaced(problem)) expect(narrowed).not.toBeNull();
        if (narrowed === null || mix.oneWayPercent > 0) return;
        expect(searchOn(narrowed) !== null).toBe(canBePlaced(problem));
      }),
      { numRuns: RUNS / 3 },
    );
  });
});
