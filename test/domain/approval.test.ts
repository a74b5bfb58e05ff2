// Four eyes: what a person decides alone, by limit, rental and day; and who may decide for another.
import { describe, expect, test } from 'vitest';
import {
  ALWAYS_FOUR_EYES,
  type Approval,
  type Approver,
  checkDecision,
  checkRequest,
  mayDecideAlone,
} from '../../domain/approval.ts';
import { DEMO_LIMITS, limitsOf, needsSecondFactor, ROLES, type Role } from '../../domain/people.ts';

const NOW = '2026-11-21T12:00:00Z';
const UNUSED = { subject: 0, today: 0 };

const approval: Approval = {
  kind: 'refund',
  amount: 30_000,
  branchId: 'VIE',
  requestedBy: 'staff:asker',
  payee: 'customer:payee',
  expiresAt: '2026-11-21T12:00:01Z',
  status: 'open',
};
const manager: Approver = {
  principal: 'staff:manager',
  branches: ['VIE'],
  limits: DEMO_LIMITS['branch-manager'],
  roles: ['branch-manager'],
};

function refusal(given: Partial<Approval>, by: Partial<Approver> = {}, now = NOW) {
  try {
    checkDecision({ ...approval, ...given }, { ...manager, ...by }, now);
    return undefined;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

describe('alone', () => {
  test.each([
    ['counter-agent', 'discount-bp', 500],
    ['counter-agent', 'refund', 5_000],
    ['counter-agent', 'fee-waiver', 2_500],
    ['senior-agent', 'discount-bp', 1_000],
    ['senior-agent', 'refund', 20_000],
    ['senior-agent', 'fee-waiver', 10_000],
    ['branch-manager', 'discount-bp', 2_500],
    ['branch-manager', 'refund', 100_000],
    ['branch-manager', 'fee-waiver', 50_000],
    ['accountant', 'refund', 200_000],
    ['accountant', 'write-off', 10_000],
    ['technician', 'refund', 0],
    ['administrator', 'write-off', 0],
  ] as const)('%s: %s up to %i (decisions.md 40)', (role, kind, limit) => {
    expect(mayDecideAlone(kind, limit, DEMO_LIMITS[role], UNUSED)).toBe(true);
    expect(mayDecideAlone(kind, limit + 1, DEMO_LIMITS[role], UNUSED)).toBe(false);
  });

  test('what was given on the same rental and on the same day counts', () => {
    const limits = DEMO_LIMITS['counter-agent'];
    expect(mayDecideAlone('refund', 2_000, limits, { subject: 3_000, today: 3_000 })).toBe(true);
    expect(mayDecideAlone('refund', 2_001, limits, { subject: 3_000, today: 0 })).toBe(false);
    expect(mayDecideAlone('refund', 2_001, limits, { subject: 0, today: 3_000 })).toBe(false);
  });

  test('discounts of other rentals do not add up', () => {
    const limits = DEMO_LIMITS['counter-agent'];
    expect(mayDecideAlone('discount-bp', 500, limits, { subject: 0, today: 9_000 })).toBe(true);
    expect(mayDecideAlone('discount-bp', 500, limits, { subject: 1, today: 1 })).toBe(false);
  });

  test('nobody writes off more than 100, not even a controller, nor in parts', () => {
    const any = DEMO_LIMITS['finance-controller'];
    expect(mayDecideAlone('write-off', 10_000, any, UNUSED)).toBe(true);
    expect(mayDecideAlone('write-off', 10_001, any, UNUSED)).toBe(false);
    expect(mayDecideAlone('write-off', 1, any, { subject: 10_000, today: 0 })).toBe(false);
  });

  test('of two roles the higher limit counts', () => {
    expect(limitsOf(['accountant', 'senior-agent'])).toEqual({
      'discount-bp': 1_000,
      refund: 200_000,
      'fee-waiver': 10_000,
      'write-off': 10_000,
    });
    expect(limitsOf([])).toEqual(DEMO_LIMITS.technician);
  });
});

describe('a second person', () => {
  test('decides within their limit, branch and time', () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ amount: 100_000 })).toBeUndefined();
  });

  test.each([
    [{ requestedBy: manager.principal }, {}, 'four-eyes'],
    [{ payee: manager.principal }, {}, 'four-eyes'],
    [{ amount: 100_001 }, {}, 'limit-exceeded'],
    [{}, { limits: DEMO_LIMITS.administrator }, 'limit-exceeded'],
    [{ branchId: 'GRZ' }, {}, 'not-found'],
    [{ branchId: null }, {}, 'not-found'],
    [{ status: 'approved' }, {}, 'invalid-state'],
    [{ status: 'refused' }, {}, 'invalid-state'],
    [{ expiresAt: NOW }, {}, 'approval-expired'],
    [{ branchId: 'GRZ' }, { branches: 'all' }, undefined],
    [{ branchId: null }, { branches: 'all' }, undefined],
  ] as const)('asked for %j, as %j: %s', (given, by, code) => {
    expect(refusal(given, by)).toBe(code);
  });

  test('does not ask for what is paid to themselves', () => {
    const own = { requestedBy: 'staff:a', payee: 'staff:a' };
    expect(() => checkRequest(own)).toThrow(expect.objectContaining({ code: 'four-eyes' }));
    expect(() => checkRequest({ ...own, payee: null })).not.toThrow();
  });

  test('is needed for these whatever the amount, and has no limit there', () => {
    const roles = ['branch-manager', 'finance-controller'] as const;
    for (const kind of ALWAYS_FOUR_EYES) {
      expect(refusal({ kind, amount: 0 }, { roles })).toBeUndefined();
    }
  });

  test.each([
    ['manual-journal', ['accountant', 'finance-controller']],
    ['period-reopen', ['finance-controller']],
    ['bank-detail-change', ['accountant', 'finance-controller']],
    ['erasure', ['branch-manager', 'administrator']],
    ['hold-release', ['branch-manager', 'fleet-planner']],
  ] as const)('decides over %s as one of %j alone', (kind, deciders) => {
    const may = (role: Role) => refusal({ kind, amount: 0 }, { roles: [role] }) === undefined;
    expect(ROLES.filter(may).toSorted()).toEqual([...deciders].toSorted());
  });
});

test('the second factor is asked of who decides over money or people', () => {
  expect(needsSecondFactor(['counter-agent', 'senior-agent', 'technician'])).toBe(false);
  expect(needsSecondFactor(['counter-agent', 'administrator'])).toBe(true);
  expect(needsSecondFactor(['counter-agent'], ['counter-agent'])).toBe(true);
});
