// The facts of the rentals domain: customers, rates, quotes and rentals.
import type { MoneyEvents } from './prepayments.ts';

/** What every fact about a rental says; `status` is the one after the fact. */
type RentalFact = {
  readonly rentalId: string;
  readonly branchId: string;
  readonly status: string;
};

type QuoteFact = {
  readonly quoteId: string;
  readonly branchId: string;
  readonly classId: string;
  readonly status: string;
  readonly rentalId: string | null;
};

/** `blockId` is the aggregate; why is told by the row alone. */
type BlockFact = {
  readonly blockId: string;
  readonly customerId: string;
  readonly until: string | null;
};

type DamageCaseFact = {
  readonly caseId: string;
  readonly rentalId: string;
  readonly vehicleId: string;
  readonly branchId: string;
  readonly status: string;
  readonly severity: string;
  readonly chargeMinor: number | null;
  readonly currency: string;
  readonly attention: string | null;
};

/** A toll or fine; `status` is the one after the fact. What nobody could match has no rental. */
type ViolationFact = {
  readonly violationId: string;
  readonly kind: string;
  readonly status: string;
  readonly queueReason: string | null;
  readonly rentalId: string | null;
  readonly vehicleId: string | null;
  readonly branchId: string | null;
  readonly amountMinor: number;
  readonly currency: string;
};

