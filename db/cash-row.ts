// Cash in transit and a legal entity's terms of cash, as the rules know them.
import { type RawBuilder, sql } from 'kysely';
import type { Direction } from '../domain/cash.ts';

/** Amounts in minor units of `currency`; people are principals; instants ISO 8601 in UTC. */
export type CashInTransit = {
  readonly id: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly direction: Direction;
  readonly amountMinor: number;
  readonly currency: string;
  readonly bag: string;
  readonly state: 'in_transit' | 'matched';
  readonly entryId: string;
  readonly sentBy: string;
  readonly sentAt: string;
  readonly statement: string | null;
  readonly matchedBy: string | null;
  readonly matchedAt: string | null;
  readonly version: number;
};

export const TRANSIT_COLUMNS: RawBuilder<unknown> = sql`id, entity_id as "entityId",
  branch_id as "branchId", direction, amount_minor as "amountMinor", currency, bag, state,
  entry_id as "entryId", sent_by as "sentBy", sent_at as "sentAt", statement,
  matched_by as "matchedBy", matched_at as "matchedAt", version`;

/** Amounts in minor units of the entity's functional currency. */
export type CashTerms = {
  /** The most that one rental may be paid in cash, by law. */
  readonly cashLimitMinor: number;
  /** The smallest coin. */
  readonly roundingMinor: number;
  /** Up to here a payment in cash goes back in cash. */
  readonly cashRefundMinor: number;
  /** A larger difference of a drawer needs a reason, or a manager. */
  readonly reasonAboveMinor: number;
  readonly managerAboveMinor: number;
};

export type CashTermsRow = CashTerms & { readonly entityId: string; readonly version: number };

export const TERMS_COLUMNS: RawBuilder<unknown> = sql`entity_id as "entityId",
  cash_limit_minor as "cashLimitMinor", rounding_minor as "roundingMinor",
  cash_refund_minor as "cashRefundMinor", reason_above_minor as "reasonAboveMinor",
  manager_above_minor as "managerAboveMinor", version`;
