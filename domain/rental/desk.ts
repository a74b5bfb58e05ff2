// Rules of what a desk does daily: keys back at once, announced returns, the late ladder.
import { DomainError } from '../errors.ts';
import { OVERDUE_DAYS } from './billing.ts';
import type { AnnounceReturn, RentalState, UndoCheckOut } from './state.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a branch's desk lets pass, as it was agreed with the booking (decisions.md 5 and 29). */
export type DeskTerms = {
  /** How long, and how far from the reading at the keys, a check-out may be undone. */
  readonly undoMinutes: number;
  readonly undoKm: number;
  /** After the due time, when something is done about a vehicle that does not come back. */
  readonly notReturnedMailHours: number;
  readonly notReturnedCallHours: number;
  readonly notReturnedManagerHours: number;
  /** Before the booked pick-up, from when on the keys may go out. */
  readonly earlyCheckOutMinutes: number;
};

/** Of a rental that remembers none, because it began before there were such terms. */
export const DESK_TERMS: DeskTerms = {
  undoMinutes: 15,
  undoKm: 5,
  notReturnedMailHours: 2,
  notReturnedCallHours: 24,
  notReturnedManagerHours: 72,
  earlyCheckOutMinutes: 60,
};

/** How far an overdue vehicle's calendar is kept ahead of now (decisions.md 5). */
const ROLL_AHEAD_MS = 2 * HOUR_MS;
/** Before the due time: who knows earlier that it will be late agrees on an extension. */
const ANNOUNCED_FROM_MS = 24 * HOUR_MS;

/** What is done about a vehicle that does not come back, each from so long after its due time on. */
export const NOT_RETURNED_STEPS = ['mail', 'call', 'manager'] as const;
export type NotReturnedStep = (typeof NOT_RETURNED_STEPS)[number];

type Out = Pick<
  RentalState,
  'checkedOutAt' | 'odometerOutKm' | 'overdue' | 'deskTerms' | 'exchanged' | 'isExchanged'
>;

/**
 * Throws `invalid-state` while the booked pick-up is too far ahead: the price and the drivers were
 * judged for then. A run without terms may have let it pass, and still has to replay. `now` is ISO
 * 8601 in UTC.
 */
export function checkOutTime(
  { pickUpAt, deskTerms }: Pick<RentalState, 'pickUpAt' | 'deskTerms'>,
  now: string,
): void {
  if (deskTerms === undefined) return;
  const from = Date.parse(pickUpAt) - deskTerms.earlyCheckOutMinutes * MINUTE_MS;
  if (Date.parse(now) >= from) return;
  const possibleFrom = new Date(from).toISOString();
  throw new DomainError(
    'invalid-state',
    `It is booked for later and goes out from ${possibleFrom} on: amend the pick-up first.`,
    { command: 'checkOut', pickUpAt, possibleFrom },
  );
}

/**
 * Throws `invalid-state` once it is too late, and for a vehicle that took the place of another one,
 * because it was driven there. `now` is ISO 8601 in UTC.
 */
export function checkUndoTime(
  { checkedOutAt, overdue, deskTerms, exchanged = [], isExchanged }: Omit<Out, 'odometerOutKm'>,
  now: string,
): void {
  const command = 'undoCheckOut';
  if (deskTerms !== undefined && (isExchanged === true || exchanged.length > 0)) {
    const message = 'The vehicle was exchanged. Check it in instead.';
    throw new DomainError('invalid-state', message, { rentalStatus: 'active', command });
  }
  const { undoMinutes } = deskTerms ?? DESK_TERMS;
  const until = Date.parse(checkedOutAt ?? now) + undoMinutes * MINUTE_MS;
  if (Date.parse(now) <= until && !overdue) return;
  throw new DomainError(
    'invalid-state',
    `The keys went out more than ${undoMinutes} minutes ago. Check the vehicle in instead.`,
    { command, undoUntil: new Date(until).toISOString() },
  );
}

