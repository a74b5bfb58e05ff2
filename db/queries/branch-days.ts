// Reads of branches' closed days.
import { sql } from 'kysely';
import { BRANCH_DAY_COLUMNS, type BranchDay } from '../branch-day-row.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type BranchDayFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

/** In the order in which they were first closed. */
export function listBranchDays(
  db: Db,
  acting: Acting,
  filter: BranchDayFilter,
): Promise<Page<BranchDay>> {
  const conditions = [
    filter.branchId && sql`branch_id = ${filter.branchId}`,
    filter.from && sql`day >= ${filter.from}`,
    filter.to && sql`day <= ${filter.to}`,
    filter.after && sql`id > ${filter.after}`,
    sql`true`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<BranchDay>`select ${BRANCH_DAY_COLUMNS} from accounting.branch_day
      where ${sql.join(conditions, sql` and `)} order by id limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}

export function branchDayById(db: Db, acting: Acting, id: string): Promise<BranchDay | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<BranchDay>`select ${BRANCH_DAY_COLUMNS} from accounting.branch_day
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}
