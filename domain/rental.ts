// What may happen to a rental, in which order: the state machine, without clock, storage or I/O.
import { DomainError } from './errors.ts';
import { checkAmendment } from './rental/amendment.ts';
import { checkBillable } from './rental/billing.ts';
import {
  checkAnnounced,
  checkAnnounceTime,
  checkNoCase,
  checkOutTime,
  checkTimeLeft,
  checkUndoReading,
  checkUndoTime,
} from './rental/desk.ts';
import type {
  Amend,
  AnnounceDelay,
  AnnounceReturn,
  Cancel,
  CheckIn,
  CheckOut,
  Confirm,
  Decline,
  Exchange,
  Extend,
  Reading,
  RentalState,
  RentalStatus,
  Swap,
  UndoCheckOut,
} from './rental/state.ts';
import { checkSwap } from './rental/swap.ts';
import { checkTerm } from './rental-term.ts';

export * from './rental/outcome.ts';
export * from './rental/state.ts';

/** What people ask of a rental, and what its own timers do to it. */
export type RentalCommand =
  | ({ readonly type: 'checkOut' } & CheckOut)
  | ({ readonly type: 'extend' } & Extend)
  | ({ readonly type: 'amend' } & Amend)
  | ({ readonly type: 'swap' } & Swap)
  | ({ readonly type: 'exchange' } & Exchange)
  | ({ readonly type: 'checkIn' } & CheckIn)
  | ({ readonly type: 'undoCheckOut' } & UndoCheckOut)
  | ({ readonly type: 'announceReturn' } & AnnounceReturn)
  | ({ readonly type: 'announceDelay' } & AnnounceDelay)
  | { readonly type: 'reinstate' }
  | ({ readonly type: 'cancel' } & Cancel)
  | ({ readonly type: 'confirm' } & Confirm)
  | ({ readonly type: 'decline' } & Decline)
  | { readonly type: 'expire' }
  | { readonly type: 'noShow' }
  | { readonly type: 'raiseShortage' }
  | { readonly type: 'remind' }
  | { readonly type: 'markOverdue' }
  | { readonly type: 'billCycle' }
  | { readonly type: 'checkArrears' }
  | { readonly type: 'close' };

export type RentalCommandType = RentalCommand['type'];

const ALLOWED: Readonly<Record<RentalCommandType, readonly RentalStatus[]>> = {
  checkOut: ['reserved'],
  extend: ['reserved', 'active'],
  amend: ['reserved'],
  swap: ['reserved'],
  exchange: ['active'],
  checkIn: ['active'],
  undoCheckOut: ['active'],
  announceReturn: ['active'],
  announceDelay: ['requested', 'reserved'],
  reinstate: ['no_show'],
  cancel: ['requested', 'reserved'],
  confirm: ['requested'],
  decline: ['requested'],
  expire: ['requested'],
  noShow: ['reserved'],
  raiseShortage: ['reserved'],
  remind: ['active'],
  markOverdue: ['active'],
  billCycle: ['active'],
  checkArrears: ['active'],
  close: ['returned'],
};

/** The commands of people; the others belong to the rental's timers. */
export const FOR_PEOPLE = [
  'checkOut',
  'extend',
  'amend',
  'swap',
  'exchange',
  'checkIn',
  'undoCheckOut',
  'announceReturn',
  'announceDelay',
  'reinstate',
  'cancel',
  'confirm',
  'decline',
] as const;
export type PeoplesCommand = (typeof FOR_PEOPLE)[number];

/**
 * Refuses what may not happen now; what it lets through is the intent to carry out.
 * Throws `invalid-state` (a confirmation that comes too late too), `odometer-rollback`, `due-not-later`, `booking-too-long`. `now` is ISO
 * 8601 in UTC.
 */
export function decide(state: RentalState, command: RentalCommand, now: string): RentalCommand {
  checkPossible(state, command.type, now);
  if (command.type === 'extend') {
    const earliest = Math.max(Date.parse(state.dueAt), Date.parse(now));
    if (Date.parse(command.dueAt) <= earliest) {
      throw new DomainError('due-not-later', 'An extension ends later than the rental, and now.', {
        dueAt: state.dueAt,
      });
    }
    checkTerm(state.pickUpAt, command.dueAt);
  }
  if (command.type === 'checkIn') checkReturn(state, command);
  if (command.type === 'exchange') checkExchange(state, command);
  if (command.type === 'undoCheckOut') checkUndoReading(state, command);
  if (command.type === 'announceReturn') {
    checkAnnounced(state, command, now);
    checkTerm(state.pickUpAt, command.at);
  }
  if (command.type === 'swap') checkSwap(state, command);
  if (command.type === 'amend') {
    const { type: _type, ...change } = command;
    checkAmendment(state, change, now);
  }
  return command;
}

/** All that the rules of what is possible look at. */
export type Judged = Pick<
  RentalState,
  | 'status'
  | 'pickUpAt'
  | 'dueAt'
  | 'answerBy'
  | 'checkedOutAt'
  | 'overdue'
  | 'notReturned'
  | 'deskTerms'
  | 'exchanged'
  | 'isExchanged'
  | 'graceMinutes'
  | 'cycleEndsAt'
>;

/**
 * What no value that a command carries could change: screens are told by the same rule before
 * anybody has typed one. Throws `invalid-state`. `now` is ISO 8601 in UTC.
 */
export function checkPossible(state: Judged, type: RentalCommandType, now: string): void {
  if (!ALLOWED[type].includes(state.status)) {
    throw new DomainError(
      'invalid-state',
      `A rental that is ${state.status} does not allow ${type}.`,
      { rentalStatus: state.status, command: type },
    );
  }
  if (type === 'confirm') checkInTime(state, now);
  if (type === 'checkOut') checkOutTime(state, now);
  if (type === 'undoCheckOut') checkUndoTime(state, now);
  if (type === 'announceReturn') checkAnnounceTime(state, now);
  if (type === 'extend') checkNoCase(state);
  if (type === 'reinstate') checkTimeLeft(state, now);
  if (type === 'billCycle') checkBillable(state, now);
}

/** The timer that ends it may be late; whoever asked was told that it ends then. */
function checkInTime({ answerBy, status }: Judged, now: string): void {
  if (!answerBy || Date.parse(now) < Date.parse(answerBy)) return;
  throw new DomainError('invalid-state', 'The time to confirm this request is over.', {
    rentalStatus: status,
    command: 'confirm',
    answerBy,
  });
}

function checkExchange(state: RentalState, command: Exchange): void {
  checkReturn(state, command);
  if (command.taken?.vehicleId === state.vehicleId) {
    throw new DomainError('value-refused', 'It is out already; name another vehicle.', {
      field: 'taken.vehicleId',
    });
  }
  if (command.paidUpgrade !== true || command.reason === 'upgrade') return;
  throw new DomainError('value-refused', 'Only an upgrade may be charged for.', {
    field: 'paidUpgrade',
  });
}

function checkReturn(state: RentalState, command: Reading): void {
  if (command.odometerKm < (state.odometerOutKm ?? 0)) {
    throw new DomainError('odometer-rollback', 'The odometer reads less than at check-out.', {
      odometerOutKm: state.odometerOutKm ?? 0,
      odometerKm: command.odometerKm,
    });
  }
}

/** The commands that a person may give now, for screens that know no rules. */
export function allowedCommands(status: RentalStatus): readonly PeoplesCommand[] {
  return FOR_PEOPLE.filter((type) => ALLOWED[type].includes(status));
}
