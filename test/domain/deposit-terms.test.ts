// How much a rental's deposit is: by class, by total, less with a coverage, none on account.
import { expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { type DepositTerms, depositNeed } from '../../domain/payments/deposit-terms.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';

const RENTAL = { classId: 'CDMR', totalMinor: 36_000, coverages: [], isOnAccount: false };
const TERMS: DepositTerms = {
  amountMinor: 50_000,
  classes: [
    { classId: 'LCAR', percentBp: 15_000 },
    { classId: 'EDMR', amountMinor: 0 },
  ],
  coverages: [{ code: 'cdw', amountMinor: 20_000 }],
};

test.each([
  ['nothing without terms', undefined, RENTAL, 0],
  ['an amount', TERMS, RENTAL, 50_000],
  ['a share of the total of a class', TERMS, { ...RENTAL, classId: 'LCAR' }, 54_000],
  ['nothing of another class', TERMS, { ...RENTAL, classId: 'EDMR' }, 0],
  ['less with a coverage', TERMS, { ...RENTAL, coverages: ['cdw'] }, 20_000],
  ['never more with one', TERMS, { ...RENTAL, classId: 'EDMR', coverages: ['cdw'] }, 0],
  ['nothing on account', TERMS, { ...RENTAL, isOnAccount: true }, 0],
  ['halves away from zero', { percentBp: 5_000 }, { ...RENTAL, totalMinor: 101 }, 51],
] as const)('%s', (_name, terms, rental, needed) => {
  expect(depositNeed(terms, rental)).toBe(needed);
});

test.each([
  ['deposit.amountMinor', { amountMinor: 1, percentBp: 1 }],
  ['deposit.amountMinor', {}],
  ['deposit.amountMinor', { amountMinor: -1 }],
  ['deposit.percentBp', { percentBp: 50_001 }],
  ['deposit.coverages[0].code', { amountMinor: 1, coverages: [{ code: 'ldw', amountMinor: 1 }] }],
  ['deposit.classes[0].classId', { amountMinor: 1, classes: [{ classId: 'X', amountMinor: 1 }] }],
] as const)('a plan with a wrong %s is refused', (field, deposit) => {
  const plan: RatePlan = { ...GOLD_1, classes: ['CDMR'], deposit };
  expect(() => validateRatePlan(plan)).toThrow(DomainError);
  expect(() => validateRatePlan(plan)).toThrow(field);
  expect(validateRatePlan({ ...plan, deposit: { percentBp: 10_000 } }).deposit).toBeDefined();
});
