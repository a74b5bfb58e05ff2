// What a rental's timers wait for: the next deadline of a state, and what was already done about it.

import { patched } from '@temporalio/workflow';
import { billableAt } from '../../domain/rental/billing.ts';
import type { RentalCommand, RentalOutcome, RentalState } from '../../domain/rental.ts';
import { ATTENTION_HOURS, isShort } from '../../domain/rental-attention.ts';
import { held, type Pauses, unpaused } from './rental-pauses.ts';

const MINUTE_MS = 60_000;
/** While the vehicle is out and overdue its calendar is moved on each hour (decisions.md 5). */
const OVERDUE_EVERY_MS = 60 * MINUTE_MS;

/** For rentals from before it was a setting of the branch. */
const SHORTAGE_MINUTES = 120;

/** Nothing to wait for, whichever clock is ahead. */
const AT_ONCE = 0;

/** What the timers remember; carried through continue-as-new. Instants are ISO 8601 in UTC. */
export type Timers = {
  /** Since when this due time holds: a reminder that lay before that would be no news. */
  readonly dueAgreedAt: string | null;
  readonly remindedFor: string | null;
  /** The next hourly turn of an overdue rental; null until the first. */
  readonly nextOverdueAt: string | null;
  /** The version with which a no-show was reinstated last; absent for never. */
  readonly reinstated?: number;
  /** A day before pick-up it was seen to have no vehicle. */
  readonly attended?: boolean;
  /** How often it became a case for want of a vehicle, and whether it is one. */
  readonly shortages?: number;
  readonly isCase?: boolean;
  /** When it is to be looked whether invoices are unpaid past their terms; absent for never. */
  readonly arrearsAt?: string | null;
} & Pauses;

export const NO_TIMERS: Timers = {
  dueAgreedAt: null,
  remindedFor: null,
  nextOverdueAt: null,
  pausedUntil: null,
};

/** Every timer's command has an id made of business facts, so that a repeat is known as one. */
export type Deadline = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Null: nothing is to be done but to look at the clock again. */
  readonly command: (RentalCommand & { readonly type: TimedCommand }) | null;
  readonly commandId: string;
  readonly summary: string;
};
type TimedCommand =
  | 'expire'
  | 'noShow'
  | 'raiseShortage'
  | 'remind'
  | 'markOverdue'
  | 'billCycle'
  | 'checkArrears'
  | 'close';

/**
 * The earliest deadline of this state, or null when only people can move it on. `hasLadder` is false
 * for runs that began before there were cases of shortage.
 */
export function nextDeadline(
  state: RentalState,
  timers: Timers,
  hasLadder: boolean,
): Deadline | null {
  const deadlines = deadlinesOf(state, timers, hasLadder);
  return earliest(deadlines.map((deadline) => held(ofThisTime(deadline, timers), timers)));
}

/** What was done before a no-show was reinstated is to be done anew, and is no repeat of it. */
function ofThisTime(deadline: Deadline, { reinstated }: Timers): Deadline {
  if (reinstated === undefined) return deadline;
  return { ...deadline, commandId: `${deadline.commandId}/reinstated-${reinstated}` };
}

function deadlinesOf(state: RentalState, timers: Timers, hasLadder: boolean): readonly Deadline[] {
  switch (state.status) {
    case 'requested':
      return [due(state, 'expire', answerBy(state), 'expire', 'no answer: the request expires')];
    case 'reserved':
      return [
        due(state, 'noShow', Date.parse(state.noShowAt), 'no-show', 'no-show'),
        ...(hasLadder && isShort(state) ? shortage(state, timers) : []),
      ];
    case 'active':
      return [...reminder(state, timers), overdue(state, timers), ...billing(state, timers)];
    case 'returned':
      return [due(state, 'close', AT_ONCE, 'close', 'close')];
    default:
      return [];
  }
}

/** A request has one; without it, it would wait for ever. */
function answerBy({ answerBy, pickUpAt }: RentalState): number {
  return Date.parse(answerBy ?? pickUpAt);
}

/** A day before pick-up somebody should see it; hours before, it becomes a case (decisions.md 1). */
function shortage(state: RentalState, timers: Timers): readonly Deadline[] {
  const pickUp = Date.parse(state.pickUpAt);
  const deadlines: Deadline[] = [];
  if (!timers.attended) {
    const at = pickUp - ATTENTION_HOURS * 60 * MINUTE_MS;
    const commandId = `${state.id}/attention`;
    deadlines.push({ at, command: null, commandId, summary: 'no vehicle yet' });
  }
  if (!timers.isCase) {
    const at = pickUp - (state.shortageMinutes ?? SHORTAGE_MINUTES) * MINUTE_MS;
    const id = `shortage/${timers.shortages ?? 0}`;
    deadlines.push(due(state, 'raiseShortage', at, id, 'no vehicle: a case'));
  }
  return deadlines;
}

