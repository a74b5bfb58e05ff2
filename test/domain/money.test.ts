// Money is exact: rounding, shares and decimals hold for every amount, not for examples only.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addMinor,
  allocate,
  assertMinor,
  currencyDecimals,
  formatMinor,
  multiplyRatio,
  roundHalfAwayFromZero,
} from '../../domain/money.ts';

const amount = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 });
const weights = fc
  .array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 20 })
  .filter((all) => all.some((weight) => weight > 0));
const RUNS = { numRuns: 2_000 };

describe('an amount', () => {
  test.each([0.1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('is never %s', (broken) => {
    expect(() => assertMinor(broken)).toThrow(RangeError);
    expect(() => addMinor(1, broken)).toThrow(RangeError);
  });

  test('is never negative zero', () => {
    expect(Object.is(assertMinor(-0), 0)).toBe(true);
    expect(Object.is(roundHalfAwayFromZero(-1, 3), 0)).toBe(true);
    expect(allocate(-1, [1, 1]).map((part) => Object.is(part, -0))).toEqual([false, false]);
  });

  test('never grows beyond what is held exactly', () => {
    expect(() => addMinor(Number.MAX_SAFE_INTEGER, 1)).toThrow(RangeError);
    expect(addMinor(Number.MAX_SAFE_INTEGER, 1, -1)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('rounding', () => {
  test.each([
    [5, 10, 1],
    [-5, 10, -1],
    [4, 10, 0],
    [15, 10, 2],
    [25, 10, 3],
    [-25, 10, -3],
    [25, -10, -3],
    [7, 7, 1],
  ])('of %d/%d is %d: halves go away from zero', (above, below, rounded) => {
    expect(roundHalfAwayFromZero(above, below)).toBe(rounded);
  });

  test('11.11 % of 50.00 is 5.56, where floating point says 5.55', () => {
    expect(multiplyRatio(5_000, 1_111, 10_000)).toBe(556);
  });

  test('is within half a unit and symmetric', () => {
    const below = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(amount, below, (above, by) => {
        const rounded = roundHalfAwayFromZero(above, by);
        const off = 2n * (BigInt(rounded) * BigInt(by) - BigInt(above));
        expect(off <= BigInt(by) && off >= -BigInt(by)).toBe(true);
        expect(roundHalfAwayFromZero(-above, by)).toBe(rounded === 0 ? 0 : -rounded);
      }),
      RUNS,
    );
  });

  test('stays exact where the product is beyond a safe integer', () => {
    expect(multiplyRatio(9_007_199_254_740_991, 9_999, 10_000)).toBe(9_006_298_534_815_517);
  });

  test('by zero is refused', () => {
    expect(() => roundHalfAwayFromZero(1, 0)).toThrow(RangeError);
  });
});

describe('shares', () => {
  test('100.00 in three is 33.34 + 33.33 + 33.33', () => {
    expect(allocate(10_000, [1, 1, 1])).toEqual([3_334, 3_333, 3_333]);
    expect(allocate(-10_000, [1, 1, 1])).toEqual([-3_334, -3_333, -3_333]);
  });

  test('sum to the whole, each within a unit of its exact share, none of the other sign', () => {
    fc.assert(
      fc.property(amount, weights, (total, all) => {
        const parts = allocate(total, all);
        const sum = all.reduce((a, b) => a + BigInt(b), 0n);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const off = BigInt(part) * sum - BigInt(total) * BigInt(all[index] ?? 0);
          expect(off < sum && off > -sum).toBe(true);
          expect(part === 0 || part < 0 === total < 0).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('give nothing to a weight of zero', () => {
    fc.assert(
      fc.property(amount, weights, (total, all) => {
        const parts = allocate(total, all);
        for (const [index, weight] of all.entries()) if (weight === 0) expect(parts[index]).toBe(0);
      }),
      RUNS,
    );
  });

  test.each([[[]], [[0, 0]], [[-1, 2]], [[0.5, 0.5]]])('by %j are refused', (broken) => {
    expect(() => allocate(100, broken)).toThrow(RangeError);
  });
});

describe('currencies', () => {
  test('have two, no or three decimals', () => {
    expect(['EUR', 'JPY', 'KWD'].map(currencyDecimals)).toEqual([2, 0, 3]);
    expect(() => currencyDecimals('XXX')).toThrow(RangeError);
    expect(() => currencyDecimals('constructor')).toThrow(RangeError);
  });

  test.each([
    [123_456, 'EUR', '1234.56'],
    [-5, 'EUR', '-0.05'],
    [0, 'EUR', '0.00'],
    [1_234, 'JPY', '1234'],
    [1, 'KWD', '0.001'],
  ])('%d %s is written %s', (minor, currency, text) => {
    expect(formatMinor(minor, currency)).toBe(text);
  });
});
