// A line of a price: what, how many, of which basis, at which tax rate, and what it comes to.
import type { Minor } from '../money.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Part, Taxed } from '../rate-plan-terms.ts';
import type { FeeCode } from './fees.ts';

export type PriceLineCode =
  | `time.${'month' | 'week' | 'day' | 'hour' | 'band' | 'part-day' | 'weekend' | 'extension'}`
  | `discount.${'corporate' | 'agent' | 'promotion'}`
  | `coverage.${string}`
  | `extra.${string}`
  | `driver.${string}`
  | 'one-way'
  | FeeCode
  | 'fee.return-change'
  | 'fee.late-return'
  | `surcharge.${string}`
  | 'mileage.over'
  | `fuel.${'used' | 'prepaid' | 'service'}`
  | `percentage.${string}`
  /** What lines of a voucher cost beyond what it covers. */
  | `beyond.${string}`
  /** What earlier documents charge, taken off. */
  | 'billed'
  /** The hire of a cycle, as one of several payers is charged it. */
  | 'time';

/** What one of the quantity is. */
export type LineUnit =
  | 'month'
  | 'week'
  | 'day'
  | 'hour'
  | 'weekend'
  | 'rental'
  | 'item'
  | 'km'
  | 'mi'
  | 'eighth'
  | 'twentieth';

/** `quantity × unitMinor` is `netMinor`, or `grossMinor` where the plan's prices include VAT. */
export type PriceLine = {
  readonly code: PriceLineCode;
  /** The code of the season, the discount or the like that the amount comes from. */
  readonly what?: string;
  readonly quantity: number;
  /** Prices of before units were told have none. */
  readonly unit?: LineUnit;
  readonly unitMinor: Minor;
  /** The figures behind the quantity, for whoever explains it in a language. */
  readonly basis: Readonly<Record<string, number>>;
  readonly netMinor: Minor;
  readonly grossMinor?: Minor;
  readonly vatRateBp: number;
};

type Draft = Pick<PriceLine, 'code' | 'what' | 'quantity' | 'unitMinor' | 'basis'> & {
  readonly unit: LineUnit;
};

/** Taxed by its term, else like the hire. */
export function lineOf(plan: RatePlan, draft: Draft, term: Taxed = {}): PriceLine {
  const { quantity, unitMinor } = draft;
  const vatRateBp = term.vatRateBp ?? plan.vatRateBp;
  return { ...draft, netMinor: quantity * unitMinor || 0, vatRateBp };
}

/** The line at no more than `maxMinor`: then it is one of that price. */
export function capped(line: PriceLine, maxMinor: Minor | undefined): PriceLine {
  if (maxMinor === undefined || line.netMinor <= maxMinor) return line;
  const basis = { ...line.basis, uncappedMinor: line.netMinor };
  return { ...line, unit: 'rental', quantity: 1, unitMinor: maxMinor, basis, netMinor: maxMinor };
}

/** Golden prices, convention 14, with what that page does not name set beside its kind. */
const ORDER = [
  'time',
  'discount',
  'beyond',
  'coverage',
  'extra',
  'driver',
  'one-way',
  'fee',
  'surcharge',
  'mileage',
  'fuel',
  'percentage',
  'billed',
] as const;
type Kind = (typeof ORDER)[number];

function kindOf({ code }: PriceLine): Kind {
  const end = code.indexOf('.');
  return (end < 0 ? code : code.slice(0, end)) as Kind;
}

/** The part of the rental that a line belongs to: discounts are of time, percentages of none. */
export function partOf(line: PriceLine): Part | undefined {
  const kind = kindOf(line);
  if (kind === 'discount') return 'time';
  return kind === 'percentage' || kind === 'billed' || kind === 'beyond' ? undefined : kind;
}

export function inOrder(lines: readonly PriceLine[]): readonly PriceLine[] {
  return lines.toSorted((a, b) => ORDER.indexOf(kindOf(a)) - ORDER.indexOf(kindOf(b)));
}

/** The sum of net amounts; prices are far inside what a number holds exactly. */
export function sumOf(lines: readonly PriceLine[]): Minor {
  return lines.reduce((sum, line) => sum + line.netMinor, 0);
}

/** In the plan's own price basis: lines that came out of gross prices go back to them. */
export function asPriced(line: PriceLine): PriceLine {
  const { grossMinor, ...rest } = line;
  return grossMinor === undefined ? line : { ...rest, netMinor: grossMinor };
}
