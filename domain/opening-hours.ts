// When a branch is open, and what a handover outside its hours means: fee, key drop or refusal.
import { DomainError } from './errors.ts';
import type { Minor } from './money.ts';
import type { Span } from './span.ts';

/** Local minutes, `HH:MM`. It closes over midnight when `closes` is not later than `opens`. */
export type Period = { readonly opens: string; readonly closes: string };
/** ISO weekday: 1 is Monday. */
export type WeeklyPeriod = Period & { readonly weekday: number };

export type OpeningHours = {
  /** Null: nothing was declared, so the branch is always open but for its exceptions. */
  readonly weekly: readonly WeeklyPeriod[] | null;
  /** Whether a vehicle may come back while the branch is closed. */
  readonly keyDrop: boolean;
  /** What a handover costs while the branch is closed, net; null: none is handed out then. */
  readonly outOfHours: { readonly feeMinor: Minor; readonly currency: string } | null;
  /** By local date; they win over the week. Without periods the branch is closed. */
  readonly exceptions: readonly Exception[];
};
export type Exception = {
  readonly date: string;
  readonly periods: readonly Period[];
  readonly reason: string;
};

/** Local times without an offset: `2027-05-03T08:00`. */
export type LocalOpening = { readonly from: string; readonly to: string };

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const ALL_DAY: Period = { opens: '00:00', closes: '24:00' };
/** A no-show is not declared before somebody had the time to be late (decisions.md 18). */
const AFTER_OPENING_MS = 60 * MINUTE_MS;

/** The periods that begin on a local date (`2027-05-03`). */
export function periodsOn(
  hours: Pick<OpeningHours, 'weekly' | 'exceptions'>,
  date: string,
): readonly Period[] {
  const exception = hours.exceptions.find((one) => one.date === date);
  if (exception !== undefined) return exception.periods;
  if (hours.weekly === null) return [ALL_DAY];
  const weekday = ((new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7) + 1;
  return hours.weekly.filter((period) => period.weekday === weekday);
}

/** The same as local times; one that closes over midnight ends on the next date. */
export function openingsOn(
  hours: Pick<OpeningHours, 'weekly' | 'exceptions'>,
  date: string,
): readonly LocalOpening[] {
  return periodsOn(hours, date).map(({ opens, closes }) => {
    if (closes === '24:00') return { from: `${date}T${opens}`, to: `${dateAfter(date, 1)}T00:00` };
    const end = closes <= opens ? dateAfter(date, 1) : date;
    return { from: `${date}T${opens}`, to: `${end}T${closes}` };
  });
}

/** A date that many days later; negative ones are earlier. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** `openings` are instants in order; half-open, so at its closing minute a branch is closed. */
export function isOpen(openings: readonly Span[], at: string): boolean {
  const ms = Date.parse(at);
  return openings.some(({ from, to }) => Date.parse(from) <= ms && ms < Date.parse(to));
}

/** When the branch opens next; `at` itself while it is open, null when no opening is known. */
export function nextOpening(openings: readonly Span[], at: string): string | null {
  if (isOpen(openings, at)) return at;
  return openings.find(({ from }) => Date.parse(from) > Date.parse(at))?.from ?? null;
}

export type Side = 'pick-up' | 'return';
export type Handover = { readonly feeMinor: Minor; readonly currency: string } | 'in-hours';

/**
 * What a handover at `at` is (decisions.md 45): a vehicle goes out while the branch is closed only
 * where that service is offered, and comes back then only where there is a key drop. Both cost the
 * branch's fee. Throws `branch-closed`, which names the next opening.
 */
export function handover(
  side: Side,
  hours: Pick<OpeningHours, 'keyDrop' | 'outOfHours'>,
  openings: readonly Span[],
  at: string,
): Handover {
  if (isOpen(openings, at)) return 'in-hours';
  const { outOfHours, keyDrop } = hours;
  if (side === 'pick-up' && outOfHours !== null) return outOfHours;
  if (side === 'return' && keyDrop) return outOfHours ?? 'in-hours';
  const next = nextOpening(openings, at);
  const opens = next === null ? '' : ` It opens at ${next}.`;
  throw new DomainError('branch-closed', `The branch is closed at the time of ${side}.${opens}`, {
    handover: side,
    at,
    nextOpening: next,
  });
}

/**
 * When a vehicle is given up that nobody picked up: after the grace, or an hour after the branch
 * opens again when it is closed then (decisions.md 18).
 */
export function noShowAt(
  openings: readonly Span[] | null,
  pickUpAt: string,
  graceMinutes: number,
): string {
  const late = new Date(Date.parse(pickUpAt) + graceMinutes * MINUTE_MS).toISOString();
  if (openings === null || isOpen(openings, late)) return late;
  const next = nextOpening(openings, late);
  return next === null ? late : new Date(Date.parse(next) + AFTER_OPENING_MS).toISOString();
}

/**
 * The same for what is prepaid: no earlier than the last of these openings ends, which are those of
 * the pick-up's local date (decisions.md 18).
 */
export function keptTillClose(openings: readonly Span[], noShowAt: string): string {
  const closings = openings.map(({ to }) => Date.parse(to));
  return new Date(Math.max(Date.parse(noShowAt), ...closings)).toISOString();
}
