// What a company charges: the terms of a rate plan's version, which never change once in force.
import { DomainError } from './errors.ts';
import { isCurrency, type Minor } from './money.ts';

export type CoverCode = 'day' | 'week' | 'month';

/** Time bought at once: one price for up to `coversDays` days, whether used up or not. */
export type CoverLine = {
  readonly code: CoverCode;
  readonly priceMinor: Minor;
  readonly coversDays: number;
};

/** JSON as stored. Amounts are minor units of `currency`, net of VAT. */
export type RatePlan = {
  readonly id: string;
  readonly version: number;
  readonly currency: string;
  /** Exactly one of them is the day line, which covers one day. */
  readonly lines: readonly CoverLine[];
  /** A started hour after the last whole day. */
  readonly hourMinor: Minor;
  /** Minutes after a whole day that cost nothing. */
  readonly graceMinutes: number;
  /** Minutes after a whole day from which no hours are offered: another day begins. */
  readonly extraDayThresholdMinutes: number;
  /** What a rental under a day costs: one day (decisions.md 7). */
  readonly minimum: 'day';
  /** A day is 1,440 elapsed minutes, also over a clock change (decisions.md 6). */
  readonly dayBasis: 'elapsed';
  /** Hundredths of a per cent: 2,000 is 20 %. */
  readonly vatRateBp: number;
};

/** The demo company's plan. */
export const GOLD_1: RatePlan = {
  id: 'GOLD-1',
  version: 1,
  currency: 'EUR',
  lines: [
    { code: 'day', priceMinor: 5_000, coversDays: 1 },
    { code: 'week', priceMinor: 21_000, coversDays: 7 },
    { code: 'month', priceMinor: 70_000, coversDays: 28 },
  ],
  hourMinor: 1_000,
  graceMinutes: 29,
  extraDayThresholdMinutes: 90,
  minimum: 'day',
  dayBasis: 'elapsed',
  vatRateBp: 2_000,
};

const DAY_MINUTES = 1_440;
/** Three years of it stay far inside what a number holds exactly. */
const MAX_PRICE_MINOR = 1_000_000_000;
const CODES: readonly string[] = ['day', 'week', 'month'] satisfies readonly CoverCode[];

/**
 * Answers the plan when prices by it are defined for every duration and never fall when a rental
 * gets longer. Throws `rate-plan-invalid`; its detail `field` names the first field that is wrong.
 */
export function validateRatePlan(plan: RatePlan): RatePlan {
  check(/^[A-Z0-9][A-Z0-9-]{0,39}$/.test(plan.id), 'id', 'is a code of capitals and digits');
  check(isWhole(plan.version, 1, 1_000_000), 'version', 'counts from 1');
  check(isCurrency(plan.currency), 'currency', 'is an ISO 4217 code that is known here');
  checkLines(plan.lines);
  check(isWhole(plan.hourMinor, 0, MAX_PRICE_MINOR), 'hourMinor', 'is a whole amount');
  check(isWhole(plan.graceMinutes, 0, DAY_MINUTES - 1), 'graceMinutes', 'is less than a day');
  // Were it within the grace, the same minute would be free and the start of another day.
  check(
    isWhole(plan.extraDayThresholdMinutes, plan.graceMinutes + 1, DAY_MINUTES),
    'extraDayThresholdMinutes',
    'lies after the grace and within a day',
  );
  check(plan.minimum === 'day', 'minimum', 'is a day');
  check(plan.dayBasis === 'elapsed', 'dayBasis', 'is elapsed time');
  check(isWhole(plan.vatRateBp, 0, 10_000), 'vatRateBp', 'is between 0 and 100 %');
  return plan;
}

function checkLines(lines: readonly CoverLine[]): void {
  for (const { code, priceMinor, coversDays } of lines) {
    check(CODES.includes(code), 'lines', 'are day, week or month');
    check(isWhole(priceMinor, 1, MAX_PRICE_MINOR), 'lines', 'have a whole price above zero');
    check(isWhole(coversDays, 1, 366), 'lines', 'cover whole days, at most a year');
  }
  const codes = lines.map((line) => line.code);
  check(new Set(codes).size === codes.length, 'lines', 'come once each');
  check(
    lines.some((line) => line.code === 'day' && line.coversDays === 1),
    'lines',
    'include the day, which covers one day',
  );
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function check(holds: boolean, field: string, rule: string): void {
  if (!holds)
    throw new DomainError('rate-plan-invalid', `${field} ${rule}: this plan does not hold that.`, {
      field,
    });
}
