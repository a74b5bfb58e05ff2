// Reads of the register and the calendar.
import { type Selectable, sql } from 'kysely';
import type { Channel } from '../../domain/stop-sell.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { transactInOneTrip } from '../one-trip.ts';
import type { VehiclesBranch, VehiclesClass, VehiclesVehicle } from '../schema.ts';
import { ordered, type Page, type PageRequest, paged, type Sort } from './page.ts';

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

export function vehicleById(db: Db, acting: Acting, id: string): Promise<VehicleRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('vehicles.vehicle').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export type VehicleFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly classId?: string | undefined;
  readonly status?: string | undefined;
  readonly vin?: string | undefined;
  /** The beginning of the plate, in any case. */
  readonly q?: string | undefined;
  readonly sort?: Sort | undefined;
};

export function listVehicles(
  db: Db,
  acting: Acting,
  filter: VehicleFilter,
): Promise<Page<VehicleRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const order = ordered('vehicles.vehicle', filter.sort);
    let query = tx.selectFrom('vehicles.vehicle as t').selectAll();
    if (filter.branchId !== undefined) query = query.where('branch_id', '=', filter.branchId);
    if (filter.classId !== undefined) query = query.where('class_id', '=', filter.classId);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.vin !== undefined) query = query.where('vin', '=', filter.vin);
    if (filter.q !== undefined) {
      query = query.where(sql<boolean>`starts_with(lower(plate), lower(${filter.q}))`);
    }
    if (filter.after !== undefined) query = query.where(order.after(filter.after));
    const rows = await query
      .orderBy(order.by)
      .limit(filter.limit + 1)
      .execute();
    return paged(rows, filter.limit);
  });
}

export type ClassAvailability = {
  readonly classId: string;
  readonly free: number;
  /** A stop-sell rule keeps it from being sold, however many are free. */
  readonly stopped?: true;
};

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
    readonly channel?: Channel | undefined;
  },
): Promise<readonly ClassAvailability[] | null> {
  const { lit } = sql;
  const statement = sql<{ class_id: string; free: number; stopped: readonly string[] | null }>`
    select class_id, free, (select vehicles.stopped_classes(${lit(request.branchId)},
      ${lit(request.channel ?? 'counter')}, ${lit(request.from)}, ${lit(request.to)})) as stopped
    from vehicles.count_free(${lit(request.branchId)},
      ${lit(request.classId ?? null)}, ${lit(request.from)}, ${lit(request.to)})`;
  const rows = await transactInOneTrip(db, 'api_read', READER, statement);
  if (rows.length === 0 && (await unknownBranch(db, request.branchId))) return null;
  return rows.map(({ class_id: classId, free, stopped }) => {
    const isStopped = stopped?.some((one) => one === '*' || one === classId);
    return { classId, free, ...(isStopped && { stopped: true as const }) };
  });
}

async function unknownBranch(db: Db, id: string): Promise<boolean> {
  return (await branchById(db, id)) === undefined;
}
