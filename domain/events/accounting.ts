// The facts of the accounting domain: legal entities, entries and invoices.

/** Data by event type. */
export type AccountingEvents = {
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
};
