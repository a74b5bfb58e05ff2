// Rules for what a plan charges beside time: coverages, extras, drivers, places, distance, fuel.
import type { RatePlan } from '../rate-plan.ts';
import { type Basis, PARTS, type Taxed } from '../rate-plan-terms.ts';
import {
  type Check,
  check,
  eachOf,
  isAmount,
  isCode,
  isFirst,
  isShare,
  isWhole,
  type Problem,
  problemsOf,
} from './check.ts';

type Coded = Taxed & { readonly code: string };

export function itemProblems(plan: RatePlan): readonly Problem[] {
  const { coverages, extras, ageBands, surcharges, percentageFees } = plan;
  const coverageCodes = (coverages ?? []).map(({ code }) => code);
  const known = (codes: readonly string[] = []) => codes.every((c) => coverageCodes.includes(c));
  return [
    ...eachOf('coverages', coverages, (one, index) => [
      ...named(coverages, one, index),
      amount('dailyMinor', one.dailyMinor),
      amount('maxMinor', one.maxMinor),
      amount('excessMinor', one.excessMinor),
      check('needs', one.needs?.length !== 0 && known(one.needs), 'are coverages of this plan'),
      check('excludes', known(one.excludes), 'are coverages of this plan'),
    ]),
    ...eachOf('extras', extras, (one, index) => [
      ...named(extras, one, index),
      ...(one.kind === 'daily'
        ? [amount('dailyMinor', one.dailyMinor), amount('maxMinor', one.maxMinor)]
        : one.kind === 'fixed'
          ? [amount('priceMinor', one.priceMinor)]
          : percentage(one.percentBp, one.basis)),
    ]),
    ...eachOf('ageBands', ageBands, (one, index) => [
      ...named(ageBands, one, index),
      check('code', one.code !== 'additional', 'is not the one of additional drivers'),
      check('fromAge', isWhole(one.fromAge, 16, 120), 'is 16 to 120 years'),
      check('toAge', isWhole(one.toAge, one.fromAge, 120), 'is not below fromAge'),
      check(
        'fromAge',
        !ageBands?.slice(0, index).some((o) => one.fromAge <= o.toAge && o.fromAge <= one.toAge),
        'overlaps no other band',
      ),
      amount('dailyMinor', one.dailyMinor),
      days('maxDays', one.maxDays),
    ]),
    ...additionalDriverProblems(plan),
    ...eachOf('surcharges', surcharges, (one, index) => [
      ...named(surcharges, one, index),
      amount('dailyMinor', one.dailyMinor),
      amount('maxMinor', one.maxMinor),
      days('maxDays', one.maxDays),
    ]),
    ...eachOf('percentageFees', percentageFees, (one, index) => [
      ...named(percentageFees, one, index),
      check('code', !surcharges?.some(({ code }) => code === one.code), 'is not a surcharge too'),
      ...percentage(one.percentBp, one.basis),
    ]),
    ...oneWayProblems(plan),
    ...mileageProblems(plan),
    ...fuelProblems(plan),
  ];
}

function additionalDriverProblems({ additionalDriver: one }: RatePlan): readonly Problem[] {
  if (one === undefined) return [];
  return problemsOf('additionalDriver', [
    amount('dailyMinor', one.dailyMinor),
    days('maxDays', one.maxDays),
    check('free', isWhole(one.free, 0, 20), 'is 0 to 20'),
    taxed(one),
  ]);
}

function oneWayProblems({ oneWay }: RatePlan): readonly Problem[] {
  if (oneWay === undefined) return [];
  return [
    ...problemsOf('oneWay', [amount('defaultMinor', oneWay.defaultMinor ?? 0), taxed(oneWay)]),
    ...eachOf('oneWay.pairs', oneWay.pairs, ({ from, to, feeMinor }, index) => [
      amount('feeMinor', feeMinor),
      check('to', from !== to, 'is another branch'),
      check(
        'from',
        oneWay.pairs.findIndex((pair) => pair.from === from && pair.to === to) === index,
        'and to come once',
      ),
    ]),
  ];
}

function mileageProblems({ mileage }: RatePlan): readonly Problem[] {
  if (mileage === undefined || mileage.kind === 'unlimited') return [];
  const { included, overMinor } = mileage;
  return problemsOf('mileage', [
    check('included', isWhole(included, 0, 1_000_000), 'is a whole distance'),
    amount('overMinor', overMinor),
    days('days', mileage.kind === 'period' ? mileage.days : 1),
    taxed(mileage),
  ]);
}

function fuelProblems({ fuel }: RatePlan): readonly Problem[] {
  if (fuel === undefined) return [];
  return problemsOf('fuel', [
    check('policy', ['fullToFull', 'same', 'prepaid'].includes(fuel.policy), 'is known'),
    amount('unitMinor', fuel.unitMinor),
    amount('kWhMinor', fuel.kWhMinor),
    amount('serviceMinor', fuel.serviceMinor),
    check('tank', isWhole(fuel.tank, 1, 2_000), 'is 1 to 2,000 units'),
    taxed(fuel),
  ]);
}

function named(items: readonly Coded[] | undefined, item: Coded, index: number): readonly Check[] {
  return [
    check('code', isCode(item.code), 'is a code of small letters and digits'),
    check('code', isFirst(items, item.code, index), 'comes once'),
    taxed(item),
  ];
}

function taxed({ vatRateBp = 0 }: Taxed): Check {
  return check('vatRateBp', isShare(vatRateBp), 'is between 0 and 100 %');
}

function amount(path: string, value: number | undefined): Check {
  return check(path, isAmount(value ?? 0), 'is a whole amount');
}

function days(path: string, value: number | undefined): Check {
  return check(path, isWhole(value ?? 1, 1, 1_096), 'is 1 to 1,096 days');
}

function percentage(percentBp: number, basis: Basis): readonly Check[] {
  return [
    check('percentBp', isShare(percentBp), 'is between 0 and 100 %'),
    check(
      'basis',
      basis === 'total' || (basis.length > 0 && basis.every((part) => PARTS.includes(part))),
      'is total or names parts of the rental',
    ),
  ];
}
