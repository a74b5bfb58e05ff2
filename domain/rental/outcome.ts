// What the database did to a rental, and the state that follows from it.
import type { Quote } from '../pricing.ts';
import type { BookedPlace } from './amendment.ts';
import type { NotReturnedStep } from './desk.ts';
import type {
  AnnounceDelay,
  CheckIn,
  ExchangedVehicle,
  Extend,
  HoldWarning,
  Reading,
  RentalState,
} from './state.ts';

/** A span that got another vehicle, or lost its own, because of what happened to this rental. */
export type Reassignment = {
  readonly rentalId: string;
  readonly vehicleId: string | null;
  /** Of the span: rises with each reassignment. Absent in what older runs recorded. */
  readonly version?: number | undefined;
};

/** Of a rental that did not take place: gross, on a document of its own. */
export type FeeCharged = {
  readonly feeMinor: number;
  readonly invoiceId: string;
  readonly invoiceNumber: string;
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
      readonly cycleEndsAt?: string | null | undefined;
      /** Where contracts before it change its tax; absent in what older runs recorded. */
      readonly price?: Quote | undefined;
      readonly warnings?: readonly HoldWarning[] | undefined;
    } & Reading)
  | ({
      readonly type: 'extended';
      readonly vehicleId: string | null;
      readonly price: Quote;
      /** Where a late flight is waited for longer. */
      readonly noShowAt?: string | undefined;
    } & Extend)
  | ({
      readonly type: 'exchanged';
      /** The one of now, whose reading this is; `before` is the one that came back. */
      readonly vehicleId: string;
      readonly before: ExchangedVehicle;
      readonly price: Quote;
      readonly warnings?: readonly HoldWarning[] | undefined;
    } & Reading)
  | ({
      readonly type: 'checkedIn';
      readonly price: Quote;
      /** Null for a price of nothing. */
      readonly invoiceId: string | null;
      readonly invoiceNumber: string | null;
    } & CheckIn)
  | {
      readonly type: 'confirmed';
      readonly vehicleId: string | null;
      readonly noShowAt: string;
    }
  | { readonly type: 'declined' | 'expired' }
  | ({
      readonly type: 'amended';
      /** Absent when the calendar was not asked; null for what waits for a vehicle, and waits less. */
      readonly vehicleId?: string | null | undefined;
      readonly price: Quote;
      readonly noShowAt: string;
      /** Gone with another pick-up; absent in what older runs recorded. */
      readonly delayMinutes?: number | undefined;
      readonly payerId: string | null;
    } & BookedPlace)
  | {
      readonly type: 'swapped';
      readonly vehicleId: string;
      /** What is booked from now on, and what the vehicle is; null for what was booked. */
      readonly classId: string;
      readonly givenClassId: string | null;
      readonly price: Quote;
    }
  | ({
      readonly type: 'cancelled' | 'noShow';
      /** A card holds a deposit, which is to be settled. */
      readonly isHeld?: true | undefined;
      /** Of what a card was charged in advance something is owed back, and goes back to it. */
      readonly isOwedBack?: true | undefined;
    } & Partial<FeeCharged>)
  | {
      readonly type: 'checkOutUndone' | 'reinstated';
      readonly vehicleId: string;
      readonly noShowAt: string;
      readonly price?: Quote | undefined;
    }
  | { readonly type: 'returnAnnounced'; readonly announcedReturnAt: string }
  | ({ readonly type: 'delayAnnounced'; readonly noShowAt: string } & AnnounceDelay)
  /** `notReturned`: the step of the ladder that it is on; absent in what older runs recorded. */
  | {
      readonly type: 'overdueMarked';
      readonly notReturned?: NotReturnedStep | null | undefined;
    }
  /** `payableBy` null: nothing was added, and no document is there to be paid. */
  | {
      readonly type: 'cycleBilled';
      readonly cycleEndsAt: string;
      readonly payableBy: string | null;
    }
  | {
      readonly type: 'arrearsChecked';
      readonly arrears: boolean;
      /** Null: every invoice so far is paid. */
      readonly nextCheckAt: string | null;
    }
  | { readonly type: 'reminded' }
  | {
      readonly type: 'closed';
      readonly isHeld?: undefined;
      readonly isOwedBack?: true | undefined;
    }
  | { readonly type: 'shortageRaised' }
);

const BACK_IN_TIME = { announcedReturnAt: null, notReturned: null } as const;
/** Whose check-out is undone, or who comes after all, has neither keys nor a fee. */
const RESERVED_AGAIN = {
  ...BACK_IN_TIME,
  ...{ checkedOutAt: null, odometerOutKm: null, fuelOutEighths: null },
  ...{ feeMinor: null, invoiceId: null, invoiceNumber: null },
  status: 'reserved',
} as const;