/** Data by event type. */
export type RentalEvents = MoneyEvents & {
  readonly 'forecourt.rental.reserved.v1': RentalFact & {
    readonly number: string;
    readonly customerId: string;
    readonly classId: string;
    readonly vehicleId: string | null;
    readonly pickUpAt: string;
    readonly dueAt: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** Asked for on request: nothing is kept for it until a person confirms it. */
  readonly 'forecourt.rental.requested.v1': RentalFact & {
    readonly number: string;
    readonly customerId: string;
    readonly classId: string;
    readonly pickUpAt: string;
    readonly dueAt: string;
    readonly answerBy: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  readonly 'forecourt.rental.confirmed.v1': RentalFact & {
    readonly classId: string;
    readonly vehicleId: string | null;
    readonly pickUpAt: string;
    readonly dueAt: string;
  };
  readonly 'forecourt.rental.declined.v1': RentalFact & { readonly reason: string };
  /** Nobody answered the request in time. */
  readonly 'forecourt.rental.expired.v1': RentalFact & { readonly answerBy: string };
  readonly 'forecourt.rental.checked-out.v1': RentalFact & {
    readonly vehicleId: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly checkedOutAt: string;
    readonly dueAt: string;
  };
  readonly 'forecourt.rental.extended.v1': RentalFact & {
    readonly previousDueAt: string;
    readonly dueAt: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** Changed before pick-up; who got which vehicle is in the calendar's facts. */
  readonly 'forecourt.rental.amended.v1': RentalFact & {
    readonly classId: string;
    readonly returnBranchId: string;
    readonly pickUpAt: string;
    readonly dueAt: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** Another vehicle is kept before pick-up; `classId` is booked from now on, `givenClassId` the vehicle's. */
  readonly 'forecourt.rental.swapped.v1': RentalFact & {
    readonly vehicleId: string;
    readonly previousVehicleId: string | null;
    readonly classId: string;
    readonly givenClassId: string;
    readonly direction: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** `vehicleId` took the place of `previousVehicleId`, whose reading this is, at `exchangeBranchId`. */
  readonly 'forecourt.rental.vehicle-exchanged.v1': RentalFact & {
    readonly vehicleId: string;
    readonly previousVehicleId: string;
    readonly exchangeBranchId: string;
    readonly reason: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly exchangedAt: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  readonly 'forecourt.rental.checked-in.v1': RentalFact & {
    readonly vehicleId: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly checkedInAt: string;
  };
  readonly 'forecourt.rental.closed.v1': RentalFact & {
    /** Null where it cost nothing. */
    readonly invoiceId: string | null;
    readonly totalMinor: number;
    readonly currency: string;
  };
  readonly 'forecourt.rental.cancelled.v1': RentalFact & {
    readonly cancelledAt: string;
    readonly reason: string;
  };
  readonly 'forecourt.rental.no-show.v1': RentalFact & { readonly pickUpAt: string };
  readonly 'forecourt.rental.return-reminder.v1': RentalFact & { readonly dueAt: string };
  readonly 'forecourt.rental.overdue.v1': RentalFact & {
    readonly vehicleId: string;
    readonly dueAt: string;
    readonly keptUntil: string;
  };
  /** The next step of the ladder for a vehicle that does not come back: mail, call, manager. */
  readonly 'forecourt.rental.not-returned.v1': RentalFact & {
    readonly vehicleId: string;
    readonly dueAt: string;
    readonly step: string;
  };
  readonly 'forecourt.rental.return-announced.v1': RentalFact & {
    readonly dueAt: string;
    readonly announcedReturnAt: string;
  };
  /** Of the renter's flight, which is named to nobody. */
  readonly 'forecourt.rental.delay-announced.v1': RentalFact & {
    readonly pickUpAt: string;
    readonly delayMinutes: number;
    readonly noShowAt: string;
  };
  /** The keys came back at once: nothing was rented, and it is reserved as before. */
  readonly 'forecourt.rental.check-out-undone.v1': RentalFact & {
    readonly vehicleId: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly reason: string;
  };
  /** A no-show who came after all. */
  readonly 'forecourt.rental.reinstated.v1': RentalFact & {
    readonly vehicleId: string;
    readonly dueAt: string;
  };
  /** A cycle of a long rental is over; without an invoice where nothing was to be added. */
  readonly 'forecourt.rental.cycle-billed.v1': RentalFact & {
    readonly cycle: number;
    readonly serviceFrom: string;
    readonly serviceTo: string;
    readonly invoiceId: string | null;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** A cycle's invoice is unpaid past its terms, or all of them are paid again. */
  readonly 'forecourt.rental.arrears-changed.v1': RentalFact & {
    readonly arrears: boolean;
    readonly openMinor: number;
    readonly currency: string;
  };
  readonly 'forecourt.quote.held.v1': QuoteFact & {
    readonly pickUpAt: string;
    readonly dueAt: string;
    readonly heldUntil: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** Accepted by a rental, released by a person or expired, as `status` says. */
  readonly 'forecourt.quote.ended.v1': QuoteFact;
  /** Fixed from now on; `corrects` is the one that it replaces. */
  readonly 'forecourt.inspection.completed.v1': {
    readonly inspectionId: string;
    readonly rentalId: string;
    readonly vehicleId: string;
    readonly kind: string;
    readonly corrects: string | null;
  };
  readonly 'forecourt.damage-case.reported.v1': DamageCaseFact;
  /** What was done to it: an estimate, an answer, a charge, a repair …; `status` is the one after. */
  readonly 'forecourt.damage-case.changed.v1': DamageCaseFact & { readonly change: string };
  readonly 'forecourt.damage-rule.set.v1': { readonly branchId: string };
  readonly 'forecourt.violation.received.v1': ViolationFact;
  readonly 'forecourt.violation.assigned.v1': ViolationFact;
  readonly 'forecourt.violation.dismissed.v1': ViolationFact;
  /** The driver was nominated, or it was charged on; `collectBy` says how its invoice is paid. */
  readonly 'forecourt.violation.settled.v1': ViolationFact & {
    readonly settlement: string;
    readonly passedOnMinor: number;
    readonly tollMinor: number;
    readonly feeMinor: number;
    readonly vatMinor: number;
    readonly invoiceId: string | null;
    readonly collectBy: string | null;
  };
  readonly 'forecourt.rate-plan.published.v1': {
    readonly planId: string;
    readonly planVersion: number;
  };
  readonly 'forecourt.customer.registered.v1': { readonly customerId: string };
  readonly 'forecourt.customer.updated.v1': { readonly customerId: string };
  /** `customerId` leads to the survivor from now on; rentals keep the id that they were made with. */
  readonly 'forecourt.customer.merged.v1': {
    readonly customerId: string;
    readonly survivorId: string;
  };
  readonly 'forecourt.customer-block.set.v1': BlockFact;
  readonly 'forecourt.customer-block.lifted.v1': BlockFact;
  readonly 'forecourt.driver-rule.set.v1': { readonly classId: string };
  /** Named, overridden by a manager or named no more, as `status` says. */
  readonly 'forecourt.rental-driver.changed.v1': {
    readonly rentalId: string;
    readonly customerId: string;
    readonly status: 'named' | 'overridden' | 'removed';
  };
  readonly 'forecourt.customer.contacts-erased.v1': { readonly customerId: string };
  readonly 'forecourt.customer.erased.v1': { readonly customerId: string };
};
