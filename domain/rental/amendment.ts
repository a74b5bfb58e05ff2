// A booking that changes before its pick-up: what it is afterwards, and whether it may be that.
import { DomainError } from '../errors.ts';
import { checkTerm, decideRequest } from '../rental-term.ts';
import type { Amend, RentalState } from './state.ts';

/** What the calendar and the rate plan look at: changed, it is placed and priced anew. */
export type BookedPlace = Pick<RentalState, 'classId' | 'returnBranchId' | 'pickUpAt' | 'dueAt'>;

/** What is left out stays. */
export function placeAfter(booked: BookedPlace, command: Amend): BookedPlace {
  return {
    classId: command.classId ?? booked.classId,
    returnBranchId: command.returnBranchId ?? booked.returnBranchId,
    pickUpAt: command.pickUpAt ?? booked.pickUpAt,
    dueAt: command.dueAt ?? booked.dueAt,
  };
}

/** With the same dates, class and branches the price so far stays (decisions.md 10). */
export function isMoved(booked: BookedPlace, next: BookedPlace): boolean {
  return (
    next.classId !== booked.classId ||
    next.returnBranchId !== booked.returnBranchId ||
    !isSame(next.pickUpAt, booked.pickUpAt) ||
    !isSame(next.dueAt, booked.dueAt)
  );
}

/**
 * A new pick-up must lie ahead, as for a new booking. Throws `pick-up-in-past`, `pick-up-too-far`,
 * `due-not-later`, `booking-too-long`, `value-refused` for a command that changes nothing.
 */
export function checkAmendment(booked: BookedPlace, command: Amend, now: string): void {
  if (Object.values(command).every((value) => value === undefined)) {
    throw new DomainError('value-refused', 'Name what is to change.', { field: 'amendment' });
  }
  const next = placeAfter(booked, command);
  if (isSame(next.pickUpAt, booked.pickUpAt)) checkTerm(next.pickUpAt, next.dueAt);
  else decideRequest(next, now);
}

function isSame(a: string, b: string): boolean {
  return Date.parse(a) === Date.parse(b);
}
