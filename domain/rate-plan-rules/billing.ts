// Rules for how a plan bills long rentals while they are open.
import type { RatePlan } from '../rate-plan.ts';
import { BILLING_CYCLES } from '../rate-plan-terms.ts';
import { check, isWhole, type Problem, problemsOf } from './check.ts';

export function billingProblems({ billing }: Pick<RatePlan, 'billing'>): readonly Problem[] {
  if (billing === undefined) return [];
  const { cycle, paymentDays = 0 } = billing;
  return problemsOf('billing', [
    check('cycle', BILLING_CYCLES.includes(cycle), 'is 28 or 30 days, or a month'),
    check('paymentDays', isWhole(paymentDays, 0, 180), 'is 0 to 180 days'),
  ]);
}
