// What a rental is: its states, what is known of it in each, and what its commands carry.
import type { BookedChoices, BookingOverride, BookingTerms, VoucherTerms } from '../booking.ts';
import type { Quote } from '../pricing.ts';
import type { BillingCycle } from '../rate-plan-terms.ts';
import type { DeskTerms, NotReturnedStep } from './desk.ts';

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

/** Why keys came back at once: codes, because free text may name persons. */
export const UNDO_REASONS = ['wrong-vehicle', 'defect', 'renter', 'typing', 'other'] as const;
export type UndoReason = (typeof UNDO_REASONS)[number];

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
    /** Invoiced in cycles once it lasts more than 30 days; left out, as the rate plan says. */
    readonly billing?: BillingCycle | 'none' | undefined;
    /** Of somebody who stands at the counter: the keys that go out at once. */
    readonly keys?: CheckOut | undefined;
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
export type RentalState = Omit<
  RentalRequest,
  keyof BookingTerms | keyof BookedChoices | 'keys' | 'billing'
> & {
  readonly number: string;
  readonly status: RentalStatus;
  /** Past its due time and grace, and still out. A flag, because the rental stays `active`. */
  readonly overdue: boolean;
  /** Null when no vehicle could be kept for it: a person has to find one before pick-up. */
  readonly vehicleId: string | null;
  /** Of the vehicle that a swap gave; absent for one that is as it was booked. */
  readonly givenClassId?: string | null | undefined;
  readonly returnBranchId: string;
  readonly entityId: string;
  /** When the vehicle is given up if nobody picks it up. */
  readonly noShowAt: string;
  /** Of the renter's flight, as announced; absent in what runs of before there were such remember. */
  readonly delayMinutes?: number | undefined;
  /** Minutes after `dueAt` from which the rental counts as overdue. */
  readonly graceMinutes: number;
  /** Minutes before `dueAt` at which the renter is reminded. */
  readonly reminderMinutes: number;
  /** Minutes before pick-up at which a rental without a vehicle becomes a case for people. */
  readonly shortageMinutes?: number | undefined;
  /** Absent in what runs of before there were such terms remember: DESK_TERMS hold for them. */
  readonly deskTerms?: DeskTerms | undefined;
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
  /** Of one that did not take place: gross, on the invoice above; null when it costs nothing. */
  readonly feeMinor?: number | null | undefined;
  /** It began at the counter, without a booking before. */
  readonly walkUp?: boolean | undefined;
  /** When a renter who is late said that the vehicle comes back: the due time and price stay. */
  readonly announcedReturnAt?: string | null | undefined;
  /** It was left at a closed branch; `checkedInAt` is when. */
  readonly afterHours?: boolean | undefined;
  /** What was done last about a vehicle that does not come back. */
  readonly notReturned?: NotReturnedStep | null | undefined;
  /** Absent in what runs of before there were cycles remember. */
  readonly billingCycle?: BillingCycle | null | undefined;
  /** Of the cycle that is billed next; null before the keys are out. */
  readonly cycleEndsAt?: string | null | undefined;
  /** A cycle's invoice is unpaid past its terms. */
  readonly arrears?: boolean | undefined;
  /** Of the check-out that just happened; nobody keeps them. */
  readonly warnings?: readonly HoldWarning[] | undefined;
  /** The vehicles that it had before the one of now, the first one first; absent without any. */
  readonly exchanged?: readonly ExchangedVehicle[] | undefined;
  /** The same, of a row that is read without them. */
  readonly isExchanged?: boolean | undefined;
  /** Of one that is over, as its row is read: money that nobody asks for any more. */
  readonly payBack?: PayBack | undefined;
  /** Of the row: each recorded fact adds one; also the sequence number of the rental's events. */
  readonly version: number;
};

/** Minor units, and what they were paid by; neither id where a gateway took them from a card. */
export type PayBack = {
  readonly amountMinor: number;
  readonly paymentId: string | null;
  readonly prepaymentId: string | null;
};

