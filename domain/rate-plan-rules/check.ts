// The words in which a rate plan's rules are written: checks that answer problems by path.

export type Problem = { readonly path: string; readonly rule: string };
export type Check = Problem & { readonly holds: boolean };

export const DAY_MINUTES = 1_440;
/** Three years of it stay far inside what a number holds exactly. */
export const MAX_PRICE_MINOR = 1_000_000_000;

export function check(path: string, holds: boolean, rule: string): Check {
  return { path, holds, rule };
}

/** Those that do not hold, below `prefix`: `extras[0]` and `code` make `extras[0].code`. */
export function problemsOf(prefix: string, checks: readonly Check[]): readonly Problem[] {
  return checks
    .filter(({ holds }) => !holds)
    .map(({ path, rule }) => ({ path: [prefix, path].filter(Boolean).join('.'), rule }));
}

/** The checks of each item of a list, below its place in it. */
export function eachOf<T>(
  field: string,
  items: readonly T[] | undefined,
  checks: (item: T, index: number) => readonly Check[],
): readonly Problem[] {
  return (items ?? []).flatMap((item, index) =>
    problemsOf(`${field}[${index}]`, checks(item, index)),
  );
}

export function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

export function isAmount(value: number): boolean {
  return isWhole(value, 0, MAX_PRICE_MINOR);
}

/** Hundredths of a per cent, up to the whole. */
export function isShare(value: number): boolean {
  return isWhole(value, 0, 10_000);
}

export function isCode(code: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(code);
}

/** A date that exists: `2027-02-30` is read as another day. */
export function isDate(date: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** No item before this one has its code. */
export function isFirst(
  items: readonly { readonly code: string }[] | undefined,
  code: string,
  index: number,
): boolean {
  return items?.findIndex((item) => item.code === code) === index;
}
