// Reads of disputes over payments, those of a rental or of the branches that one sees.
import { sql } from 'kysely';
import type { Dispute, DisputeState } from '../../domain/payments/dispute.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { DISPUTE_COLUMNS } from '../dispute-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type DisputeFilter = PageRequest & {
  readonly state?: DisputeState | undefined;
  readonly rentalId?: string | undefined;
};

/** In the order in which we heard of them. */
export function listDisputes(
  db: Db,
  acting: Acting,
  { state, rentalId, after, limit }: DisputeFilter,
): Promise<Page<Dispute>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const wanted = [
      sql<boolean>`true`,
      ...(state === undefined ? [] : [sql<boolean>`state = ${state}`]),
      ...(rentalId === undefined ? [] : [sql<boolean>`rental_id = ${rentalId}`]),
      ...(after === undefined ? [] : [sql<boolean>`id > ${after}`]),
    ];
    const { rows } = await sql<Dispute>`select ${DISPUTE_COLUMNS} from rentals.dispute
      where ${sql.join(wanted, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export function disputeById(db: Db, acting: Acting, id: string): Promise<Dispute | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Dispute>`select ${DISPUTE_COLUMNS} from rentals.dispute
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}