export type Reading = { readonly odometerKm: number; readonly fuelEighths: FuelEighths };
/**
 * `vehicleId` names the keys in the counter's hand; left out, they are those of the kept vehicle.
 * `delayedCharges`: with the agreement the renter agrees in writing that what comes after the return is charged to the card.
 */
export type CheckOut = Reading & {
  readonly vehicleId?: string | undefined;
  readonly delayedCharges?: true | undefined;
};
export type Extend = { readonly dueAt: string };
/**
 * `droppedAt`: it lay in the key drop of a closed branch since then. `dropGranted`: a manager said why
 * longer than the rule lets pass; the reason is in rentals.drop_override.
 */
export type CheckIn = Reading & {
  readonly branchId: string;
  readonly droppedAt?: string | undefined;
  readonly dropGranted?: true | undefined;
};
/** The keys came back at once, for a reason of the desk. */
export type UndoCheckOut = Reading & { readonly reason: UndoReason };
export type AnnounceReturn = { readonly at: string };
/** Of the flight whose number the rental's row of rentals.flight has: it names a journey, so it stays there. */
export type AnnounceDelay = { readonly delayMinutes: number };
export type Cancel = { readonly reason: CancelReason };

/** Why a vehicle takes the place of the one that is out: codes, because free text may name persons. */
export const EXCHANGE_REASONS = ['breakdown', 'upgrade', 'customer', 'fleet'] as const;
export type ExchangeReason = (typeof EXCHANGE_REASONS)[number];
/** What keeps the vehicle that came back from going out again. */
export const EXCHANGE_HOLDS = ['maintenance', 'damage'] as const;
/**
 * The reading is that of the vehicle that comes back, and stays at `branchId`, where the other goes out:
 * the one whose keys are in the counter's hand, or the best fitting one with the register's readings.
 * `paidUpgrade` charges what its class costs more for the rest; without it an upgrade is free.
 */
export type Exchange = Reading & {
  readonly reason: ExchangeReason;
  readonly branchId: string;
  readonly taken?: ({ readonly vehicleId: string } & Partial<Reading>) | undefined;
  readonly paidUpgrade?: boolean | undefined;
  readonly hold?: (typeof EXCHANGE_HOLDS)[number] | undefined;
};
/** A vehicle that the rental had until it was exchanged; `reason` is that of the exchange. */
export type ExchangedVehicle = {
  readonly vehicleId: string;
  readonly reason: ExchangeReason;
  readonly branchId: string;
  readonly from: string;
  readonly to: string;
  readonly out: Reading;
  readonly back: Reading;
};
/** Why another vehicle is kept before the pick-up: codes, because free text may name persons. */
export const SWAP_REASONS = ['customer', 'fleet', 'defect', 'other'] as const;
export type SwapReason = (typeof SWAP_REASONS)[number];
/** How the renter agreed to a class that is not up the ladder of the booked one. */
export const SWAP_CONSENTS = ['signed', 'spoken', 'mail'] as const;
export type SwapConsent = (typeof SWAP_CONSENTS)[number];
/** Before pick-up: that vehicle, or the best fitting one of that class. */
export type Swap = {
  readonly vehicleId?: string | undefined;
  readonly classId?: string | undefined;
  readonly reason?: SwapReason | undefined;
  readonly consent?: SwapConsent | undefined;
};
/** Before pick-up: what is left out stays, null takes it back. */
export type Amend = Omit<BookedChoices, 'rate' | 'promotion'> & {
  readonly classId?: string | undefined;
  readonly returnBranchId?: string | undefined;
  readonly pickUpAt?: string | undefined;
  readonly dueAt?: string | undefined;
  readonly payerId?: string | null | undefined;
  readonly rate?: string | null | undefined;
  readonly promotion?: string | null | undefined;
  /** Reckoned anew for what is booked afterwards. */
  readonly voucher?: VoucherTerms | undefined;
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
