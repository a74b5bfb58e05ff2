// A drawer shift's row as the rules know it. What is expected is null until it has been counted.
import { type RawBuilder, sql } from 'kysely';
import type { Denomination, ShiftState } from '../domain/cash.ts';

/** Amounts in minor units of `currency`; people are principals; instants ISO 8601 in UTC. */
export type DrawerShift = {
  readonly id: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly drawer: string;
  readonly currency: string;
  /** The branch's local date when it was opened. */
  readonly day: string;
  readonly state: ShiftState;
  readonly floatMinor: number;
  readonly openedBy: string;
  readonly openedAt: string;
  readonly denominations: readonly Denomination[] | null;
  readonly countedMinor: number | null;
  readonly expectedMinor: number | null;
  /** Counted less expected. */
  readonly differenceMinor: number | null;
  readonly countedBy: string | null;
  readonly countedAt: string | null;
  readonly reason: string | null;
  readonly manager: string | null;
  readonly closedBy: string | null;
  readonly closedAt: string | null;
  readonly verifiedBy: string | null;
  readonly verifiedAt: string | null;
  readonly version: number;
};

export const SHIFT_COLUMNS: RawBuilder<unknown> = sql`id, entity_id as "entityId",
  branch_id as "branchId", drawer, currency, day, state, float_minor as "floatMinor",
  opened_by as "openedBy", opened_at as "openedAt", denominations,
  counted_minor as "countedMinor", expected_minor as "expectedMinor",
  difference_minor as "differenceMinor", counted_by as "countedBy", counted_at as "countedAt",
  reason, manager, closed_by as "closedBy", closed_at as "closedAt",
  verified_by as "verifiedBy", verified_at as "verifiedAt", version`;
