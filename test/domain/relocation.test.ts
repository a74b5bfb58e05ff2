// The relocation proposal: it helps who lacks vehicles, hurts nobody, and drives no further than it must.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  balanceOf,
  type PoolOutlook,
  proposeMoves,
  type RelocationMove,
  shortageOf,
} from '../../domain/relocation.ts';

function pool(branchId: string, free: readonly number[], waiting: readonly number[]): PoolOutlook {
  return { branchId, classId: 'CDMR', free, movable: free, waiting };
}

const NONE = [0, 0, 0, 0];
const near = (from: string, to: string) => (from === 'GRZ' || to === 'GRZ' ? 120 : 300);

describe('a shortage', () => {
  test('is met from the nearest branch that can spare a vehicle for good', () => {
    const outlooks = [
      pool('VIE', NONE, [0, 0, 2, 2]),
      pool('GRZ', [1, 1, 1, 1], NONE),
      pool('LNZ', [3, 3, 3, 3], NONE),
    ];
    const common = { toBranchId: 'VIE', classId: 'CDMR', count: 1, leavesOn: 1, neededOn: 2 };
    expect(proposeMoves(outlooks, near)).toEqual([
      { ...common, fromBranchId: 'GRZ' },
      { ...common, fromBranchId: 'LNZ' },
    ]);
  });

  test('of the first day, or further away than it is soon, is not met by driving', () => {
    const outlooks = [pool('VIE', NONE, [1, 1, 0, 0]), pool('LNZ', [1, 1, 1, 1], NONE)];
    expect(proposeMoves(outlooks, () => 2_000)).toEqual([]);
    expect(
      proposeMoves([pool('VIE', NONE, [1, 0, 0, 0]), outlooks[1] as PoolOutlook], near),
    ).toEqual([]);
  });

  test('is not met with a vehicle that another one, leaving later, counts on', () => {
    const giving = { ...pool('VIE', [2, 2, 2, 2], NONE), movable: [2, 1, 1, 1] };
    const short = ['GRZ', 'LNZ'].map((branch) => pool(branch, NONE, [0, 0, 1, 1]));
    const moves = proposeMoves([giving, ...short], (_, to) => (to === 'GRZ' ? 300 : 2_000));
    expect(moves.map(({ toBranchId, leavesOn }) => [toBranchId, leavesOn])).toEqual([['GRZ', 1]]);
  });

  test('is not met with what is booked later, nor with another class', () => {
    const booked = { ...pool('LNZ', [1, 1, 1, 1], NONE), movable: NONE };
    const other = { ...pool('GRZ', [1, 1, 1, 1], NONE), classId: 'IDMR' };
    const outlooks = [pool('VIE', NONE, [0, 1, 1, 1]), booked, other];
    expect(proposeMoves(outlooks, near)).toEqual([]);
  });
});

const DAYS = 5;
const numbers = (max: number) =>
  fc.array(fc.integer({ min: 0, max }), { minLength: DAYS, maxLength: DAYS });
const fleets = fc
  .array(fc.record({ free: numbers(4), movable: numbers(4), waiting: numbers(3) }), {
    minLength: 2,
    maxLength: 5,
  })
  .map((pools) => pools.map((one, n) => ({ ...one, branchId: `B${n}`, classId: 'CDMR' })));
const travel = (from: string, to: string) => 100 + 400 * Math.abs(+from.slice(1) - +to.slice(1));

function balancesAfter(outlooks: readonly PoolOutlook[], moves: readonly RelocationMove[]) {
  return outlooks.map((one) =>
    balanceOf(one).map((balance, day) =>
      moves.reduce((sum, { fromBranchId, toBranchId, count, leavesOn, neededOn }) => {
        if (fromBranchId === one.branchId && day >= leavesOn) return sum - count;
        return toBranchId === one.branchId && day >= neededOn ? sum + count : sum;
      }, balance),
    ),
  );
}

describe('of any fleet', () => {
  test('who gives is never short because of it, and gives no more than may leave', () => {
    fc.assert(
      fc.property(fleets, (outlooks) => {
        const moves = proposeMoves(outlooks, travel);
        const ends = balancesAfter(outlooks, moves);
        for (const [n, one] of outlooks.entries()) {
          const theirs = moves.filter(({ fromBranchId }) => fromBranchId === one.branchId);
          const first = Math.min(DAYS, ...theirs.map(({ leavesOn }) => leavesOn));
          for (const [day, balance] of (ends[n] ?? []).entries()) {
            if (day >= first) expect(balance).toBeGreaterThanOrEqual(0);
          }
          for (const { leavesOn } of theirs) {
            const gone = theirs.filter((move) => move.leavesOn <= leavesOn);
            const total = gone.reduce((sum, { count }) => sum + count, 0);
            expect(total).toBeLessThanOrEqual(one.movable[leavesOn] ?? 0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('each move lowers the total shortage', () => {
    fc.assert(
      fc.property(fleets, (outlooks) => {
        const moves = proposeMoves(outlooks, travel);
        const before = shortageOf(outlooks.map(balanceOf));
        const driven = moves.reduce((sum, { count }) => sum + count, 0);
        expect(shortageOf(balancesAfter(outlooks, moves))).toBeLessThanOrEqual(before - driven);
      }),
      { numRuns: 500 },
    );
  });
});
