// Reads of the register and the calendar.
import { type Selectable, sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import { transactInOneTrip } from '../one-trip.ts';
import type { VehiclesBranch, VehiclesClass, VehiclesVehicle } from '../schema.ts';
import { type Page, type PageRequest, paged } from './page.ts';

type BranchRow = Selectable<VehiclesBranch>;
type ClassRow = Selectable<VehiclesClass>;
type VehicleRow = Selectable<VehiclesVehicle>;

const READER = 'system:api';

export function branchById(db: Db, id: string): Promise<BranchRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('vehicles.branch').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export function listBranches(db: Db, page: PageRequest): Promise<Page<BranchRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('vehicles.branch').selectAll();
    if (page.after !== undefined) query = query.where('id', '>', page.after);
    return paged(
      await query
        .orderBy('id')
        .limit(page.limit + 1)
        .execute(),
      page.limit,
    );
  });
}

export function classById(db: Db, id: string): Promise<ClassRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('vehicles.class').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export function listClasses(db: Db, page: PageRequest): Promise<Page<ClassRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('vehicles.class').selectAll();
    if (page.after !== undefined) query = query.where('id', '>', page.after);
    return paged(
      await query
        .orderBy('id')
        .limit(page.limit + 1)
        .execute(),
      page.limit,
    );
  });
}

export function vehicleById(db: Db, id: string): Promise<VehicleRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('vehicles.vehicle').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export type VehicleFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly classId?: string | undefined;
  readonly status?: string | undefined;
};

export function listVehicles(db: Db, filter: VehicleFilter): Promise<Page<VehicleRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('vehicles.vehicle').selectAll();
    if (filter.branchId !== undefined) query = query.where('branch_id', '=', filter.branchId);
    if (filter.classId !== undefined) query = query.where('class_id', '=', filter.classId);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.after !== undefined) query = query.where('id', '>', filter.after);
    const rows = await query
      .orderBy('id')
      .limit(filter.limit + 1)
      .execute();
    return paged(rows, filter.limit);
  });
}

export type ClassAvailability = { readonly classId: string; readonly free: number };

/**
 * How many vehicles of each class (or of one) a branch could hand out for [from, to) and the
 * turnaround after it. Null when the branch is unknown.
 */
export async function availability(
  db: Db,
  request: {
    readonly branchId: string;
    readonly classId?: string | undefined;
    readonly from: string;
    readonly to: string;
  },
): Promise<readonly ClassAvailability[] | null> {
  const { lit } = sql;
  const statement = sql<{ class_id: string; free: number }>`
    select class_id, free from vehicles.count_free(${lit(request.branchId)},
      ${lit(request.classId ?? null)}, ${lit(request.from)}, ${lit(request.to)})`;
  const rows = await transactInOneTrip(db, 'api_read', READER, statement);
  if (rows.length === 0 && (await unknownBranch(db, request.branchId))) return null;
  return rows.map((row) => ({ classId: row.class_id, free: row.free }));
}

async function unknownBranch(db: Db, id: string): Promise<boolean> {
  return (await branchById(db, id)) === undefined;
}
