// What the database did to a rental, and the state that follows from it.
import type { Quote } from '../pricing.ts';
import type { CheckIn, Extend, HoldWarning, Reading, RentalState } from './state.ts';

/** A span that got another vehicle, or lost its own, because of what happened to this rental. */
export type Reassignment = {
  readonly rentalId: string;
  readonly vehicleId: string | null;
  /** Of the span: rises with each reassignment. Absent in what older runs recorded. */
  readonly version?: number | undefined;
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
    case 'confirmed': {
      const { vehicleId, noShowAt } = outcome;
      return { ...next, status: 'reserved', vehicleId, noShowAt };
    }
    case 'declined':
    case 'expired':
      return { ...next, status: outcome.type };
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