function reminder(state: RentalState, timers: Timers): readonly Deadline[] {
  if (timers.remindedFor === state.dueAt) return [];
  const at = Date.parse(state.dueAt) - state.reminderMinutes * MINUTE_MS;
  const agreedAt = Date.parse(timers.dueAgreedAt ?? state.checkedOutAt ?? state.pickUpAt);
  if (at <= agreedAt) return [];
  return [due(state, 'remind', at, `remind/${state.dueAt}`, 'return reminder')];
}

function overdue(state: RentalState, timers: Timers): Deadline {
  const first = Date.parse(state.dueAt) + state.graceMinutes * MINUTE_MS;
  const at = timers.nextOverdueAt === null ? first : Date.parse(timers.nextOverdueAt);
  const id = `overdue/${new Date(at).toISOString()}`;
  return due(state, 'markOverdue', at, id, state.overdue ? 'still overdue' : 'overdue');
}

/** The end of a cycle, and the day on which its invoice is to be paid. */
function billing(state: RentalState, { arrearsAt }: Timers): readonly Deadline[] {
  const deadlines: Deadline[] = [];
  const at = billableAt(state);
  if (at !== null) {
    deadlines.push(due(state, 'billCycle', at, `cycle/${state.cycleEndsAt}`, 'end of a cycle'));
  }
  if (arrearsAt) {
    const id = `arrears/${arrearsAt}`;
    deadlines.push(due(state, 'checkArrears', Date.parse(arrearsAt), id, 'an invoice to be paid'));
  }
  return deadlines;
}

function due(
  state: RentalState,
  type: TimedCommand,
  at: number,
  id: string,
  summary: string,
): Deadline {
  return { at, command: { type }, commandId: `${state.id}/${id}`, summary };
}

function earliest(deadlines: readonly Deadline[]): Deadline | null {
  return deadlines.reduce<Deadline | null>(
    (first, next) => (first === null || next.at < first.at ? next : first),
    null,
  );
}

/** What the timers know after an outcome, whoever caused it. `state` is the one after it. */
export function timersAfter(
  timers: Timers,
  outcome: RentalOutcome,
  state: RentalState,
  now: number,
): Timers {
  const free = unpaused(timers, outcome.type, now);
  switch (outcome.type) {
    case 'checkedOut':
    case 'extended':
      return { ...free, dueAgreedAt: outcome.at, nextOverdueAt: null };
    case 'reminded':
      return { ...free, remindedFor: state.dueAt };
    case 'shortageRaised':
      return { ...free, isCase: true, shortages: (timers.shortages ?? 0) + 1 };
    case 'amended':
      if (outcome.vehicleId === undefined) return free;
      // Another pick-up is to be looked at before it; a case stays one until there is a vehicle.
      return {
        ...free,
        isCase: timers.isCase === true && outcome.vehicleId === null,
        attended: false,
      };
    case 'cycleBilled':
      return { ...free, arrearsAt: firstToBeDue(timers.arrearsAt, outcome.payableBy) };
    case 'arrearsChecked':
      return { ...free, arrearsAt: laterThan(now, outcome.nextCheckAt) };
    case 'reinstated':
      return { ...free, reinstated: outcome.version, isCase: false };
    case 'overdueMarked':
      return { ...free, nextOverdueAt: nextTurn(state, timers, now) };
    default:
      return free;
  }
}

/** Payers have terms of their own: what is billed later may be due before what was billed first. */
function firstToBeDue(known: string | null | undefined, payableBy: string | null): string | null {
  if (!known || payableBy === null || known <= payableBy) return known ?? payableBy;
  return patched('terms-by-payer') ? payableBy : known;
}

/** Where the database's clock is behind, its answer is no news for a timer: a minute later. */
function laterThan(now: number, at: string | null): string | null {
  return at === null || Date.parse(at) > now ? at : new Date(now + MINUTE_MS).toISOString();
}

/** A day before pick-up somebody saw that it has no vehicle. */
export function afterLook(timers: Timers): Timers {
  return { ...timers, attended: true };
}

/** Closing waits for damage cases alone: when one has ended it is tried again at once. */
export function afterDamage(timers: Timers): Timers {
  const { paused: _waited, ...free } = timers;
  return free;
}

/** Whoever loses the vehicle again becomes a case again. */
export function afterReassignment(
  timers: Timers,
  { vehicleId }: { readonly vehicleId: string | null },
): Timers {
  return vehicleId !== null && timers.isCase ? { ...timers, isCase: false } : timers;
}

/** Counted from the deadline, so hours do not drift; hours missed in an outage are not made up. */
function nextTurn(state: RentalState, timers: Timers, now: number): string {
  const { at } = overdue(state, timers);
  const turns = Math.max(1, Math.floor((now - at) / OVERDUE_EVERY_MS) + 1);
  return new Date(at + turns * OVERDUE_EVERY_MS).toISOString();
}
