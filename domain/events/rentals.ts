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
  readonly 'forecourt.rate-plan.published.v1': {
    readonly planId: string;
    readonly planVersion: number;
  };
  readonly 'forecourt.customer.registered.v1': { readonly customerId: string };
  readonly 'forecourt.customer.updated.v1': { readonly customerId: string };
  readonly 'forecourt.customer.contacts-erased.v1': { readonly customerId: string };
  readonly 'forecourt.customer.erased.v1': { readonly customerId: string };
};