/** The state after the outcome. Total: whatever the database recorded has a next state. */
export function evolve(state: RentalState, outcome: RentalOutcome): RentalState {
  const { warnings: _told, ...before } = state;
  const next = { ...before, version: outcome.version };
  switch (outcome.type) {
    case 'checkedOut':
      return { ...next, ...outBy(outcome) };
    case 'extended':
      return {
        ...next,
        ...{ ...BACK_IN_TIME, overdue: false },
        vehicleId: outcome.vehicleId,
        dueAt: outcome.dueAt,
        noShowAt: outcome.noShowAt ?? state.noShowAt,
        price: outcome.price,
      };
    case 'exchanged':
      return {
        ...next,
        vehicleId: outcome.vehicleId,
        odometerOutKm: outcome.odometerKm,
        fuelOutEighths: outcome.fuelEighths,
        price: outcome.price,
        exchanged: [...(state.exchanged ?? []), outcome.before],
        ...(outcome.warnings === undefined ? {} : { warnings: outcome.warnings }),
      };
    case 'checkedIn':
      return { ...next, ...backBy(outcome), ...(state.arrears ? { arrears: false } : {}) };
    case 'confirmed': {
      const { vehicleId, noShowAt } = outcome;
      return { ...next, status: 'reserved', vehicleId, noShowAt };
    }
    case 'declined':
    case 'expired':
      return { ...next, status: outcome.type };
    case 'amended': {
      const { type: _type, at: _at, reassigned: _moved, vehicleId, ...booked } = outcome;
      if (vehicleId === undefined) return { ...next, ...booked };
      // Placed anew, it has what is booked now, whatever a swap gave before.
      const { givenClassId: _given, ...placed } = next;
      return { ...placed, ...booked, vehicleId };
    }
    case 'swapped': {
      const { vehicleId, classId, givenClassId, price } = outcome;
      return { ...next, vehicleId, classId, givenClassId, price };
    }
    case 'cancelled':
      return { ...next, ...feeOf(outcome), status: 'cancelled', vehicleId: null };
    case 'noShow':
      return { ...next, ...feeOf(outcome), status: 'no_show', vehicleId: null };
    case 'overdueMarked':
      return { ...next, overdue: true, notReturned: outcome.notReturned ?? null };
    case 'returnAnnounced':
      return { ...next, announcedReturnAt: outcome.announcedReturnAt };
    case 'delayAnnounced':
      return { ...next, delayMinutes: outcome.delayMinutes, noShowAt: outcome.noShowAt };
    case 'checkOutUndone':
    case 'reinstated': {
      const { vehicleId, noShowAt, price = next.price } = outcome;
      return { ...next, ...RESERVED_AGAIN, vehicleId, noShowAt, price };
    }
    case 'cycleBilled':
      return { ...next, cycleEndsAt: outcome.cycleEndsAt };
    case 'arrearsChecked':
      return { ...next, arrears: outcome.arrears };
    case 'reminded':
    case 'shortageRaised':
      return next;
    case 'closed':
      return { ...next, status: 'closed' };
    default:
      return outcome satisfies never;
  }
}

function outBy(outcome: Extract<RentalOutcome, { readonly type: 'checkedOut' }>) {
  const { vehicleId, at, odometerKm, fuelEighths, cycleEndsAt, price, warnings } = outcome;
  return {
    status: 'active',
    vehicleId,
    ...(cycleEndsAt === undefined ? {} : { cycleEndsAt }),
    ...(price === undefined ? {} : { price }),
    checkedOutAt: at,
    odometerOutKm: odometerKm,
    fuelOutEighths: fuelEighths,
    ...(warnings === undefined ? {} : { warnings }),
  } as const;
}

function backBy(outcome: Extract<RentalOutcome, { readonly type: 'checkedIn' }>) {
  return {
    status: 'returned',
    overdue: false,
    notReturned: null,
    afterHours: outcome.droppedAt !== undefined,
    returnBranchId: outcome.branchId,
    checkedInAt: outcome.droppedAt ?? outcome.at,
    odometerInKm: outcome.odometerKm,
    fuelInEighths: outcome.fuelEighths,
    price: outcome.price,
    invoiceId: outcome.invoiceId,
    invoiceNumber: outcome.invoiceNumber,
  } as const;
}

function feeOf({ feeMinor, invoiceId, invoiceNumber }: Partial<FeeCharged>): Partial<FeeCharged> {
  if (feeMinor === undefined || invoiceId === undefined || invoiceNumber === undefined) return {};
  return { feeMinor, invoiceId, invoiceNumber };
}
