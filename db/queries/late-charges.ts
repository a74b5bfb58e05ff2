// Reads of documents that came after the return: charged to a card, or why they are to be paid.
import { sql } from 'kysely';
import type { LateChargeState } from '../../domain/late-charge.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { LATE_CHARGE_COLUMNS, type LateChargeRow } from '../commands/late-charges.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type LateChargeFilter = PageRequest & {
  readonly state?: LateChargeState | undefined;
  readonly rentalId?: string | undefined;
  readonly branchId?: string | undefined;
};

/** In the order of their documents. */
export function listLateCharges(
  db: Db,
  acting: Acting,
  { after, limit, state, rentalId, branchId }: LateChargeFilter,
): Promise<Page<LateChargeRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const wanted = [
      sql`true`,
      ...(after === undefined ? [] : [sql`id > ${after}`]),
      ...(state === undefined ? [] : [sql`state = ${state}`]),
      ...(rentalId === undefined ? [] : [sql`rental_id = ${rentalId}`]),
      ...(branchId === undefined ? [] : [sql`branch_id = ${branchId}`]),
    ];
    const { rows } = await sql<LateChargeRow>`select ${LATE_CHARGE_COLUMNS}
      from rentals.late_charge where ${sql.join(wanted, sql` and `)}
      order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}
