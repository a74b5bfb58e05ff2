// A payment outside the gateway as the rules know it.
import { type RawBuilder, sql } from 'kysely';
import type { Tender } from '../domain/payments/tenders.ts';

/** Amounts in minor units of `currency`; people are principals; instants ISO 8601 in UTC. */
export type Payment = {
  readonly id: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly customerId: string;
  readonly rentalId: string | null;
  readonly invoiceId: string | null;
  readonly purpose: 'invoice' | 'deposit';
  readonly tender: Tender;
  readonly currency: string;
  readonly amountMinor: number;
  /** Of the amount, what settled the invoice, stayed on account, and was won or lost by rounding. */
  readonly appliedMinor: number;
  readonly unappliedMinor: number;
  readonly roundingMinor: number;
  readonly refundedMinor: number;
  readonly shiftId: string | null;
  readonly terminalBatch: string | null;
  readonly reference: string | null;
  readonly entryId: string;
  readonly receivedBy: string;
  readonly receivedAt: string;
  readonly version: number;
};

export const PAYMENT_COLUMNS: RawBuilder<unknown> = sql`id, entity_id as "entityId",
  branch_id as "branchId", customer_id as "customerId", rental_id as "rentalId",
  invoice_id as "invoiceId", purpose, tender, currency, amount_minor as "amountMinor",
  applied_minor as "appliedMinor", unapplied_minor as "unappliedMinor",
  rounding_minor as "roundingMinor", refunded_minor as "refundedMinor", shift_id as "shiftId",
  terminal_batch as "terminalBatch", reference, entry_id as "entryId",
  received_by as "receivedBy", received_at as "receivedAt", version`;
