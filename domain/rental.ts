// What may happen to a rental, in which order: the state machine, without clock, storage or I/O.
import { DomainError } from './errors.ts';
import { checkAmendment } from './rental/amendment.ts';
import type {
  Amend,
  Cancel,
  CheckIn,
  CheckOut,
  Confirm,
  Decline,
  Extend,
  RentalState,
  RentalStatus,
} from './rental/state.ts';
import { checkTerm } from './rental-term.ts';

export * from './rental/outcome.ts';
export * from './rental/state.ts';

/** What people ask of a rental, and what its own timers do to it. */
export type RentalCommand =
  | ({ readonly type: 'checkOut' } & CheckOut)
  | ({ readonly type: 'extend' } & Extend)
  | ({ readonly type: 'amend' } & Amend)
  | ({ readonly type: 'checkIn' } & CheckIn)
  | ({ readonly type: 'cancel' } & Cancel)
  | ({ readonly type: 'confirm' } & Confirm)
  | ({ readonly type: 'decline' } & Decline)
  | { readonly type: 'expire' }
  | { readonly type: 'noShow' }
  | { readonly type: 'raiseShortage' }
  | { readonly type: 'remind' }
  | { readonly type: 'markOverdue' }
  | { readonly type: 'close' };

export type RentalCommandType = RentalCommand['type'];

const ALLOWED: Readonly<Record<RentalCommandType, readonly RentalStatus[]>> = {
  checkOut: ['reserved'],
  extend: ['reserved', 'active'],
  amend: ['reserved'],
  checkIn: ['active'],
  cancel: ['requested', 'reserved'],
  confirm: ['requested'],
  decline: ['requested'],
  expire: ['requested'],
  noShow: ['reserved'],
  raiseShortage: ['reserved'],
  remind: ['active'],
  markOverdue: ['active'],
  close: ['returned'],
};

/** The commands of people; the others belong to the rental's timers. */
export const FOR_PEOPLE = [
  'checkOut',
  'extend',
  'amend',
  'checkIn',
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
  if (command.type === 'amend') {
    const { type: _type, ...change } = command;
    checkAmendment(state, change, now);
  }
  return command;
}

/**
 * What no value that a command carries could change: screens are told by the same rule before
 * anybody has typed one. Throws `invalid-state`. `now` is ISO 8601 in UTC.
 */
export function checkPossible(state: RentalState, type: RentalCommandType, now: string): void {
  if (!ALLOWED[type].includes(state.status)) {
    throw new DomainError(
      'invalid-state',
      `A rental that is ${state.status} does not allow ${type}.`,
      { rentalStatus: state.status, command: type },
    );
  }
  if (type === 'confirm') checkInTime(state, now);
}

/** The timer that ends it may be late; whoever asked was told that it ends then. */
function checkInTime({ answerBy, status }: RentalState, now: string): void {
  if (!answerBy || Date.parse(now) < Date.parse(answerBy)) return;
  throw new DomainError('invalid-state', 'The time to confirm this request is over.', {
    rentalStatus: status,
    command: 'confirm',
    answerBy,
  });
}

function checkReturn(state: RentalState, command: CheckIn): void {
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
