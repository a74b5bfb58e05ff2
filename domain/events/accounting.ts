// The facts of the accounting domain: legal entities, entries and invoices.

/** A shift of a cash drawer; the difference once it is counted. */
type DrawerShiftEvent = {
  readonly shiftId: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly drawer: string;
  readonly day: string;
  readonly state: string;
  readonly differenceMinor: number | null;
  readonly currency: string;
};

type BranchDayEvent = {
  readonly branchDayId: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly day: string;
};

type CashInTransitEvent = {
  readonly cashInTransitId: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly direction: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly entryId: string;
};

type AgentEvent = {
  readonly agentId: string;
  readonly entityId: string;
  readonly status: string;
};

/** Data by event type. */
export type AccountingEvents = {
  readonly 'forecourt.payment.received.v1': {
    readonly paymentId: string;
    readonly entityId: string;
    readonly branchId: string;
    readonly invoiceId: string | null;
    readonly rentalId: string | null;
    readonly purpose: string;
    readonly tender: string;
    readonly amountMinor: number;
    readonly appliedMinor: number;
    readonly currency: string;
    readonly entryId: string;
  };
  readonly 'forecourt.payment.refunded.v1': {
    readonly paymentId: string;
    readonly refundId: string;
    readonly tender: string;
    readonly amountMinor: number;
    /** With those before it. */
    readonly refundedMinor: number;
    readonly currency: string;
    readonly entryId: string;
  };
  readonly 'forecourt.drawer-shift.opened.v1': DrawerShiftEvent;
  readonly 'forecourt.drawer-shift.counting.v1': DrawerShiftEvent;
  readonly 'forecourt.drawer-shift.counted.v1': DrawerShiftEvent;
  readonly 'forecourt.drawer-shift.closed.v1': DrawerShiftEvent;
  readonly 'forecourt.drawer-shift.verified.v1': DrawerShiftEvent;
  readonly 'forecourt.branch-day.closed.v1': BranchDayEvent;
  readonly 'forecourt.branch-day.reopened.v1': BranchDayEvent;
  readonly 'forecourt.cash.sent.v1': CashInTransitEvent;
  readonly 'forecourt.cash.matched.v1': CashInTransitEvent;
  readonly 'forecourt.agent.registered.v1': AgentEvent;
  readonly 'forecourt.agent.changed.v1': AgentEvent;
  readonly 'forecourt.agent.paid.v1': {
    readonly payoutId: string;
    readonly agentId: string;
    readonly entityId: string;
    readonly month: string;
    readonly method: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly invoiceId: string | null;
    readonly entryId: string;
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
  readonly 'forecourt.credit-note.issued.v1': {
    readonly creditNoteId: string;
    readonly number: string;
    /** The one that it takes back, as a whole or in part. */
    readonly invoiceId: string;
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
};
