// Rules for what time costs: lines, bands, weekend, part days, seasons, utilisation, rates.
import type { RatePlan } from '../rate-plan.ts';
import type { PlainLine, Season } from '../rate-plan-terms.ts';
import {
  check,
  DAY_MINUTES,
  eachOf,
  isAmount,
  isCode,
  isDate,
  isFirst,
  isShare,
  isWhole,
  MAX_PRICE_MINOR,
  type Problem,
  problemsOf,
} from './check.ts';

const CODES: readonly string[] = ['day', 'week', 'month'] satisfies readonly PlainLine['code'][];
const MAX_SCALE_BP = 100_000;
const CODE_RULE = 'is a code of small letters and digits, once';

/** Of a plan, a season or a negotiated rate: each has to price every number of days. */
export function lineProblems(field: string, lines: readonly PlainLine[]): readonly Problem[] {
  const codes = lines.map((line) => line.code);
  return problemsOf(
    '',
    [
      lines.every(({ code }) => CODES.includes(code)) || 'are day, week or month',
      lines.every(({ priceMinor }) => isWhole(priceMinor, 1, MAX_PRICE_MINOR)) ||
        'have a whole price above zero',
      lines.every(({ coversDays }) => isWhole(coversDays, 1, 366)) ||
        'cover whole days, at most a year',
      new Set(codes).size === codes.length || 'come once each',
      lines.some((line) => line.code === 'day' && line.coversDays === 1) ||
        'include the day, which covers one day',
    ].map((rule) => check(field, rule === true, String(rule))),
  );
}

export function timeProblems(plan: RatePlan): readonly Problem[] {
  const { seasons, rates, promotions } = plan;
  return [
    ...bandProblems(plan),
    ...weekendProblems(plan),
    ...partDayProblems(plan),
    ...eachOf('seasons', seasons, (season, index) => [
      check('code', isCode(season.code) && isFirst(seasons, season.code, index), CODE_RULE),
      check('from', isDate(season.from), 'is a date'),
      check('to', isDate(season.to) && season.to >= season.from, 'is a date, not before from'),
      check('from', !overlapsEarlier(season, seasons, index), 'overlaps no other season'),
      check('hourMinor', isAmount(season.hourMinor ?? 0), 'is a whole amount'),
      check('percentBp', isWhole(season.percentBp ?? 1, 1, MAX_SCALE_BP), 'is above 0 to 1,000 %'),
    ]),
    ...(seasons ?? []).flatMap(({ lines }, index) =>
      lines === undefined ? [] : lineProblems(`seasons[${index}].lines`, lines),
    ),
    ...eachOf('utilisation', plan.utilisation, ({ fromBp, percentBp }) => [
      check('fromBp', isWhole(fromBp, 1, 10_000), 'is above 0 to 100 %'),
      check('percentBp', isWhole(percentBp, 1, MAX_SCALE_BP), 'is above 0 to 1,000 %'),
    ]),
    ...eachOf('rates', rates, ({ code, lines, discountBp, hourMinor }, index) => [
      check('code', isCode(code) && isFirst(rates, code, index), CODE_RULE),
      check(
        'lines',
        (lines === undefined) !== (discountBp === undefined),
        'or a discount are given',
      ),
      check('discountBp', isShare(discountBp ?? 0), 'is between 0 and 100 %'),
      check('hourMinor', isAmount(hourMinor ?? 0), 'is a whole amount'),
    ]),
    ...(rates ?? []).flatMap(({ lines }, index) =>
      lines === undefined ? [] : lineProblems(`rates[${index}].lines`, lines),
    ),
    ...eachOf('promotions', promotions, (promotion, index) => [
      check(
        'code',
        isCode(promotion.code) && isFirst(promotions, promotion.code, index),
        CODE_RULE,
      ),
      check(
        'discountBp',
        (promotion.discountBp === undefined) !== (promotion.amountMinor === undefined),
        'or an amount is given',
      ),
      check('discountBp', isShare(promotion.discountBp ?? 0), 'is between 0 and 100 %'),
      check('amountMinor', isAmount(promotion.amountMinor ?? 0), 'is a whole amount'),
      check('pickUpFrom', isDate(promotion.pickUpFrom), 'is a date'),
      check(
        'pickUpTo',
        isDate(promotion.pickUpTo) && promotion.pickUpTo >= promotion.pickUpFrom,
        'is a date, not before pickUpFrom',
      ),
      check('bookUntil', isDate(promotion.bookUntil ?? promotion.pickUpTo), 'is a date'),
    ]),
  ];
}

/** A longer band is not dearer a day: otherwise two shorter ones would be the cheaper cover. */
function bandProblems({ bands = [] }: RatePlan): readonly Problem[] {
  return eachOf('bands', bands, ({ fromDays, dayMinor }, index) => {
    const before = bands[index - 1];
    return [
      check('fromDays', isWhole(fromDays, 2, 366), 'is 2 to 366 days'),
      check('fromDays', fromDays > (before?.fromDays ?? 1), 'comes after the band before'),
      check('dayMinor', isWhole(dayMinor, 1, MAX_PRICE_MINOR), 'is a whole price above zero'),
      check('dayMinor', dayMinor <= (before?.dayMinor ?? dayMinor), 'is not above the band before'),
    ];
  });
}

function weekendProblems({ weekend }: RatePlan): readonly Problem[] {
  if (weekend === undefined) return [];
  const { priceMinor, from, until } = weekend;
  const week = 7 * DAY_MINUTES;
  return problemsOf('weekend', [
    check('priceMinor', isWhole(priceMinor, 1, MAX_PRICE_MINOR), 'is a whole price above zero'),
    check('from', isWhole(from, 0, week - 1), 'is a minute of the week'),
    check('until', isWhole(until, 0, week - 1) && until !== from, 'is another minute of the week'),
  ]);
}

function partDayProblems({ partDays, graceMinutes }: RatePlan): readonly Problem[] {
  return eachOf('partDays', partDays, ({ fromMinutes, percentBp }, index) => {
    const before = partDays?.[index - 1];
    return [
      // A gap after the grace would be free time that the plan does not speak of.
      check(
        'fromMinutes',
        isWhole(fromMinutes, 0, DAY_MINUTES - 1) &&
          (before === undefined
            ? fromMinutes <= graceMinutes + 1
            : fromMinutes > before.fromMinutes),
        'begins with the grace at the latest and rises',
      ),
      check(
        'percentBp',
        isShare(percentBp) && percentBp >= (before?.percentBp ?? 0),
        'is between 0 and 100 % and never falls',
      ),
    ];
  });
}

function overlapsEarlier(
  { from, to }: Season,
  seasons: readonly Season[] | undefined,
  index: number,
): boolean {
  return (seasons ?? []).slice(0, index).some((other) => from <= other.to && other.from <= to);
}
