// What may happen to a rental, in which order: the state machine, without clock, storage or I/O.
import type { BookingTerms } from './booking.ts';
import { DomainError } from './errors.ts';
import type { Quote } from './pricing.ts';
import { checkTerm } from './rental-term.ts';

export type RentalStatus =
  | 'requested'
  | 'refused'
  | 'reserved'
  | 'active'
  | 'returned'
  | 'closed'
  | 'cancelled'
  | 'no_show';

/** A gauge reading: eighths of a tank, 0 to 8. */
export type FuelEighths = number;

export const CANCEL_REASONS = ['customer', 'duplicate', 'fleet', 'weather', 'other'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** What a counter asks for. Instants are ISO 8601 in UTC; ids are UUIDv7 or codes. */
export type RentalRequest = BookingTerms & {
  readonly id: string;
  readonly branchId: string;
  readonly classId: string;
  readonly customerId: string;
  readonly pickUpAt: string;
  readonly dueAt: string;
  /** Where it is given back; left out, where it starts. */
  readonly returnBranchId?: string | undefined;
};

/** A hold that warns: who hands the vehicle out is told, and goes on. */
export type HoldWarning = {
  readonly holdId: string;
  readonly type: string;
  readonly from: string | null;
  readonly until: string | null;
  readonly limitKm: number | null;
  readonly projectedKm: number | null;
};

/** A rental from `reserved` on, as its workflow, its row and the API know it. No personal data. */
export type RentalState = Omit<RentalRequest, keyof BookingTerms> & {
  readonly number: string;
  readonly status: RentalStatus;
  /** Past its due time and grace, and still out. A flag, because the rental stays `active`. */
  readonly overdue: boolean;
  /** Null when no vehicle could be kept for it: a person has to find one before pick-up. */
  readonly vehicleId: string | null;
  readonly returnBranchId: string;
  readonly entityId: string;
  /** When the vehicle is given up if nobody picks it up. */
  readonly noShowAt: string;
  /** Minutes after `dueAt` from which the rental counts as overdue. */
  readonly graceMinutes: number;
  /** Minutes before `dueAt` at which the renter is reminded. */
  readonly reminderMinutes: number;
  /** Minutes before pick-up at which a rental without a vehicle becomes a case for people. */
  readonly shortageMinutes?: number | undefined;
  readonly checkedOutAt: string | null;
  readonly odometerOutKm: number | null;
  readonly fuelOutEighths: FuelEighths | null;
  readonly checkedInAt: string | null;
  readonly odometerInKm: number | null;
  readonly fuelInEighths: FuelEighths | null;
  readonly price: Quote;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  /** Of the check-out that just happened; nobody keeps them. */
  readonly warnings?: readonly HoldWarning[] | undefined;
  /** Of the row: each recorded fact adds one; also the sequence number of the rental's events. */
  readonly version: number;
};

export type Reading = { readonly odometerKm: number; readonly fuelEighths: FuelEighths };
/** `vehicleId` names the keys in the counter's hand; left out, they are those of the kept vehicle. */
export type CheckOut = Reading & { readonly vehicleId?: string | undefined };
export type Extend = { readonly dueAt: string };
export type CheckIn = Reading & { readonly branchId: string };
export type Cancel = { readonly reason: CancelReason };

/** What people ask of a rental, and what its own timers do to it. */
export type RentalCommand =
  | ({ readonly type: 'checkOut' } & CheckOut)
  | ({ readonly type: 'extend' } & Extend)
  | ({ readonly type: 'checkIn' } & CheckIn)
  | ({ readonly type: 'cancel' } & Cancel)
  | { readonly type: 'noShow' }
  | { readonly type: 'raiseShortage' }
  | { readonly type: 'remind' }
  | { readonly type: 'markOverdue' }
  | { readonly type: 'close' };

export type RentalCommandType = RentalCommand['type'];

const ALLOWED: Readonly<Record<RentalCommandType, readonly RentalStatus[]>> = {
  checkOut: ['reserved'],
  extend: ['reserved', 'active'],
  checkIn: ['active'],
  cancel: ['reserved'],
  noShow: ['reserved'],
  raiseShortage: ['reserved'],
  remind: ['active'],
  markOverdue: ['active'],
  close: ['returned'],
};

/** The commands of people; the others belong to the rental's timers. */
const FOR_PEOPLE = ['checkOut', 'extend', 'checkIn', 'cancel'] as const;
export type PeoplesCommand = (typeof FOR_PEOPLE)[number];

/**
 * Refuses what may not happen now; what it lets through is the intent to carry out.
 * Throws `invalid-state`, `odometer-rollback`, `due-not-later`, `booking-too-long`. `now` is ISO
 * 8601 in UTC.
 */
export function decide(state: RentalState, command: RentalCommand, now: string): RentalCommand {
  if (!ALLOWED[command.type].includes(state.status)) {
    throw new DomainError(
      'invalid-state',
      `A rental that is ${state.status} does not allow ${command.type}.`,
      { rentalStatus: state.status, command: command.type },
    );
  }
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
  return command;
}

function checkReturn(state: RentalState, command: CheckIn): void {
  if (command.odometerKm < (state.odometerOutKm ?? 0)) {
    throw new DomainError('odometer-rollback', 'The odometer reads less than at check-out.', {
      odometerOutKm: state.odometerOutKm ?? 0,
      odometerKm: command.odometerKm,
    });
  }
}

/** A span that got another vehicle, or lost its own, because of what happened to this rental. */
export type Reassignment = {
  readonly rentalId: string;
  readonly vehicleId: string | null;
};

/** What the database did: the fact that turns one state into the next. */
export type RentalOutcome = {
  /** When it happened: the recording transaction's time. */
  readonly at: string;
  readonly version: number;
  /** Rentals to tell that their vehicle changed. */
  readonly reassigned: readonly Reassignment[];
} & (
  | ({
      readonly type: 'checkedOut';
      readonly vehicleId: string;
      readonly warnings?: readonly HoldWarning[] | undefined;
    } & Reading)
  | ({
      readonly type: 'extended';
      readonly vehicleId: string | null;
      readonly price: Quote;
    } & Extend)
  | ({
      readonly type: 'checkedIn';
      readonly price: Quote;
      readonly invoiceId: string;
      readonly invoiceNumber: string;
    } & CheckIn)
  | { readonly type: 'cancelled' | 'noShow' | 'reminded' | 'overdueMarked' | 'closed' }
  | { readonly type: 'shortageRaised' }
);

/** The state after the outcome. Total: whatever the database recorded has a next state. */
export function evolve(state: RentalState, outcome: RentalOutcome): RentalState {
  const { warnings: _told, ...before } = state;
  const next = { ...before, version: outcome.version };
  switch (outcome.type) {
    case 'checkedOut':
      return {
        ...next,
        status: 'active',
        vehicleId: outcome.vehicleId,
        checkedOutAt: outcome.at,
        odometerOutKm: outcome.odometerKm,
        fuelOutEighths: outcome.fuelEighths,
        ...(outcome.warnings === undefined ? {} : { warnings: outcome.warnings }),
      };
    case 'extended':
      return {
        ...next,
        overdue: false,
        vehicleId: outcome.vehicleId,
        dueAt: outcome.dueAt,
        price: outcome.price,
      };
    case 'checkedIn':
      return {
        ...next,
        status: 'returned',
        overdue: false,
        returnBranchId: outcome.branchId,
        checkedInAt: outcome.at,
        odometerInKm: outcome.odometerKm,
        fuelInEighths: outcome.fuelEighths,
        price: outcome.price,
        invoiceId: outcome.invoiceId,
        invoiceNumber: outcome.invoiceNumber,
      };
    case 'cancelled':
      return { ...next, status: 'cancelled', vehicleId: null };
    case 'noShow':
      return { ...next, status: 'no_show', vehicleId: null };
    case 'overdueMarked':
      return { ...next, overdue: true };
    case 'reminded':
    case 'shortageRaised':
      return next;
    case 'closed':
      return { ...next, status: 'closed' };
    default:
      return outcome satisfies never;
  }
}

export function isFinal(status: RentalStatus): boolean {
  return ['refused', 'closed', 'cancelled', 'no_show'].includes(status);
}

/** The commands that a person may give now, for screens that know no rules. */
export function allowedCommands(status: RentalStatus): readonly PeoplesCommand[] {
  return FOR_PEOPLE.filter((type) => ALLOWED[type].includes(status));
}
