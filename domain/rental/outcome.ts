// What the database did to a rental, and the state that follows from it.
import type { Quote } from '../pricing.ts';
import type { BookedPlace } from './amendment.ts';
import type { CheckIn, Extend, HoldWarning, Reading, RentalState } from './state.ts';

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
  | {
      readonly type: 'confirmed';
      readonly vehicleId: string | null;
      readonly noShowAt: string;
    }
  | { readonly type: 'declined' | 'expired' }
  | ({
      readonly type: 'amended';
      /** Absent when the calendar was not asked. */
      readonly vehicleId?: string | undefined;
      readonly price: Quote;
      readonly noShowAt: string;
      readonly payerId: string | null;
    } & BookedPlace)
  | ({ readonly type: 'cancelled' | 'noShow' } & Partial<FeeCharged>)
  | { readonly type: 'reminded' | 'overdueMarked' | 'closed' }
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
    case 'confirmed': {
      const { vehicleId, noShowAt } = outcome;
      return { ...next, status: 'reserved', vehicleId, noShowAt };
    }
    case 'declined':
    case 'expired':
      return { ...next, status: outcome.type };
    case 'amended': {
      const { type: _type, at: _at, reassigned: _moved, vehicleId, ...booked } = outcome;
      return { ...next, ...booked, ...(vehicleId === undefined ? {} : { vehicleId }) };
    }
    case 'cancelled':
      return { ...next, ...feeOf(outcome), status: 'cancelled', vehicleId: null };
    case 'noShow':
      return { ...next, ...feeOf(outcome), status: 'no_show', vehicleId: null };
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

function feeOf({ feeMinor, invoiceId, invoiceNumber }: Partial<FeeCharged>): Partial<FeeCharged> {
  if (feeMinor === undefined || invoiceId === undefined || invoiceNumber === undefined) return {};
  return { feeMinor, invoiceId, invoiceNumber };
}
