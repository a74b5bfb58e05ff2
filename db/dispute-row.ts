// A dispute's row as the rules know it.
import { type RawBuilder, sql } from 'kysely';
import type { Dispute } from '../domain/payments/dispute.ts';

export type DisputeRow = Dispute & {
  /** Null: no books could take it, and it is booked by hand. */
  readonly openedEntryId: string | null;
  readonly approvalId: string | null;
};

export const DISPUTE_COLUMNS: RawBuilder<unknown> = sql`id, rental_id as "rentalId",
  authorisation_id as "authorisationId", state, amount_minor as "amountMinor",
  fee_minor as "feeMinor", currency, opened_at as "openedAt", closed_at as "closedAt", version`;

export const DISPUTE_ROW_COLUMNS: RawBuilder<unknown> = sql`${DISPUTE_COLUMNS},
  opened_entry_id as "openedEntryId", approval_id as "approvalId"`;
