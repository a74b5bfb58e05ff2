// Roles, branches and limits: who may decide what, as decisions.md 40 sets the demo company's table.
import { describe, expect, test } from 'vitest';
import { DEMO_LIMITS, isWithin, LIMIT_KINDS, limitsOf, ROLES } from '../../domain/people.ts';

describe('limits', () => {
  test.each([
    ['counter-agent', { 'discount-bp': 500, refund: 5_000, 'fee-waiver': 2_500, 'write-off': 0 }],
    [
      'senior-agent',
      { 'discount-bp': 1_000, refund: 20_000, 'fee-waiver': 10_000, 'write-off': 0 },
    ],
    ['branch-manager', { 'discount-bp': 2_500, refund: 100_000, 'fee-waiver': 50_000 }],
    ['accountant', { 'discount-bp': 0, refund: 200_000, 'fee-waiver': 0, 'write-off': 10_000 }],
  ] as const)('of a %s are the company table', (role, expected) => {
    expect(limitsOf([role])).toMatchObject(expected);
  });

  test('of several roles are the highest of each kind', () => {
    expect(limitsOf(['branch-manager', 'accountant'])).toEqual({
      'discount-bp': 2_500,
      refund: 200_000,
      'fee-waiver': 50_000,
      'write-off': 10_000,
    });
  });

  test('of nobody, of planners, technicians, auditors and administrators are nothing', () => {
    const none = Object.fromEntries(LIMIT_KINDS.map((kind) => [kind, 0]));
    for (const role of ['fleet-planner', 'technician', 'auditor', 'administrator'] as const) {
      expect(limitsOf([role])).toEqual(none);
    }
    expect(limitsOf([])).toEqual(none);
  });

  test('cover every role, and a finance controller decides any amount', () => {
    expect(Object.keys(DEMO_LIMITS).sort()).toEqual([...ROLES].sort());
    for (const kind of LIMIT_KINDS) {
      expect(limitsOf(['finance-controller'])[kind]).toBe(Number.MAX_SAFE_INTEGER);
    }
  });
});

test('a branch is within all branches, or when it is listed', () => {
  expect(isWithin('all', 'VIE')).toBe(true);
  expect(isWithin(['VIE', 'GRZ'], 'GRZ')).toBe(true);
  expect(isWithin(['VIE'], 'GRZ')).toBe(false);
  expect(isWithin([], 'VIE')).toBe(false);
});
