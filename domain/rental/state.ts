// What a rental is: its states, what is known of it in each, and what its commands carry.
import type { BookedChoices, BookingOverride, BookingTerms } from '../booking.ts';
import type { Quote } from '../pricing.ts';

export type RentalStatus =
  | 'requested'
  | 'refused'
  | 'reserved'
  | 'active'
  | 'returned'
  | 'closed'
  | 'cancelled'
  | 'no_show'
  | 'declined'
  | 'expired';

/** A gauge reading: eighths of a tank, 0 to 8. */
export type FuelEighths = number;

export const CANCEL_REASONS = ['customer', 'duplicate', 'fleet', 'weather', 'other'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** What is not the renter's doing costs nothing; only staff may say that it is not. */
export const CHARGED_REASONS = ['customer', 'other'] as const satisfies readonly CancelReason[];

export function isCharged(reason: CancelReason): boolean {
  return CHARGED_REASONS.some((charged) => charged === reason);
}

/** Why a request for a vehicle is not granted: codes, because free text may name persons. */
export const DECLINE_REASONS = ['no-vehicle', 'customer', 'credit', 'other'] as const;
export type DeclineReason = (typeof DECLINE_REASONS)[number];

/** What a counter asks for. Instants are ISO 8601 in UTC; ids are UUIDv7 or codes. */
export type RentalRequest = BookingTerms &
  BookedChoices & {
    readonly id: string;
    readonly branchId: string;
    readonly classId: string;
    readonly customerId: string;
    readonly pickUpAt: string;
    readonly dueAt: string;
    /** Where it is given back; left out, where it starts. */
    readonly returnBranchId?: string | undefined;
    /** The customer who is invoiced; left out, the one who rents. */
    readonly payerId?: string | null | undefined;
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

/** A rental from `requested` or `reserved` on, as its workflow, its row and the API know it. No personal data. */
export type RentalState = Omit<RentalRequest, keyof BookingTerms | keyof BookedChoices> & {
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
  /** Of what was asked for on request: unanswered by then, it expires. */
  readonly answerBy?: string | null | undefined;
  readonly checkedOutAt: string | null;
  readonly odometerOutKm: number | null;
  readonly fuelOutEighths: FuelEighths | null;
  readonly checkedInAt: string | null;
  readonly odometerInKm: number | null;
  readonly fuelInEighths: FuelEighths | null;
  readonly price: Quote;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  /** Of one that did not take place: gross, on the invoice above; 0 when it costs nothing. */
  readonly feeMinor?: number | null | undefined;
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
/** Before pick-up: what is left out stays, null takes it back. */
export type Amend = Omit<BookedChoices, 'rate' | 'promotion'> & {
  readonly classId?: string | undefined;
  readonly returnBranchId?: string | undefined;
  readonly pickUpAt?: string | undefined;
  readonly dueAt?: string | undefined;
  readonly payerId?: string | null | undefined;
  readonly rate?: string | null | undefined;
  readonly promotion?: string | null | undefined;
};
/** Books what was asked for on request, with a manager's override where the rules refuse it. */
export type Confirm = { readonly override?: BookingOverride | undefined };
export type Decline = { readonly reason: DeclineReason };

const FINAL: readonly RentalStatus[] = [
  'refused',
  'closed',
  'cancelled',
  'no_show',
  'declined',
  'expired',
];

export function isFinal(status: RentalStatus): boolean {
  return FINAL.includes(status);
}
