// Money in whole minor units: exact rounding, shares that sum to the whole, and currencies' decimals.

/**
 * Minor units of a currency (cents of EUR, whole JPY, fils of KWD), always a safe integer. The
 * ISO 4217 code travels beside it.
 */
export type Minor = number;

/** The currencies that Forecourt knows, with their ISO 4217 decimals. */
const DECIMALS: Readonly<Record<string, number>> = {
  AED: 2,
  AUD: 2,
  BHD: 3,
  CAD: 2,
  CHF: 2,
  CZK: 2,
  DKK: 2,
  EUR: 2,
  GBP: 2,
  HUF: 2,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  NOK: 2,
  OMR: 3,
  PLN: 2,
  RON: 2,
  SEK: 2,
  TND: 3,
  USD: 2,
};

/** True for an ISO 4217 code whose minor unit is known here. */
export function isCurrency(code: string): boolean {
  return Object.hasOwn(DECIMALS, code);
}

/** How many decimals a currency's minor unit stands for. Throws RangeError for an unknown code. */
export function currencyDecimals(currency: string): number {
  // Own keys only: a code such as `constructor` must not find Object's.
  const decimals = Object.hasOwn(DECIMALS, currency) ? DECIMALS[currency] : undefined;
  if (decimals === undefined) throw new RangeError(`${currency} is not a known currency.`);
  return decimals;
}

/**
 * Answers `amount` when it is a whole number that JavaScript holds exactly; throws RangeError
 * otherwise. Negative zero becomes zero, so that equal amounts are equal for every comparison.
 */
export function assertMinor(amount: number): Minor {
  if (!Number.isSafeInteger(amount)) {
    throw new RangeError(`${amount} is not a whole amount of minor units.`);
  }
  return amount === 0 ? 0 : amount;
}

/** The exact sum. Throws RangeError when a part or the sum is not a safe integer. */
export function addMinor(...amounts: readonly Minor[]): Minor {
  let sum = 0n;
  for (const amount of amounts) sum += BigInt(assertMinor(amount));
  return toMinor(sum);
}

/**
 * `numerator / denominator` rounded to a whole number, halves away from zero: the rounding of
 * prices and taxes (EN 16931 BR-CO-17; decisions.md 11). Exact for any integers, no floats.
 * Throws RangeError when a part is no integer, the denominator is zero or the result too large.
 */
export function roundHalfAwayFromZero(
  numerator: number | bigint,
  denominator: number | bigint,
): Minor {
  const above = BigInt(numerator);
  const below = BigInt(denominator);
  if (below === 0n) throw new RangeError('Cannot divide money by zero.');
  const negative = above < 0n !== below < 0n;
  const top = above < 0n ? -above : above;
  const bottom = below < 0n ? -below : below;
  const rounded = (2n * top + bottom) / (2n * bottom);
  return toMinor(negative ? -rounded : rounded);
}

/**
 * `amount × numerator / denominator`, rounded once, half away from zero. The product is exact even
 * beyond a safe integer: 20 % of an amount is `multiplyRatio(amount, 2_000, 10_000)`.
 */
export function multiplyRatio(
  amount: Minor,
  numerator: number | bigint,
  denominator: number | bigint,
): Minor {
  return roundHalfAwayFromZero(BigInt(assertMinor(amount)) * BigInt(numerator), denominator);
}

/**
 * Splits `total` in proportion to whole, non-negative `weights` by largest remainder; equal
 * remainders go to the earlier part. The parts always sum to `total`, each has its sign or is zero,
 * and none differs from its exact share by a whole unit. Throws RangeError without a weight above
 * zero.
 */
export function allocate(total: Minor, weights: readonly number[]): readonly Minor[] {
  const whole = BigInt(assertMinor(total));
  const shares = weights.map((weight) => {
    if (!Number.isSafeInteger(weight) || weight < 0) {
      throw new RangeError(`${weight} is not a whole weight of at least zero.`);
    }
    return BigInt(weight);
  });
  const sum = shares.reduce((a, b) => a + b, 0n);
  if (sum === 0n) throw new RangeError('Shares need a weight above zero.');
  const sign = whole < 0n ? -1n : 1n;
  const size = whole * sign;
  const parts = shares.map((share) => (size * share) / sum);
  const left = size - parts.reduce((a, b) => a + b, 0n);
  const byRemainder = shares
    .map((share, index) => ({ index, remainder: (size * share) % sum }))
    .toSorted((a, b) => compare(b.remainder, a.remainder) || a.index - b.index);
  const favoured = new Set(byRemainder.slice(0, Number(left)).map((part) => part.index));
  return parts.map((part, index) => toMinor(sign * (part + (favoured.has(index) ? 1n : 0n))));
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The amount as people write it, without symbol or grouping: `formatMinor(-5, 'EUR')` is `-0.05`,
 * `formatMinor(1234, 'KWD')` is `1.234`.
 */
export function formatMinor(amount: Minor, currency: string): string {
  const decimals = currencyDecimals(currency);
  const digits = String(Math.abs(assertMinor(amount))).padStart(decimals + 1, '0');
  const sign = amount < 0 ? '-' : '';
  if (decimals === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function toMinor(value: bigint): Minor {
  return assertMinor(Number(value));
}
