// A prepayment of a rental as the rules know it.
import { type RawBuilder, sql } from 'kysely';
import type { PrepaymentTender } from '../domain/prepayment.ts';

/** Amounts in minor units of `currency`, VAT included; people are principals. */
export type Prepayment = {
  readonly id: string;
  readonly rentalId: string;
  /** By `gateway` its id is that of its charge. */
  readonly tender: PrepaymentTender;
  readonly currency: string;
  readonly amountMinor: number;
  readonly refundedMinor: number;
  readonly shiftId: string | null;
  readonly terminalBatch: string | null;
  readonly reference: string | null;
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly entryId: string;
  readonly receivedBy: string;
  readonly receivedAt: string;
  readonly version: number;
};

export const PREPAYMENT_COLUMNS: RawBuilder<unknown> = sql`id, rental_id as "rentalId", tender,
  currency, amount_minor as "amountMinor", refunded_minor as "refundedMinor",
  shift_id as "shiftId", terminal_batch as "terminalBatch", reference, invoice_id as "invoiceId",
  invoice_number as "invoiceNumber", entry_id as "entryId", received_by as "receivedBy",
  received_at as "receivedAt", version`;
