// Reads of prepayments: one, and those of a rental in the order in which they were received.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { PREPAYMENT_COLUMNS, type Prepayment } from '../prepayment-row.ts';

export function prepaymentsOf(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly Prepayment[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Prepayment>`select ${PREPAYMENT_COLUMNS} from rentals.prepayment
      where rental_id = ${rentalId} order by id`.execute(tx);
    return rows;
  });
}

export function prepaymentOf(db: Db, acting: Acting, id: string): Promise<Prepayment | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Prepayment>`select ${PREPAYMENT_COLUMNS} from rentals.prepayment
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}
