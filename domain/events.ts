// The facts that leave Forecourt: every event type, the domain that owns it and the data it carries.
import type { AccountingEvents } from './events/accounting.ts';
import type { PeopleEvents } from './events/people.ts';
import type { RentalEvents } from './events/rentals.ts';
import type { VehicleEvents } from './events/vehicles.ts';

export const DOMAINS = ['vehicles', 'rentals', 'maintenance', 'people', 'accounting'] as const;
export type Domain = (typeof DOMAINS)[number];

/**
 * Data by event type: ids, codes, amounts and instants only, never a person's details (consumers
 * read those by id). Instants are ISO 8601 in UTC, amounts minor units of `currency`.
 */
export type EventData = VehicleEvents & RentalEvents & PeopleEvents & AccountingEvents;

export type EventType = keyof EventData;

/** The domain that owns each type; it decides the topic. */
export const DOMAIN_OF = {
  'forecourt.rental.reserved.v1': 'rentals',
  'forecourt.rental.requested.v1': 'rentals',
  'forecourt.rental.confirmed.v1': 'rentals',
  'forecourt.rental.declined.v1': 'rentals',
  'forecourt.rental.expired.v1': 'rentals',
  'forecourt.rental.checked-out.v1': 'rentals',
  'forecourt.rental.extended.v1': 'rentals',
  'forecourt.rental.amended.v1': 'rentals',
  'forecourt.rental.swapped.v1': 'rentals',
  'forecourt.rental.vehicle-exchanged.v1': 'rentals',
  'forecourt.rental.checked-in.v1': 'rentals',
  'forecourt.rental.closed.v1': 'rentals',
  'forecourt.rental.cancelled.v1': 'rentals',
  'forecourt.rental.no-show.v1': 'rentals',
  'forecourt.rental.return-reminder.v1': 'rentals',
  'forecourt.rental.overdue.v1': 'rentals',
  'forecourt.rental.cycle-billed.v1': 'rentals',
  'forecourt.rental.arrears-changed.v1': 'rentals',
  'forecourt.rental.not-returned.v1': 'rentals',
  'forecourt.rental.return-announced.v1': 'rentals',
  'forecourt.rental.delay-announced.v1': 'rentals',
  'forecourt.rental.check-out-undone.v1': 'rentals',
  'forecourt.rental.reinstated.v1': 'rentals',
  'forecourt.quote.held.v1': 'rentals',
  'forecourt.quote.ended.v1': 'rentals',
  'forecourt.deposit.authorised.v1': 'rentals',
  'forecourt.deposit.declined.v1': 'rentals',
  'forecourt.deposit.increased.v1': 'rentals',
  'forecourt.deposit.replaced.v1': 'rentals',
  'forecourt.deposit.renewal-due.v1': 'rentals',
  'forecourt.deposit.captured.v1': 'rentals',
  'forecourt.deposit.refunded.v1': 'rentals',
  'forecourt.deposit.released.v1': 'rentals',
  'forecourt.deposit.expired.v1': 'rentals',
  'forecourt.deposit.attention-needed.v1': 'rentals',
  'forecourt.deposit-waiver.recorded.v1': 'rentals',
  'forecourt.late-charge.asked.v1': 'rentals',
  'forecourt.late-charge.ended.v1': 'rentals',
  'forecourt.dispute.opened.v1': 'rentals',
  'forecourt.dispute.won.v1': 'rentals',
  'forecourt.dispute.lost.v1': 'rentals',
  'forecourt.dispute.written-off.v1': 'rentals',
  'forecourt.inspection.completed.v1': 'rentals',
  'forecourt.damage-case.reported.v1': 'rentals',
  'forecourt.damage-case.changed.v1': 'rentals',
  'forecourt.damage-rule.set.v1': 'rentals',
  'forecourt.violation.received.v1': 'rentals',
  'forecourt.violation.assigned.v1': 'rentals',
  'forecourt.violation.dismissed.v1': 'rentals',
  'forecourt.violation.settled.v1': 'rentals',
  'forecourt.payers.set.v1': 'rentals',
  'forecourt.rental-agent.named.v1': 'rentals',
  'forecourt.prepayment.received.v1': 'rentals',
  'forecourt.prepayment.refunded.v1': 'rentals',
  'forecourt.prepayment.refund-returned.v1': 'rentals',
  'forecourt.agent.registered.v1': 'accounting',
  'forecourt.agent.changed.v1': 'accounting',
  'forecourt.agent.paid.v1': 'accounting',
  'forecourt.invoice.issued.v1': 'accounting',
  'forecourt.credit-note.issued.v1': 'accounting',
  'forecourt.payment.received.v1': 'accounting',
  'forecourt.payment.refunded.v1': 'accounting',
  'forecourt.drawer-shift.opened.v1': 'accounting',
  'forecourt.drawer-shift.counting.v1': 'accounting',
  'forecourt.drawer-shift.counted.v1': 'accounting',
  'forecourt.drawer-shift.closed.v1': 'accounting',
  'forecourt.drawer-shift.verified.v1': 'accounting',
  'forecourt.branch-day.closed.v1': 'accounting',
  'forecourt.branch-day.reopened.v1': 'accounting',
  'forecourt.cash.sent.v1': 'accounting',
  'forecourt.cash.matched.v1': 'accounting',
  'forecourt.entry.posted.v1': 'accounting',
  'forecourt.legal-entity.opened.v1': 'accounting',
  'forecourt.branch.registered.v1': 'vehicles',
  'forecourt.branch.updated.v1': 'vehicles',
  'forecourt.class.registered.v1': 'vehicles',
  'forecourt.class.updated.v1': 'vehicles',
  'forecourt.rate-plan.published.v1': 'rentals',
  'forecourt.vehicle.dtc-raised.v1': 'vehicles',
  'forecourt.vehicle.registered.v1': 'vehicles',
  'forecourt.vehicle.span-reassigned.v1': 'vehicles',
  'forecourt.overbooking-limit.set.v1': 'vehicles',
  'forecourt.overbooking-limit.changed.v1': 'vehicles',
  'forecourt.on-request.set.v1': 'vehicles',
  'forecourt.on-request.withdrawn.v1': 'vehicles',
  'forecourt.shortage.raised.v1': 'vehicles',
  'forecourt.shortage.resolved.v1': 'vehicles',
  'forecourt.stop-sell.set.v1': 'vehicles',
  'forecourt.stop-sell.ended.v1': 'vehicles',
  'forecourt.transfer.planned.v1': 'vehicles',
  'forecourt.transfer.departed.v1': 'vehicles',
  'forecourt.transfer.arrived.v1': 'vehicles',
  'forecourt.transfer.cancelled.v1': 'vehicles',
  'forecourt.transfer.overdue.v1': 'vehicles',
  'forecourt.travel-time.set.v1': 'vehicles',
  'forecourt.vehicle.updated.v1': 'vehicles',
  'forecourt.vehicle.status-changed.v1': 'vehicles',
  'forecourt.vehicle.document-added.v1': 'vehicles',
  'forecourt.vehicle.document-withdrawn.v1': 'vehicles',
  'forecourt.hold.applied.v1': 'vehicles',
  'forecourt.hold.changed.v1': 'vehicles',
  'forecourt.hold.lifted.v1': 'vehicles',
  'forecourt.recall.opened.v1': 'vehicles',
  'forecourt.recall.amended.v1': 'vehicles',
  'forecourt.recall.grounded.v1': 'vehicles',
  'forecourt.recall.renter-notified.v1': 'vehicles',
  'forecourt.fleet.proved.v1': 'vehicles',
  'forecourt.customer.registered.v1': 'rentals',
  'forecourt.customer.updated.v1': 'rentals',
  'forecourt.customer.merged.v1': 'rentals',
  'forecourt.customer-block.set.v1': 'rentals',
  'forecourt.customer-block.lifted.v1': 'rentals',
  'forecourt.driver-rule.set.v1': 'rentals',
  'forecourt.rental-driver.changed.v1': 'rentals',
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
