// The facts that leave Forecourt: every event type, the domain that owns it and the data it carries.

export const DOMAINS = ['vehicles', 'rentals', 'maintenance', 'people', 'accounting'] as const;
export type Domain = (typeof DOMAINS)[number];

/** What every fact about a rental says; `status` is the one after the fact. */
export type RentalFact = {
  readonly rentalId: string;
  readonly branchId: string;
  readonly status: string;
};

export type BranchFact = {
  readonly branchId: string;
  readonly entityId: string;
  readonly timeZone: string;
};

export type StaffFact = { readonly staffId: string; readonly status: string };

export type ApiClientFact = { readonly clientId: string; readonly partnerId: string };
/** `owner` is a principal. */
export type ApiKeyFact = { readonly keyId: string; readonly owner: string };

export type ApprovalFact = {
  readonly approvalId: string;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly amount: number;
  readonly status: string;
};

/**
 * Data by event type: ids, codes, amounts and instants only, never a person's details (consumers
 * read those by id). Instants are ISO 8601 in UTC, amounts minor units of `currency`.
 */
export type EventData = {
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
  readonly 'forecourt.invoice.issued.v1': {
    readonly invoiceId: string;
    readonly number: string;
    readonly entityId: string;
    readonly branchId: string | null;
    readonly rentalId: string | null;
    readonly entryId: string;
    readonly issueDate: string;
    readonly netMinor: number;
    readonly vatMinor: number;
    readonly totalMinor: number;
    readonly currency: string;
  };
  readonly 'forecourt.entry.posted.v1': {
    readonly entryId: string;
    readonly entityId: string;
    readonly postingDate: string;
    readonly source: string;
  };
  readonly 'forecourt.legal-entity.opened.v1': {
    readonly entityId: string;
    readonly functionalCurrency: string;
  };
  readonly 'forecourt.branch.registered.v1': BranchFact;
  readonly 'forecourt.branch.updated.v1': BranchFact;
  readonly 'forecourt.class.registered.v1': { readonly classId: string };
  readonly 'forecourt.class.updated.v1': { readonly classId: string };
  readonly 'forecourt.rate-plan.published.v1': {
    readonly planId: string;
    readonly planVersion: number;
  };
  readonly 'forecourt.vehicle.registered.v1': {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly classId: string;
    readonly odometerKm: number;
  };
  readonly 'forecourt.vehicle.span-reassigned.v1': {
    readonly spanId: string;
    readonly rentalId: string;
    readonly vehicleId: string | null;
  };
  readonly 'forecourt.vehicle.updated.v1': {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly classId: string;
  };
  readonly 'forecourt.customer.registered.v1': { readonly customerId: string };
  readonly 'forecourt.customer.updated.v1': { readonly customerId: string };
  readonly 'forecourt.customer.contacts-erased.v1': { readonly customerId: string };
  readonly 'forecourt.customer.erased.v1': { readonly customerId: string };
  readonly 'forecourt.staff.hired.v1': StaffFact;
  readonly 'forecourt.staff.changed.v1': StaffFact;
  readonly 'forecourt.staff.password-changed.v1': { readonly staffId: string };
  readonly 'forecourt.partner.registered.v1': { readonly partnerId: string };
  readonly 'forecourt.partner.changed.v1': { readonly partnerId: string; readonly status: string };
  readonly 'forecourt.api-client.created.v1': ApiClientFact;
  readonly 'forecourt.api-client.revoked.v1': ApiClientFact;
  readonly 'forecourt.api-key.created.v1': ApiKeyFact;
  readonly 'forecourt.api-key.revoked.v1': ApiKeyFact;
  readonly 'forecourt.approval.requested.v1': ApprovalFact;
  readonly 'forecourt.approval.decided.v1': ApprovalFact;
};

export type EventType = keyof EventData;

/** The domain that owns each type; it decides the topic. */
export const DOMAIN_OF = {
  'forecourt.rental.reserved.v1': 'rentals',
  'forecourt.rental.checked-out.v1': 'rentals',
  'forecourt.rental.extended.v1': 'rentals',
  'forecourt.rental.checked-in.v1': 'rentals',
  'forecourt.rental.closed.v1': 'rentals',
  'forecourt.rental.cancelled.v1': 'rentals',
  'forecourt.rental.no-show.v1': 'rentals',
  'forecourt.rental.return-reminder.v1': 'rentals',
  'forecourt.rental.overdue.v1': 'rentals',
  'forecourt.invoice.issued.v1': 'accounting',
  'forecourt.entry.posted.v1': 'accounting',
  'forecourt.legal-entity.opened.v1': 'accounting',
  'forecourt.branch.registered.v1': 'vehicles',
  'forecourt.branch.updated.v1': 'vehicles',
  'forecourt.class.registered.v1': 'vehicles',
  'forecourt.class.updated.v1': 'vehicles',
  'forecourt.rate-plan.published.v1': 'rentals',
  'forecourt.vehicle.registered.v1': 'vehicles',
  'forecourt.vehicle.span-reassigned.v1': 'vehicles',
  'forecourt.vehicle.updated.v1': 'vehicles',
  'forecourt.customer.registered.v1': 'rentals',
  'forecourt.customer.updated.v1': 'rentals',
  'forecourt.customer.contacts-erased.v1': 'rentals',
  'forecourt.customer.erased.v1': 'rentals',
  'forecourt.staff.hired.v1': 'people',
  'forecourt.staff.changed.v1': 'people',
  'forecourt.staff.password-changed.v1': 'people',
  'forecourt.partner.registered.v1': 'people',
  'forecourt.partner.changed.v1': 'people',
  'forecourt.api-client.created.v1': 'people',
  'forecourt.api-client.revoked.v1': 'people',
  'forecourt.api-key.created.v1': 'people',
  'forecourt.api-key.revoked.v1': 'people',
  'forecourt.approval.requested.v1': 'people',
  'forecourt.approval.decided.v1': 'people',
} as const satisfies Readonly<Record<EventType, Domain>>;

/**
 * A fact as the code that causes it hands it over. `sequence` is the version of the aggregate's
 * row after the fact: it rises by one with each, so consumers can see order and gaps.
 */
export type FactOf<T extends EventType> = {
  readonly type: T;
  readonly aggregateId: string;
  readonly sequence: number;
  readonly data: EventData[T];
  /** When it happened; left out, it is the moment of publishing. */
  readonly time?: string;
};

export type Fact = { [T in EventType]: FactOf<T> }[EventType];

/** CloudEvents 1.0 in structured JSON: the form in which a fact is stored and travels. */
export type EventOf<T extends EventType> = {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: T;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly sequence: string;
  readonly traceparent?: string | undefined;
  readonly data: EventData[T];
};

export type ForecourtEvent = { [T in EventType]: EventOf<T> }[EventType];

/** `rentals` → `rentals.facts.v1`. The key of every message in it is the aggregate's id. */
export function topicOf(domain: Domain): string {
  return `${domain}.facts.v1`;
}

/** The rows of the outbox are spread over this many shards by aggregate (see migration 0002). */
export const SHARDS = 16;
