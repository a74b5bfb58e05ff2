// Repacking says what an independent exact solver says, and its plans break nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RepackProblem } from '../../domain/repack/problem.ts';
import { repack } from '../../domain/repack.ts';
import { canBePlaced, faultsOf } from '../support/repack-oracle.ts';
import { anyProblem } from '../support/repack-problems.ts';

/** Time stands still: only nodes end a budget here, so every run is the same. */
const still = () => 0;

const RUNS = 1_500;

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