/** Throws `odometer-rollback`, or `invalid-state` when it was driven. */
export function checkUndoReading(
  { odometerOutKm: out, deskTerms }: Pick<Out, 'odometerOutKm' | 'deskTerms'>,
  { odometerKm }: UndoCheckOut,
): void {
  const odometerOutKm = out ?? 0;
  const { undoKm } = deskTerms ?? DESK_TERMS;
  if (odometerKm < odometerOutKm) {
    throw new DomainError('odometer-rollback', 'The odometer reads less than at check-out.', {
      odometerOutKm,
      odometerKm,
    });
  }
  if (odometerKm <= odometerOutKm + undoKm) return;
  throw new DomainError(
    'invalid-state',
    `It was driven more than ${undoKm} km. Check the vehicle in instead.`,
    { command: 'undoCheckOut', odometerOutKm, odometerKm },
  );
}

type Due = Pick<RentalState, 'dueAt' | 'deskTerms'>;

/**
 * An announced return keeps the calendar and costs nothing, so it is for who is late, or knows it a
 * day before; after ten days the vehicle is sought, not awaited (decisions.md 5 and 13). Throws
 * `invalid-state`. `now` is ISO 8601 in UTC.
 */
export function checkAnnounceTime({ dueAt, deskTerms }: Due, now: string): void {
  if (deskTerms === undefined) return;
  const [from, until] = [Date.parse(dueAt) - ANNOUNCED_FROM_MS, latestReturn(dueAt)];
  if (from <= Date.parse(now) && Date.parse(now) < until) return;
  const possibleFrom = new Date(from).toISOString();
  throw new DomainError(
    'invalid-state',
    `A late return is announced from ${possibleFrom} on, for ${OVERDUE_DAYS} days: extend it instead.`,
    { command: 'announceReturn', dueAt, possibleFrom },
  );
}

/** Throws `due-not-later` for a return that is in time, or in the past; `invalid-time` for one too late. */
export function checkAnnounced(
  { dueAt, deskTerms }: Due,
  { at }: AnnounceReturn,
  now: string,
): void {
  if (Date.parse(at) <= Math.max(Date.parse(dueAt), Date.parse(now))) {
    const message = 'A late return is announced for after the due time.';
    throw new DomainError('due-not-later', message, { dueAt });
  }
  if (deskTerms === undefined || Date.parse(at) <= latestReturn(dueAt)) return;
  throw new DomainError(
    'invalid-time',
    `A return is announced for ${OVERDUE_DAYS} days after the due time at most: extend it instead.`,
    { dueAt, latest: new Date(latestReturn(dueAt)).toISOString() },
  );
}

function latestReturn(dueAt: string): number {
  return Date.parse(dueAt) + OVERDUE_DAYS * DAY_MS;
}

/** Until when the calendar of a vehicle is kept that is not back: never less than two hours. */
export function keptUntil(now: string, announcedAt: string | null): string {
  const ahead = Date.parse(now) + ROLL_AHEAD_MS;
  return new Date(Math.max(ahead, Date.parse(announcedAt ?? now))).toISOString();
}

/** The step that is due, or null before the first. Instants are ISO 8601 in UTC. */
export function notReturnedStep(
  dueAt: string,
  now: string,
  terms: DeskTerms = DESK_TERMS,
): NotReturnedStep | null {
  const late = Date.parse(now) - Date.parse(dueAt);
  const after = {
    mail: terms.notReturnedMailHours,
    call: terms.notReturnedCallHours,
    manager: terms.notReturnedManagerHours,
  };
  return NOT_RETURNED_STEPS.findLast((step) => late >= after[step] * HOUR_MS) ?? null;
}

/** Throws `invalid-state` for a no-show whose time is over. `now` is ISO 8601 in UTC. */
export function checkTimeLeft({ dueAt }: Pick<RentalState, 'dueAt'>, now: string): void {
  if (Date.parse(now) < Date.parse(dueAt)) return;
  throw new DomainError('invalid-state', 'Its time is over; make a new rental.', {
    rentalStatus: 'no_show',
    command: 'reinstate',
    dueAt,
  });
}

/** Throws `invalid-state`: whoever is a manager's case is promised nothing more. */
export function checkNoCase({ notReturned }: Pick<RentalState, 'notReturned'>): void {
  if (notReturned !== 'manager') return;
  throw new DomainError(
    'invalid-state',
    'The vehicle is days late and a manager’s case: it has to come back first.',
    { command: 'extend', notReturned },
  );
}
