// Reads of the register and the calendar.
import { type Selectable, sql } from 'kysely';
import type { Channel } from '../../domain/stop-sell.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type PreparedCall, readInOneTrip } from '../one-trip.ts';
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

export type BranchFilter = {
  readonly among?: readonly string[] | undefined;
  readonly isSandbox?: boolean | undefined;
};

export function listBranches(
  db: Db,
  { among, isSandbox, ...page }: PageRequest & BranchFilter,
): Promise<Page<BranchRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('vehicles.branch').selectAll();
    if (among !== undefined) query = query.where(sql<boolean>`id = any (${among}::text[])`);
    if (isSandbox !== undefined) query = query.where('is_sandbox', '=', isSandbox);
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
  /** Vehicles that are ordered and expected by then; never bookable. Where the branch shows them. */
  readonly planned?: number;
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
    /** Where they come back; left out, where they start. */
    readonly returnBranchId?: string | undefined;
    readonly classId?: string | undefined;
    readonly from: string;
    readonly to: string;
    readonly channel?: Channel | undefined;
  },
): Promise<readonly ClassAvailability[] | null> {
  const { branchId, returnBranchId = branchId, classId, from, to, channel } = request;
  const values = [branchId, classId ?? null, from, to, channel ?? 'counter', returnBranchId];
  const [answers = []] = await readInOneTrip(db, READER, [COUNT_FREE], values);
  if (answers.length === 0) {
    if (await unknownBranch(db, branchId)) return null;
    if (await unknownBranch(db, returnBranchId)) return null;
  }
  const rows = answers.map((answer) => JSON.parse(answer ?? '') as AvailabilityRow);
  return rows.map(({ class_id: classId, free, stopped, planned }) => {
    const isStopped = stopped?.some((one) => one === '*' || one === classId);
    return {
      classId,
      free,
      ...(planned && { planned: planned[classId] ?? 0 }),
      ...(isStopped && { stopped: true as const }),
    };
  });
}

type AvailabilityRow = {
  readonly class_id: string;
  readonly free: number;
  readonly planned: Readonly<Record<string, number>> | null;
  readonly stopped: readonly string[] | null;
};

const COUNT_FREE: PreparedCall = {
  role: 'api_read',
  name: 'availability',
  types: ['text', 'text', 'timestamptz', 'timestamptz', 'text', 'text'],
  text: `
    select json_build_object('class_id', class_id, 'free', free,
      'planned', (select vehicles.planned_capacity($1, $3)),
      -- Most of the time nothing is stopped at all, and to call costs more than to look.
      'stopped', (select vehicles.stopped_classes($1, $5, $3, $4) where exists (
        select from vehicles.stop_sell where ended_at is null and to_date >= current_date - 1)))::text
      as answer
    from vehicles.count_free($1, $6, $2, $3, $4)`,
};

async function unknownBranch(db: Db, id: string): Promise<boolean> {
  return (await branchById(db, id)) === undefined;
}
