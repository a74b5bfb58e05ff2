// What makes a rate plan valid: each problem by the path of its field.
import { DomainError } from './errors.ts';
import { isCurrency } from './money.ts';
import type { RatePlan } from './rate-plan.ts';
import { billingProblems } from './rate-plan-rules/billing.ts';
import {
  check,
  DAY_MINUTES,
  isAmount,
  isShare,
  isWhole,
  type Problem,
  problemsOf,
} from './rate-plan-rules/check.ts';
import { depositProblems } from './rate-plan-rules/deposit.ts';
import { itemProblems } from './rate-plan-rules/items.ts';
import { lineProblems, timeProblems } from './rate-plan-rules/time.ts';

/**
 * Answers the plan when prices by it are defined for every duration and never fall when a rental
 * gets longer. Throws `rate-plan-invalid`; its detail `field` names the first field that is wrong,
 * `problems` all of them.
 */
export function validateRatePlan(plan: RatePlan): RatePlan {
  const problems = ratePlanProblems(plan);
  const [first] = problems;
  if (first === undefined) return plan;
  throw new DomainError(
    'rate-plan-invalid',
    `${first.path} ${first.rule}: this plan does not hold that.`,
    { field: first.path, problems },
  );
}

/** Every rule that the plan breaks, in the order of its fields. */
export function ratePlanProblems(plan: RatePlan): readonly Problem[] {
  return [
    ...problemsOf('', termRules(plan)),
    ...lineProblems('lines', plan.lines),
    ...timeProblems(plan),
    ...itemProblems(plan),
    ...billingProblems(plan),
    ...depositProblems(plan),
  ];
}

function termRules(plan: RatePlan) {
  const { id, version, currency, hourMinor, graceMinutes, vatRateBp } = plan;
  const { returnChange, lateReturn, cancellation } = plan;
  return [
    check('id', /^[A-Z0-9][A-Z0-9-]{0,39}$/.test(id), 'is a code of capitals and digits'),
    check('version', isWhole(version, 1, 1_000_000), 'counts from 1'),
    check('currency', isCurrency(currency), 'is an ISO 4217 code that is known here'),
    check('branches', plan.branches?.length !== 0, 'name one at least, or are left out'),
    check('classes', plan.classes?.length !== 0, 'name one at least, or are left out'),
    check('hourMinor', isAmount(hourMinor), 'is a whole amount'),
    check('graceMinutes', isWhole(graceMinutes, 0, DAY_MINUTES - 1), 'is less than a day'),
    // Were it within the grace, the same minute would be free and the start of another day.
    check(
      'extraDayThresholdMinutes',
      isWhole(plan.extraDayThresholdMinutes, graceMinutes + 1, DAY_MINUTES),
      'lies after the grace and within a day',
    ),
    check('minimum', ['day', 'hours'].includes(plan.minimum), 'is a day or its hours'),
    check('dayBasis', ['elapsed', 'wallClock'].includes(plan.dayBasis), 'is elapsed or wallClock'),
    check('vatRateBp', isShare(vatRateBp), 'is between 0 and 100 %'),
    check('longTermVatRateBp', isShare(plan.longTermVatRateBp ?? 0), 'is between 0 and 100 %'),
    check('returnChange.feeMinor', isAmount(returnChange?.feeMinor ?? 0), 'is a whole amount'),
    check('lateReturn.dailyMinor', isAmount(lateReturn?.dailyMinor ?? 0), 'is a whole amount'),
    check('lateReturn.maxDays', isWhole(lateReturn?.maxDays ?? 1, 1, 366), 'is 1 to 366 days'),
    check('cancellation.earlyMinor', isAmount(cancellation?.earlyMinor ?? 0), 'is a whole amount'),
    // Otherwise whoever cancels late would be better off.
    check(
      'cancellation.lateMinor',
      isAmount(cancellation?.lateMinor ?? 0) &&
        (cancellation?.lateMinor ?? 0) >= (cancellation?.earlyMinor ?? 0),
      'is a whole amount, not below the early one',
    ),
    check(
      'pricesInclude',
      ['none', 'vat'].includes(plan.pricesInclude ?? 'none'),
      'is none or vat',
    ),
    check(
      'earlyReturn',
      ['rerate', 'keep'].includes(plan.earlyReturn ?? 'keep'),
      'is rerate or keep',
    ),
    check('extension', isMode(plan.extension), 'is new-total, old-total or extra-days'),
  ];
}

function isMode(mode: string | undefined): boolean {
  return mode === undefined || ['new-total', 'old-total', 'extra-days'].includes(mode);
}
