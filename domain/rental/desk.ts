// Rules of what a desk does daily: keys back at once, announced returns, night drops, the late ladder.
import { DomainError } from '../errors.ts';
import { isOpen } from '../opening-hours.ts';
import type { Span } from '../span.ts';
import type { AnnounceReturn, RentalState, UndoCheckOut } from './state.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long, and how far from the reading at the keys, a check-out may be undone (decisions.md 29). */
export const UNDO_WITHIN_MINUTES = 15;
export const UNDO_WITHIN_KM = 5;

/** How far an overdue vehicle's calendar is kept ahead of now (decisions.md 5). */
const ROLL_AHEAD_MS = 2 * HOUR_MS;

/** What is done about a vehicle that does not come back, each from so long after its due time on. */
export const NOT_RETURNED_STEPS = ['mail', 'call', 'manager'] as const;
export type NotReturnedStep = (typeof NOT_RETURNED_STEPS)[number];
const STEP_AFTER_HOURS = { mail: 2, call: 24, manager: 72 } as const;

type Out = Pick<RentalState, 'checkedOutAt' | 'odometerOutKm' | 'overdue'>;

/** Throws `invalid-state` once it is too late. `now` is ISO 8601 in UTC. */
export function checkUndoTime({ checkedOutAt, overdue }: Out, now: string): void {
  const until = Date.parse(checkedOutAt ?? now) + UNDO_WITHIN_MINUTES * MINUTE_MS;
  if (Date.parse(now) <= until && !overdue) return;
  throw new DomainError(
    'invalid-state',
    `The keys went out more than ${UNDO_WITHIN_MINUTES} minutes ago. Check the vehicle in instead.`,
    { command: 'undoCheckOut', undoUntil: new Date(until).toISOString() },
  );
}

/** Throws `odometer-rollback`, or `invalid-state` when it was driven. */
export function checkUndoReading(state: Out, { odometerKm }: UndoCheckOut): void {
  const odometerOutKm = state.odometerOutKm ?? 0;
  if (odometerKm < odometerOutKm) {
    throw new DomainError('odometer-rollback', 'The odometer reads less than at check-out.', {
      odometerOutKm,
      odometerKm,
    });
  }
  if (odometerKm <= odometerOutKm + UNDO_WITHIN_KM) return;
  throw new DomainError(
    'invalid-state',
    `It was driven more than ${UNDO_WITHIN_KM} km. Check the vehicle in instead.`,
    { command: 'undoCheckOut', odometerOutKm, odometerKm },
  );
}

/** Throws `due-not-later` for a return that is in time, or in the past. */
export function checkAnnounced(dueAt: string, { at }: AnnounceReturn, now: string): void {
  if (Date.parse(at) > Math.max(Date.parse(dueAt), Date.parse(now))) return;
  throw new DomainError('due-not-later', 'A late return is announced for after the due time.', {
    dueAt,
  });
}

/** Until when the calendar of a vehicle is kept that is not back: never less than two hours. */
export function keptUntil(now: string, announcedAt: string | null): string {
  const ahead = Date.parse(now) + ROLL_AHEAD_MS;
  return new Date(Math.max(ahead, Date.parse(announcedAt ?? now))).toISOString();
}

/** The step that is due, or null in the first two hours. Instants are ISO 8601 in UTC. */
export function notReturnedStep(dueAt: string, now: string): NotReturnedStep | null {
  const late = Date.parse(now) - Date.parse(dueAt);
  return NOT_RETURNED_STEPS.findLast((step) => late >= STEP_AFTER_HOURS[step] * HOUR_MS) ?? null;
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

/** Throws `invalid-state`: who has not returned a vehicle for three days is promised nothing more. */
export function checkNoCase({ notReturned }: Pick<RentalState, 'notReturned'>): void {
  if (notReturned !== 'manager') return;
  throw new DomainError(
    'invalid-state',
    'The vehicle is days late and a manager’s case: it has to come back first.',
    { command: 'extend', notReturned },
  );
}

/**
 * Lets a claim pass that a vehicle was left at a closed branch (decisions.md 29): it came back then,
 * which is before the branch opened, because while it is open somebody takes vehicles back.
 * `openings` are those around the claim. Throws `invalid-time` for a claim from before the check-out,
 * from the future or from opening hours, and `branch-closed` where there is no key drop.
 */
export function checkDrop(
  claimed: string,
  { checkedOutAt }: Pick<Out, 'checkedOutAt'>,
  branch: { readonly openings: readonly Span[]; readonly keyDrop: boolean },
  now: string,
): void {
  const ms = Date.parse(claimed);
  if (ms > Date.parse(now) || ms < Date.parse(checkedOutAt ?? claimed)) {
    throw new DomainError('invalid-time', 'It was dropped after its check-out, and before now.', {
      droppedAt: claimed,
    });
  }
  if (isOpen(branch.openings, claimed)) {
    throw new DomainError('invalid-time', 'The branch was open then: leave the drop time out.', {
      droppedAt: claimed,
    });
  }
  if (!branch.keyDrop) {
    throw new DomainError('branch-closed', 'There is no key drop at this branch.', {
      handover: 'return',
      at: claimed,
    });
  }
}
