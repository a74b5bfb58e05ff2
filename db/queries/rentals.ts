// Reads of rentals, their customers and rate plans.
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import type { DB, RentalsCustomer } from '../schema.ts';
import { type Page, type PageRequest, paged } from './page.ts';

type CustomerRow = Selectable<RentalsCustomer>;

const READER = 'system:api';

export function customerById(db: Db, id: string): Promise<CustomerRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('rentals.customer').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** `q` is the beginning of the name, in any case. */
export function listCustomers(
  db: Db,
  filter: PageRequest & { readonly q?: string | undefined },
): Promise<Page<CustomerRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('rentals.customer').selectAll();
    if (filter.q !== undefined) {
      query = query.where(sql<boolean>`starts_with(lower(name), lower(${filter.q}))`);
    }
    if (filter.after !== undefined) query = query.where('id', '>', filter.after);
    const rows = await query
      .orderBy('id')
      .limit(filter.limit + 1)
      .execute();
    return paged(rows, filter.limit);
  });
}

/** The newest rate plan that is valid now. */
export function currentRatePlan(db: Db): Promise<RatePlan | undefined> {
  return transact(db, 'api_read', READER, selectCurrentPlan);
}

/** Shared with the reservation, which prices in its own transaction. */
export async function selectCurrentPlan(tx: Tx): Promise<RatePlan | undefined> {
  const row = await tx
    .selectFrom('rentals.rate_plan')
    .select('terms')
    .where('valid_from', '<=', sql<string>`now()`)
    .orderBy('valid_from', 'desc')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.terms as RatePlan | undefined;
}

export function rentalById(db: Db, id: string): Promise<RentalState | undefined> {
  return transact(db, 'api_read', READER, async (tx) =>
    stateOf(await rentals(tx).where('r.id', '=', id).executeTakeFirst()),
  );
}

export function rentalByNumber(db: Db, number: string): Promise<RentalState | undefined> {
  return transact(db, 'api_read', READER, async (tx) =>
    stateOf(await rentals(tx).where('r.number', '=', number).executeTakeFirst()),
  );
}

export type RentalFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly status?: string | undefined;
  readonly customerId?: string | undefined;
  readonly overdue?: boolean | undefined;
  /** Due at or after, and due before: instants. */
  readonly dueAfter?: string | undefined;
  readonly dueBefore?: string | undefined;
};

/** Ordered by id, which is the order of creation. */
export function listRentals(db: Db, filter: RentalFilter): Promise<Page<RentalState>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = rentals(tx);
    if (filter.branchId !== undefined) query = query.where('r.branch_id', '=', filter.branchId);
    if (filter.status !== undefined) query = query.where('r.status', '=', filter.status);
    if (filter.overdue !== undefined) query = query.where('r.overdue', '=', filter.overdue);
    if (filter.customerId !== undefined) {
      query = query.where('r.customer_id', '=', filter.customerId);
    }
    if (filter.dueAfter !== undefined) query = query.where('r.due_at', '>=', filter.dueAfter);
    if (filter.dueBefore !== undefined) query = query.where('r.due_at', '<', filter.dueBefore);
    if (filter.after !== undefined) query = query.where('r.id', '>', filter.after);
    const rows = await query
      .orderBy('r.id')
      .limit(filter.limit + 1)
      .execute();
    const page = paged(rows, filter.limit);
    return { ...page, rows: page.rows.map((row) => rentalState(row, row.span_vehicle_id)) };
  });
}

type JoinedRow = RentalRow & { readonly span_vehicle_id: string | null };

/** Until check-out the vehicle is the calendar's to say. */
function rentals(tx: Tx): SelectQueryBuilder<DB & { r: DB['rentals.rental'] }, 'r', JoinedRow> {
  return tx
    .selectFrom('rentals.rental as r')
    .selectAll('r')
    .select((eb) =>
      eb
        .selectFrom('vehicles.span as s')
        .select('s.vehicle_id')
        .where('s.kind', '=', 'rental')
        .whereRef('s.ref', '=', 'r.id')
        .where('s.grip', '<>', 'released')
        .as('span_vehicle_id'),
    ) as unknown as SelectQueryBuilder<DB & { r: DB['rentals.rental'] }, 'r', JoinedRow>;
}

function stateOf(row: JoinedRow | undefined): RentalState | undefined {
  return row && rentalState(row, row.span_vehicle_id);
}
