// A branch's closed day as the rules know it.
import { type RawBuilder, sql } from 'kysely';
import type { BranchDayFigures } from '../domain/branch-day.ts';

/** People are principals; instants ISO 8601 in UTC; `day` is the branch's local date. */
export type BranchDay = {
  readonly id: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly day: string;
  /** Open again after a reopening. */
  readonly state: 'closed' | 'open';
  /** Of the last close. */
  readonly figures: BranchDayFigures;
  readonly closedBy: string;
  readonly closedAt: string;
  readonly reopenedBy: string | null;
  readonly reopenedAt: string | null;
  /** Of the last reopening. */
  readonly reason: string | null;
  readonly version: number;
};

export const BRANCH_DAY_COLUMNS: RawBuilder<unknown> = sql`id, entity_id as "entityId",
  branch_id as "branchId", day, state, figures, closed_by as "closedBy", closed_at as "closedAt",
  reopened_by as "reopenedBy", reopened_at as "reopenedAt", reason, version`;
