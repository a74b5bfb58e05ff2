// Erasing a person: what goes at once, and what the law keeps until its time is over.

/**
 * Invoices and the books are kept to the end of the tenth calendar year after them, and with them
 * the name that they are made out to (domain.md rule 22: GDPR Art. 17(3)(b); 6 to 10 years in the
 * EU, 10 for books in Germany). A company in a country with less may set less.
 */
export const RETENTION_YEARS = 10;

/** What the name of an erased person is replaced by. */
export const ERASED = 'Erased';

export type ErasureState = {
  readonly customerId: string;
  readonly status: 'contacts-erased' | 'erased';
  /** While the name must stay: the instant from which it may go. */
  readonly keptUntil: string | null;
};

/** From when on the name may go; null when no invoice keeps it. Dates are YYYY-MM-DD. */
export function keptUntil(
  lastInvoiceDate: string | null,
  retentionYears = RETENTION_YEARS,
): string | null {
  if (lastInvoiceDate === null) return null;
  const year = Number(lastInvoiceDate.slice(0, 4)) + retentionYears + 1;
  return `${year}-01-01T00:00:00.000Z`;
}
