// Rules for the deposit that a plan asks for: amounts that are one thing, of classes and coverages it has.
import type { DepositAmount } from '../payments/deposit-terms.ts';
import type { RatePlan } from '../rate-plan.ts';
import { type Check, check, isAmount, isWhole, type Problem, problemsOf } from './check.ts';

/** Five times the total. */
const MAX_SHARE_BP = 50_000;

export function depositProblems({ deposit, classes, coverages }: RatePlan): readonly Problem[] {
  if (deposit === undefined) return [];
  const priced = (classId: string) => classes === undefined || classes.includes(classId);
  const known = (code: string) => coverages?.some((one) => one.code === code) === true;
  return [
    ...problemsOf('deposit', amountRules(deposit)),
    ...(deposit.classes ?? []).flatMap((one, index, all) =>
      problemsOf(`deposit.classes[${index}]`, [
        ...amountRules(one),
        check('classId', priced(one.classId), 'is a class of this plan'),
        check('classId', firstAt(all, 'classId', one.classId) === index, 'is named once'),
      ]),
    ),
    ...(deposit.coverages ?? []).flatMap((one, index, all) =>
      problemsOf(`deposit.coverages[${index}]`, [
        ...amountRules(one),
        check('code', known(one.code), 'is a coverage of this plan'),
        check('code', firstAt(all, 'code', one.code) === index, 'is named once'),
      ]),
    ),
  ];
}

function amountRules({ amountMinor, percentBp }: DepositAmount): readonly Check[] {
  const isOne = (amountMinor === undefined) !== (percentBp === undefined);
  return [
    check('amountMinor', isOne, 'or percentBp is given, and not both'),
    check('amountMinor', isAmount(amountMinor ?? 0), 'is a whole amount'),
    check('percentBp', isWhole(percentBp ?? 0, 0, MAX_SHARE_BP), 'is at most five times the total'),
  ];
}

function firstAt<K extends string>(
  all: readonly Readonly<Record<K, string>>[],
  key: K,
  value: string,
): number {
  return all.findIndex((one) => one[key] === value);
}
