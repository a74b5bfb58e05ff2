// Reads of holds: those of a vehicle, and those of the caller's branches.
import { type Selectable, sql } from 'kysely';
import { type Assessment, assess, daysBetween, projectedKm, strictest } from '../../domain/hold.ts';
import type { Span } from '../../domain/span.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { holdOf } from '../commands/holds.ts';
import type { VehiclesHold } from '../schema.ts';
import { type Page, type PageRequest, paged } from './page.ts';

type HoldRow = Selectable<VehiclesHold>;

export type HoldFilter = PageRequest & {
  readonly vehicleId?: string | undefined;
  readonly branchId?: string | undefined;
  readonly type?: string | undefined;
  readonly open?: boolean | undefined;
};

export function holdById(db: Db, acting: Acting, id: string): Promise<HoldRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('vehicles.hold').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** In the order in which they were set. `branchId` is where the vehicle is now. */
export function listHolds(db: Db, acting: Acting, filter: HoldFilter): Promise<Page<HoldRow>> {
  const { vehicleId, branchId, type, open, after, limit } = filter;
  return transact(db, 'api_read', acting, async (tx) => {
    let query = tx.selectFrom('vehicles.hold').selectAll();
    if (vehicleId !== undefined) query = query.where('vehicle_id', '=', vehicleId);
    if (type !== undefined) query = query.where('type', '=', type);
    if (open !== undefined) query = query.where('lifted_at', open ? 'is' : 'is not', null);
    if (after !== undefined) query = query.where('id', '>', after);
    if (branchId !== undefined) {
      query = query.where(
        sql<boolean>`vehicle_id in (select v.id from vehicles.vehicle v
          where v.branch_id = ${branchId})`,
      );
    }
    return paged(
      await query
        .orderBy('id')
        .limit(limit + 1)
        .execute(),
      limit,
    );
  });
}

export type Readiness = {
  readonly says: Assessment;
  readonly projectedKm: number;
  readonly holds: readonly { readonly row: HoldRow; readonly says: Assessment }[];
};

/** Without better knowledge; see migration 0040. */
const KM_PER_DAY = 140;

/** What the open holds say of a span of time; undefined for an unknown vehicle. */
export async function readiness(
  db: Db,
  acting: Acting,
  vehicleId: string,
  span: Span,
  now: string,
): Promise<Readiness | undefined> {
  const [vehicle, rows] = await transact(db, 'api_read', acting, async (tx) => {
    const one = tx.selectFrom('vehicles.vehicle').where('id', '=', vehicleId);
    const open = tx.selectFrom('vehicles.hold').selectAll().where('vehicle_id', '=', vehicleId);
    return [
      await one.select(['odometer_km', 'average_km_per_day']).executeTakeFirst(),
      await open.where('lifted_at', 'is', null).orderBy('id').execute(),
    ] as const;
  });
  if (vehicle === undefined) return undefined;
  const average = Number(vehicle.average_km_per_day ?? KM_PER_DAY);
  const km = projectedKm(vehicle.odometer_km, daysBetween(now, span.to), average);
  const holds = rows.map((row) => ({ row, says: assess(holdOf(row), span, km) }));
  return { says: strictest(holds.map(({ says }) => says)), projectedKm: km, holds };
}
