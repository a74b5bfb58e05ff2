// Reads of rentals, their customers and rate plans.
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { PayBack, RentalState } from '../../domain/rental.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import type { DB, RentalsCustomer } from '../schema.ts';
import { payBackOf } from './held-money.ts';
import { ordered, type Page, type PageRequest, paged, type Sort } from './page.ts';
import { beginsWith, matches, type RentalSearch } from './rental-search.ts';

type CustomerRow = Selectable<RentalsCustomer>;

const READER = 'system:api';

export function customerById(db: Db, acting: Acting, id: string): Promise<CustomerRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('rentals.customer').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** `q` is the beginning of the name, in any case. */
export function listCustomers(
  db: Db,
  acting: Acting,
  filter: PageRequest & { readonly q?: string | undefined; readonly sort?: Sort | undefined },
): Promise<Page<CustomerRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const order = ordered('rentals.customer', filter.sort);
    let query = tx
      .selectFrom('rentals.customer as t')
      .selectAll()
      .where('t.merged_into', 'is', null);
    if (filter.q !== undefined) {
      query = query.where(beginsWith('t.name_key', sql`lower(${filter.q})`));
    }
    if (filter.after !== undefined) query = query.where(order.after(filter.after));
    const rows = await query
      .orderBy(order.by)
      .limit(filter.limit + 1)
      .execute();
    return paged(rows, filter.limit);
  });
}

type Priced = { readonly branchId: string; readonly classId: string };

/** The rate plan that is valid now for pick-ups of a class at a branch. */
export function currentRatePlan(db: Db, priced: Priced): Promise<RatePlan | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const row = await currentTerms(tx, priced).executeTakeFirst();
    return row?.terms as RatePlan | undefined;
  });
}

/**
 * Shared with those who price in their own transaction. Of each plan the newest valid version
 * counts; one that names the branch goes before one that names the class, then the newest.
 */
export function currentTerms(tx: Tx, { branchId, classId }: Priced) {
  const names = (field: string, code: string) =>
    sql<boolean>`coalesce(p.terms->${field} ? ${code}, false)`;
  const prices = (field: string, code: string) =>
    sql<boolean>`(p.terms->${field} is null or p.terms->${field} ? ${code})`;
  return tx
    .selectFrom('rentals.rate_plan as p')
    .select('p.terms')
    .where('p.valid_from', '<=', sql<string>`now()`)
    .where(
      sql<boolean>`not exists (select from rentals.rate_plan n where n.id = p.id
        and n.valid_from <= now() and (n.valid_from, n.version) > (p.valid_from, p.version))`,
    )
    .where(prices('branches', branchId))
    .where(prices('classes', classId))
    .orderBy(names('branches', branchId), 'desc')
    .orderBy(names('classes', classId), 'desc')
    .orderBy('p.valid_from', 'desc')
    .orderBy('p.version', 'desc')
    .limit(1);
}

export function rentalById(db: Db, acting: Acting, id: string): Promise<RentalState | undefined> {
  return transact(db, 'api_read', acting, async (tx) =>
    stateOf(await rentals(tx).where('t.id', '=', id).executeTakeFirst()),
  );
}

export function rentalByNumber(
  db: Db,
  acting: Acting,
  number: string,
): Promise<RentalState | undefined> {
  return transact(db, 'api_read', acting, async (tx) =>
    stateOf(await rentals(tx).where('t.number', '=', number).executeTakeFirst()),
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
  readonly search?: RentalSearch | undefined;
  readonly sort?: Sort | undefined;
};

/** Ordered by id, which is the order of creation, unless told otherwise. */
export async function listRentals(
  db: Db,
  acting: Acting,
  filter: RentalFilter,
): Promise<Page<RentalState>> {
  const found = filter.search && (await matches(db, acting, filter.search));
  return transact(db, 'api_read', acting, async (tx) => {
    const order = ordered('rentals.rental', filter.sort);
    let query = rentals(tx);
    if (filter.branchId !== undefined) query = query.where('t.branch_id', '=', filter.branchId);
    if (filter.status !== undefined) query = query.where('t.status', '=', filter.status);
    if (filter.overdue !== undefined) query = query.where('t.overdue', '=', filter.overdue);
    if (filter.customerId !== undefined) {
      query = query.where('t.customer_id', '=', filter.customerId);
    }
    if (filter.dueAfter !== undefined) query = query.where('t.due_at', '>=', filter.dueAfter);
    if (filter.dueBefore !== undefined) query = query.where('t.due_at', '<', filter.dueBefore);
    if (found !== undefined) query = query.where(found);
    if (filter.after !== undefined) query = query.where(order.after(filter.after));
    const rows = await query
      .orderBy(order.by)
      .limit(filter.limit + 1)
      .execute();
    const page = paged(rows, filter.limit);
    return { ...page, rows: page.rows.map(joinedState) };
  });
}

type JoinedRow = RentalRow & {
  readonly span_vehicle_id: string | null;
  readonly is_exchanged: boolean;
  readonly pay_back: PayBack | null;
};

/** Until check-out the vehicle is the calendar's to say; whether it was exchanged, the segments'. */
function rentals(tx: Tx): SelectQueryBuilder<DB & { t: DB['rentals.rental'] }, 't', JoinedRow> {
  return tx
    .selectFrom('rentals.rental as t')
    .selectAll('t')
    .select((eb) =>
      eb
        .selectFrom('vehicles.span as s')
        .select('s.vehicle_id')
        .where('s.kind', '=', 'rental')
        .whereRef('s.ref', '=', 't.id')
        .where('s.grip', '<>', 'released')
        .as('span_vehicle_id'),
    )
    .select(
      sql<boolean>`t.status = 'active' and exists (select from rentals.segment e
        where e.rental_id = t.id and e.to_at is not null)`.as('is_exchanged'),
    )
    .select(payBackOf.as('pay_back')) as unknown as SelectQueryBuilder<
    DB & { t: DB['rentals.rental'] },
    't',
    JoinedRow
  >;
}

function stateOf(row: JoinedRow | undefined): RentalState | undefined {
  return row && joinedState(row);
}

function joinedState(row: JoinedRow): RentalState {
  const state = rentalState(row, row.span_vehicle_id);
  return {
    ...state,
    ...(row.is_exchanged && { isExchanged: true }),
    ...(row.pay_back !== null && { payBack: row.pay_back }),
  };
}
