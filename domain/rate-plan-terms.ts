// The terms of a rate plan beside its day, week and month lines: what each may charge, and when.
import type { Minor } from './money.ts';

/** Another rate than the plan's, in hundredths of a per cent; left out, the plan's. */
export type Taxed = { readonly vatRateBp?: number | undefined };

/** `dayMinor` a day for rentals of at least `fromDays` days: 45 a day from 7 days on. */
export type Band = { readonly fromDays: number; readonly dayMinor: Minor };

/** Minutes of a local week, Monday 00:00 being 0. */
export type WeekMinute = number;

/** Taken alone or not at all, for a rental that lies inside its local window (decisions.md 10). */
export type WeekendLine = {
  readonly priceMinor: Minor;
  readonly from: WeekMinute;
  readonly until: WeekMinute;
};

/** Of the day's price, for excess minutes from `fromMinutes` to before the next one's. */
export type PartDay = { readonly fromMinutes: number; readonly percentBp: number };

export type PlainLine = {
  readonly code: 'day' | 'week' | 'month';
  readonly priceMinor: Minor;
  readonly coversDays: number;
};

/** Local dates, both included: own lines, or the plan's at a per cent of their price. */
export type Season = {
  readonly code: string;
  readonly from: string;
  readonly to: string;
  readonly lines?: readonly PlainLine[] | undefined;
  readonly hourMinor?: Minor | undefined;
  /** Of the price: 12,500 is a quarter more. */
  readonly percentBp?: number | undefined;
};

/** From this share of the class being out, prices are `percentBp` of the plan's. */
export type UtilisationStep = { readonly fromBp: number; readonly percentBp: number };

/** A corporate's or agent's: lines of its own, which no season moves, or a discount on time. */
export type NegotiatedRate = {
  readonly code: string;
  readonly kind: 'corporate' | 'agent';
  readonly lines?: readonly PlainLine[] | undefined;
  readonly hourMinor?: Minor | undefined;
  readonly discountBp?: number | undefined;
};

/**
 * Off the time price, as a share or an amount. It asks for no minimum stay: a longer rental would
 * be the cheaper one (decisions.md 8). Dates are local and included.
 */
export type Promotion = {
  readonly code: string;
  readonly discountBp?: number | undefined;
  readonly amountMinor?: Minor | undefined;
  readonly pickUpFrom: string;
  readonly pickUpTo: string;
  readonly bookUntil?: string | undefined;
  /** Whether it comes on top of a negotiated rate. */
  readonly withRate: boolean;
};

/** What a rental is made of, as the base of a per cent. A percentage is in no base. */
export const PARTS = [
  'time',
  'coverage',
  'extra',
  'driver',
  'one-way',
  'fee',
  'surcharge',
  'mileage',
  'fuel',
] as const;
export type Part = (typeof PARTS)[number];
/** `total` is all parts. */
export type Basis = 'total' | readonly Part[];

export type Extra = Taxed &
  (
    | {
        readonly code: string;
        readonly kind: 'daily';
        readonly dailyMinor: Minor;
        /** Of one item, however long. */
        readonly maxMinor?: Minor | undefined;
      }
    | { readonly code: string; readonly kind: 'fixed'; readonly priceMinor: Minor }
    | {
        readonly code: string;
        readonly kind: 'percentage';
        readonly percentBp: number;
        readonly basis: Basis;
      }
  );

/** CDW, LDW, an excess reduction: a price a day, and what the renter still bears with it. */
export type Coverage = Taxed & {
  readonly code: string;
  readonly dailyMinor: Minor;
  readonly maxMinor?: Minor | undefined;
  readonly excessMinor: Minor;
  /** One of these has to be taken too. */
  readonly needs?: readonly string[] | undefined;
  /** None of these may be taken too. */
  readonly excludes?: readonly string[] | undefined;
};

/** Ages in whole years at pick-up, both included (decisions.md 31). */
export type AgeBand = Taxed & {
  readonly code: string;
  readonly fromAge: number;
  readonly toAge: number;
  readonly dailyMinor: Minor;
  readonly maxDays?: number | undefined;
};

export type AdditionalDriver = Taxed & {
  readonly dailyMinor: Minor;
  readonly maxDays?: number | undefined;
  /** So many beside the renter are free. */
  readonly free: number;
};

/** A charge a charged day: of an airport, a state, a licence. */
export type DaySurcharge = Taxed & {
  readonly code: string;
  readonly dailyMinor: Minor;
  /** Days 1 to this one only. */
  readonly maxDays?: number | undefined;
  readonly maxMinor?: Minor | undefined;
  /** Charged at pick-ups from these without being named. */
  readonly branches?: readonly string[] | undefined;
};

export type PercentageFee = Taxed & {
  readonly code: string;
  readonly percentBp: number;
  readonly basis: Basis;
  readonly branches?: readonly string[] | undefined;
};

/** `defaultMinor` null: only the pairs are offered. */
export type OneWay = Taxed & {
  readonly defaultMinor: Minor | null;
  readonly pairs: readonly {
    readonly from: string;
    readonly to: string;
    readonly feeMinor: Minor;
  }[];
};

export type Mileage = Taxed & { readonly unit: 'km' | 'mi' } & (
    | { readonly kind: 'unlimited' }
    | {
        readonly kind: 'daily';
        readonly included: number;
        readonly overMinor: Minor;
        /** All days share one allowance; otherwise each day has its own. */
        readonly pooled: boolean;
      }
    | {
        readonly kind: 'period';
        readonly included: number;
        readonly overMinor: Minor;
        /** Charged days of one period; a started one counts whole. */
        readonly days: number;
        readonly pooled: boolean;
      }
  );

export type Fuel = Taxed & {
  readonly policy: 'fullToFull' | 'same' | 'prepaid';
  readonly unit: 'l' | 'gal';
  readonly unitMinor: Minor;
  /** Units in a tank, of a vehicle that names none of its own. */
  readonly tank: number;
  readonly kWhMinor?: Minor | undefined;
  /** Once, when anything is charged. */
  readonly serviceMinor?: Minor | undefined;
};

export const EXTENSION_MODES = ['new-total', 'old-total', 'extra-days'] as const;
export type ExtensionMode = (typeof EXTENSION_MODES)[number];

/** Once, when a return is more than so many minutes off its schedule, or elsewhere. */
export type ReturnChange = Taxed & {
  readonly feeMinor: Minor;
  readonly earlierMinutes: number;
  readonly laterMinutes: number;
};

/** A day, for each started one, of a return more than `afterMinutes` late. */
export type LateReturn = Taxed & {
  readonly dailyMinor: Minor;
  readonly afterMinutes: number;
  readonly maxDays: number;
};

/** Gross. `lateMinor` from `lateMinutes` before pick-up on, `earlyMinor` before. */
export type Cancellation = {
  readonly earlyMinor: Minor;
  readonly lateMinor: Minor;
  readonly lateMinutes: number;
};

export const BILLING_CYCLES = ['28-days', '30-days', 'month'] as const;
export type BillingCycle = (typeof BILLING_CYCLES)[number];

/** How rentals of more than 30 days are invoiced while they are open (decisions.md 12). */
export type Billing = {
  readonly cycle: BillingCycle;
  /** To pay such an invoice, for customers without terms of their own. */
  readonly paymentDays?: number | undefined;
};
