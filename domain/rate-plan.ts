// What a company charges: the terms of a rate plan's version, which never change once in force.
import type { Minor } from './money.ts';
import type { DepositTerms } from './payments/deposit-terms.ts';
import type {
  AdditionalDriver,
  AgeBand,
  Band,
  Billing,
  Cancellation,
  Coverage,
  DaySurcharge,
  ExtensionMode,
  Extra,
  Fuel,
  LateReturn,
  Mileage,
  NegotiatedRate,
  OneWay,
  PartDay,
  PercentageFee,
  PlainLine,
  Promotion,
  ReturnChange,
  Season,
  UtilisationStep,
  WeekendLine,
} from './rate-plan-terms.ts';

export { validateRatePlan } from './rate-plan-rules.ts';

export type CoverCode = PlainLine['code'] | 'band';

/** Time bought at once: one price for up to `coversDays` days, whether used up or not. */
export type CoverLine = {
  readonly code: CoverCode;
  readonly priceMinor: Minor;
  readonly coversDays: number;
};

/**
 * JSON as stored. Amounts are minor units of `currency`, net of VAT unless `pricesInclude` says
 * otherwise. A term that is left out does not exist: plans of before it was known stay valid.
 */
export type RatePlan = {
  readonly id: string;
  readonly version: number;
  readonly currency: string;
  /** Pick-ups and classes that it prices; left out, all that no plan names. */
  readonly branches?: readonly string[] | undefined;
  readonly classes?: readonly string[] | undefined;
  /** Exactly one of them is the day line, which covers one day. */
  readonly lines: readonly PlainLine[];
  /** A started hour after the last whole day. */
  readonly hourMinor: Minor;
  /** Minutes after a whole day that cost nothing. */
  readonly graceMinutes: number;
  /** Minutes after a whole day from which no hours are offered: another day begins. */
  readonly extraDayThresholdMinutes: number;
  /** What a rental under a day costs: one day, or its hours up to that (decisions.md 7). */
  readonly minimum: 'day' | 'hours';
  /** A day is 1,440 elapsed minutes, or as long as local clocks say (decisions.md 6). */
  readonly dayBasis: 'elapsed' | 'wallClock';
  /** Hundredths of a per cent: 2,000 is 20 %. */
  readonly vatRateBp: number;
  /**
   * Of a plan sold to customers of one other place: the rate there, for hire of more than 30 days
   * (decisions.md 19). Left out, nothing changes then.
   */
  readonly longTermVatRateBp?: number | undefined;
  /** `none` when left out. */
  readonly pricesInclude?: 'none' | 'vat' | undefined;
  readonly bands?: readonly Band[] | undefined;
  readonly weekend?: WeekendLine | undefined;
  /** Instead of hours; `hourMinor` then prices nothing but the minimum of hours. */
  readonly partDays?: readonly PartDay[] | undefined;
  readonly seasons?: readonly Season[] | undefined;
  readonly utilisation?: readonly UtilisationStep[] | undefined;
  readonly rates?: readonly NegotiatedRate[] | undefined;
  readonly promotions?: readonly Promotion[] | undefined;
  readonly coverages?: readonly Coverage[] | undefined;
  readonly extras?: readonly Extra[] | undefined;
  readonly ageBands?: readonly AgeBand[] | undefined;
  readonly additionalDriver?: AdditionalDriver | undefined;
  readonly oneWay?: OneWay | undefined;
  readonly surcharges?: readonly DaySurcharge[] | undefined;
  readonly mileage?: Mileage | undefined;
  readonly fuel?: Fuel | undefined;
  readonly percentageFees?: readonly PercentageFee[] | undefined;
  /** `new-total` when left out. */
  readonly extension?: ExtensionMode | undefined;
  /** `rerate` when left out; `keep` is for what was paid before. */
  readonly earlyReturn?: 'rerate' | 'keep' | undefined;
  readonly returnChange?: ReturnChange | undefined;
  readonly lateReturn?: LateReturn | undefined;
  readonly cancellation?: Cancellation | undefined;
  /** Left out, the keys go out without one. */
  readonly deposit?: DepositTerms | undefined;
  /** Left out, a rental is invoiced when it comes back, unless its booking chose a cycle. */
  readonly billing?: Billing | undefined;
};

/** Friday noon to Monday noon. */
const WEEKEND = { from: 4 * 1_440 + 720, until: 720 } as const;

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
  weekend: { priceMinor: 12_000, ...WEEKEND },
  coverages: [{ code: 'cdw', dailyMinor: 1_200, excessMinor: 50_000 }],
  extras: [{ code: 'item', kind: 'daily', dailyMinor: 800 }],
  ageBands: [{ code: 'young', fromAge: 18, toAge: 24, dailyMinor: 2_500, maxDays: 10 }],
  oneWay: { defaultMinor: 7_500, pairs: [] },
  surcharges: [
    { code: 'airport', dailyMinor: 250, maxDays: 30 },
    { code: 'vl', dailyMinor: 117 },
  ],
  mileage: { kind: 'daily', unit: 'km', included: 200, overMinor: 25, pooled: true },
  fuel: { policy: 'same', unit: 'l', unitMinor: 210, tank: 48 },
  percentageFees: [{ code: 'lf', percentBp: 1_111, basis: ['time', 'mileage'] }],
  cancellation: { earlyMinor: 5_000, lateMinor: 10_000, lateMinutes: 1_440 },
};
