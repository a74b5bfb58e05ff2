// Reads of stop-sell rules, newest first.
import { type SqlBool, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { StopSellRow } from '../commands/stop-sells.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type StopSellFilter = PageRequest & {
  /** Those that bind the branch: its own and those of all branches. */
  readonly branchId?: string | undefined;
  readonly classId?: string | undefined;
  /** In force, or over; left out, both. */
  readonly open?: boolean | undefined;
};

export function listStopSells(
  db: Db,
  acting: Acting,
  filter: StopSellFilter,
): Promise<Page<StopSellRow>> {
  const conditions = [
    sql<SqlBool>`true`,
    filter.after && sql<SqlBool>`id < ${filter.after}`,
    filter.branchId && sql<SqlBool>`(branch_id is null or branch_id = ${filter.branchId})`,
    filter.classId && sql<SqlBool>`(class_id is null or class_id = ${filter.classId})`,
    filter.open !== undefined &&
      sql<SqlBool>`(ended_at is null and to_date >= current_date - 1) = ${filter.open}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<StopSellRow>`select * from vehicles.stop_sell
      where ${sql.join(conditions, sql` and `)}
      order by id desc limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}
