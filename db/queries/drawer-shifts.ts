// Reads of cash drawers: shifts with their moves, cash in transit, and the terms of legal entities.
import { sql } from 'kysely';
import {
  type CashInTransit,
  type CashTermsRow,
  TERMS_COLUMNS,
  TRANSIT_COLUMNS,
} from '../cash-row.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type DrawerShift, SHIFT_COLUMNS } from '../shift-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type ShiftMove = {
  readonly kind: string;
  /** Into the drawer above zero. */
  readonly amountMinor: number;
  readonly entryId: string;
  readonly movedBy: string;
  readonly movedAt: string;
};

/** Slips as counted, beside what is booked of the batch. */
export type TerminalCount = {
  readonly batch: string;
  readonly slips: number;
  readonly amountMinor: number;
  readonly bookedSlips: number;
  readonly bookedMinor: number;
};

export type ShiftInFull = DrawerShift & {
  /** Empty until the shift has been counted: who counts must not know what is expected. */
  readonly moves: readonly ShiftMove[];
  readonly terminals: readonly TerminalCount[];
};

export function shiftInFull(db: Db, acting: Acting, id: string): Promise<ShiftInFull | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<ShiftInFull>`select ${SHIFT_COLUMNS},
        coalesce((select jsonb_agg(jsonb_build_object('kind', m.kind,
            'amountMinor', m.amount_minor, 'entryId', m.entry_id, 'movedBy', m.moved_by,
            'movedAt', m.moved_at) order by m.id)
          from accounting.cash_movement m
          where m.shift_id = s.id and s.counted_by is not null), '[]') as moves,
        coalesce((select jsonb_agg(jsonb_build_object('batch', t.batch, 'slips', t.slips,
            'amountMinor', t.amount_minor, 'bookedSlips', t.booked_slips,
            'bookedMinor', t.booked_minor) order by t.batch)
          from accounting.terminal_count t where t.shift_id = s.id), '[]') as terminals
      from accounting.drawer_shift s where s.id = ${id}`.execute(tx);
    return rows[0];
  });
}

export type ShiftFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly state?: string | undefined;
  readonly day?: string | undefined;
};

export function listShifts(
  db: Db,
  acting: Acting,
  filter: ShiftFilter,
): Promise<Page<DrawerShift>> {
  const conditions = [
    filter.branchId && sql`branch_id = ${filter.branchId}`,
    filter.state && sql`state = ${filter.state}`,
    filter.day && sql`day = ${filter.day}`,
    filter.after && sql`id > ${filter.after}`,
    sql`true`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<DrawerShift>`select ${SHIFT_COLUMNS} from accounting.drawer_shift
      where ${sql.join(conditions, sql` and `)} order by id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

export type TransitFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly state?: string | undefined;
};

export function listCashInTransit(
  db: Db,
  acting: Acting,
  filter: TransitFilter,
): Promise<Page<CashInTransit>> {
  const conditions = [
    filter.branchId && sql`branch_id = ${filter.branchId}`,
    filter.state && sql`state = ${filter.state}`,
    filter.after && sql`id > ${filter.after}`,
    sql`true`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<CashInTransit>`select ${TRANSIT_COLUMNS}
      from accounting.cash_in_transit
      where ${sql.join(conditions, sql` and `)} order by id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

export function cashTermsOf(
  db: Db,
  acting: Acting,
  entityId: string,
): Promise<CashTermsRow | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<CashTermsRow>`select ${TERMS_COLUMNS} from accounting.cash_terms
      where entity_id = ${entityId}`.execute(tx);
    return rows[0];
  });
}
