// Repacking for demands that may not have every vehicle, or that give one up: cases that walks found.
import { expect, test } from 'vitest';
import type { RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';
import { repack } from '../../domain/repack.ts';
import { faultsOf } from '../support/repack-oracle.ts';

const still = () => 0;

function span(id: string, [from, to]: readonly [number, number], over: Partial<RepackSpan> = {}) {
  return { id, from, to, branchOut: 'A', branchIn: 'A', vehicleId: null, ...over };
}

test('a vehicle under a hold is not given to the span that it refuses, though nothing is fixed', () => {
  const asked: RepackProblem = {
    vehicles: [
      { id: 'held', branchId: 'A', fixed: [], refuses: ['late'] },
      { id: 'other', branchId: 'A', fixed: [] },
    ],
    spans: [
      span('short', [10, 11], { vehicleId: 'held' }),
      span('late', [11, 19], { vehicleId: 'other' }),
      span('demand', [2, 12]),
    ],
  };
  const answer = repack(asked, still);
  expect(answer).toMatchObject({ outcome: 'plan' });
  const moves = answer.outcome === 'plan' ? answer.moves : [];
  expect(moves).toContainEqual({ id: 'demand', vehicleId: 'held' });
  expect(moves).not.toContainEqual({ id: 'late', vehicleId: 'held' });
});

test('what follows on a one-way trip that is placed anew still finds its vehicle there', () => {
  const trip = { branchIn: 'B', leaves: 'a' };
  const asked: RepackProblem = {
    vehicles: [
      { id: 'a', branchId: 'A', fixed: [] },
      { id: 'b', branchId: 'A', fixed: [] },
    ],
    spans: [
      span('trip', [0, 7], trip),
      span('next', [6, 9], { branchOut: 'B', branchIn: 'B', vehicleId: 'a' }),
      span('later', [10, 12], { branchOut: 'B', branchIn: 'B', vehicleId: 'a' }),
    ],
  };
  expect(repack(asked, still)).toMatchObject({ outcome: 'none' });
  const roomy = {
    ...asked,
    spans: asked.spans.map((each) => (each.id === 'next' ? { ...each, from: 7 } : each)),
  };
  const answer = repack(roomy, still);
  expect(answer).toMatchObject({ outcome: 'plan' });
  if (answer.outcome === 'plan') expect(faultsOf(roomy, answer.moves)).toEqual([]);
});
