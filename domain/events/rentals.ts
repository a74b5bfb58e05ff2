// The facts of the rentals domain: customers, rates, quotes and rentals.

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

/** `authorisationId` is the hold; amounts in minor units of `currency`. */
type DepositFact = {
  readonly authorisationId: string;
  readonly rentalId: string;
  readonly state: string;
  readonly amountMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly currency: string;
  readonly validUntil: string | null;
};

/** Data by event type. */
export type RentalEvents = {
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
  readonly 'forecourt.rental.checked-in.v1': RentalFact & {
    readonly vehicleId: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly checkedInAt: string;
  };
  readonly 'forecourt.rental.closed.v1': RentalFact & {
    readonly invoiceId: string;
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
  readonly 'forecourt.quote.held.v1': QuoteFact & {
    readonly pickUpAt: string;
    readonly dueAt: string;
    readonly heldUntil: string;
    readonly totalMinor: number;
    readonly currency: string;
  };
  /** Accepted by a rental, released by a person or expired, as `status` says. */
  readonly 'forecourt.quote.ended.v1': QuoteFact;
  readonly 'forecourt.deposit.authorised.v1': DepositFact;
  readonly 'forecourt.deposit.declined.v1': DepositFact;
  readonly 'forecourt.deposit.increased.v1': DepositFact;
  /** Another hold stands in for it, and it is released next. */
  readonly 'forecourt.deposit.replaced.v1': DepositFact;
  /** It ends soon and could not be renewed: a person has to look. */
  readonly 'forecourt.deposit.renewal-due.v1': DepositFact;
  readonly 'forecourt.deposit.captured.v1': DepositFact;
  readonly 'forecourt.deposit.refunded.v1': DepositFact;
  readonly 'forecourt.deposit.released.v1': DepositFact;
  readonly 'forecourt.deposit.expired.v1': DepositFact;
  readonly 'forecourt.rate-plan.published.v1': {
    readonly planId: string;
    readonly planVersion: number;
  };
  readonly 'forecourt.customer.registered.v1': { readonly customerId: string };
  readonly 'forecourt.customer.updated.v1': { readonly customerId: string };
  readonly 'forecourt.customer.contacts-erased.v1': { readonly customerId: string };
  readonly 'forecourt.customer.erased.v1': { readonly customerId: string };
};
