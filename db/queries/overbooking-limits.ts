// Reads of overbooking limits, and of the demands beyond them.
import { type SqlBool, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { asked } from '../commands/calendar.ts';
import type { Excess, OverbookingLimitRow } from '../commands/overbooking-limits.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type OverbookingLimitFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly classId?: string | undefined;
};

export function listOverbookingLimits(
  db: Db,
  acting: Acting,
  { branchId, classId, after, limit }: OverbookingLimitFilter,
): Promise<Page<OverbookingLimitRow>> {
  const conditions = [
    sql<SqlBool>`true`,
    after && sql<SqlBool>`id > ${after}`,
    branchId && sql<SqlBool>`branch_id = ${branchId}`,
    classId && sql<SqlBool>`class_id = ${classId}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<OverbookingLimitRow>`select * from vehicles.overbooking_limit
      where ${sql.join(conditions, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export type FoundLimit = { readonly row: OverbookingLimitRow; readonly excess: readonly Excess[] };

export function overbookingLimitById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<FoundLimit | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<OverbookingLimitRow>`select * from vehicles.overbooking_limit
      where id = ${id}`.execute(tx);
    const [row] = rows;
    if (row === undefined) return undefined;
    const call = sql`vehicles.excess(${row.branch_id}, ${row.class_id})`;
    return { row, excess: await asked<readonly Excess[]>(tx, call) };
  });
}
