// Reads of deposits: the holds of a rental, and the open ones in the order in which they end.
import { sql } from 'kysely';
import type { Hold } from '../../domain/payments/deposit.ts';
import { HOLD_COLUMNS } from '../authorisation-row.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type DepositNeed, depositNeedOf } from '../deposit-need.ts';
import type { RentalRow } from '../rental-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

/** In the order in which they were asked for. */
export function holdsOfRental(db: Db, acting: Acting, rentalId: string): Promise<readonly Hold[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Hold>`select ${HOLD_COLUMNS} from rentals.authorisation
      where rental_id = ${rentalId} and purpose <> 'prepayment' order by created_at, id`.execute(
      tx,
    );
    return rows;
  });
}

/** What it has to be by the plan, and what of that was waived. Undefined without such a rental. */
export function needOfRental(db: Db, acting: Acting, id: string): Promise<DepositNeed | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const row = await tx
      .selectFrom('rentals.rental')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row && depositNeedOf(tx, row as unknown as RentalRow);
  });
}

export type HoldOfRental = Hold & { readonly rentalId: string; readonly branchId: string };

export type HoldFilter = PageRequest & {
  /** Where the rental begins. */
  readonly branchId?: string | undefined;
  /** Those that a person has to look at. */
  readonly attention?: boolean | undefined;
};

/** Open holds by the end of their validity; `after` is the id of the last one seen. */
export function openHolds(db: Db, acting: Acting, filter: HoldFilter): Promise<Page<HoldOfRental>> {
  const { branchId, attention, after, limit } = filter;
  return transact(db, 'api_read', acting, async (tx) => {
    const wanted = [
      sql<boolean>`state = 'open'`,
      ...(branchId === undefined ? [] : [sql<boolean>`branch_id = ${branchId}`]),
      ...(attention === undefined ? [] : [sql<boolean>`(attention is not null) = ${attention}`]),
      ...(after === undefined
        ? []
        : [
            sql<boolean>`("validUntil", id) > (select valid_until, id from rentals.authorisation
              where id = ${after})`,
          ]),
    ];
    const { rows } = await sql<HoldOfRental>`select h.*, branch_id as "branchId" from (
        select ${HOLD_COLUMNS}, rental_id as "rentalId" from rentals.authorisation
      ) h join (select id as known, branch_id from rentals.rental) r on r.known = h."rentalId"
      where ${sql.join(wanted, sql` and `)}
      order by "validUntil", id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}
