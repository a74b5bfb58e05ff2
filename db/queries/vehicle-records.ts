// Reads of what belongs to vehicles: documents, plates over time, the upgrade ladder, expiries.
import { type Selectable, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { VehiclesDocument } from '../schema.ts';
import { ordered, type Page, type PageRequest, paged } from './page.ts';

type DocumentRow = Selectable<VehiclesDocument>;

export function listDocuments(
  db: Db,
  acting: Acting,
  request: PageRequest & { readonly vehicleId: string },
): Promise<Page<DocumentRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    let query = tx
      .selectFrom('vehicles.document')
      .selectAll()
      .where('vehicle_id', '=', request.vehicleId);
    if (request.after !== undefined) query = query.where('id', '>', request.after);
    const rows = await query
      .orderBy('id')
      .limit(request.limit + 1)
      .execute();
    return paged(rows, request.limit);
  });
}

export function documentById(
  db: Db,
  acting: Acting,
  vehicleId: string,
  id: string,
): Promise<DocumentRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('vehicles.document')
      .selectAll()
      .where('id', '=', id)
      .where('vehicle_id', '=', vehicleId)
      .executeTakeFirst(),
  );
}

export type PlatePeriod = {
  readonly vehicleId: string;
  readonly plate: string;
  readonly jurisdiction: string;
  readonly from: string;
  /** Null while it has it. */
  readonly until: string | null;
};

/** Who had the plate at an instant: one at most in each jurisdiction, however it is written. */
export function plateHolders(
  db: Db,
  acting: Acting,
  asked: {
    readonly plate: string;
    readonly at: string;
    readonly jurisdiction?: string | undefined;
  },
): Promise<readonly PlatePeriod[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<PlatePeriod>`select vehicle_id as "vehicleId", plate, jurisdiction,
        lower(valid) as "from", upper(valid) as "until"
      from vehicles.plate
      where plate_key = vehicles.plate_key(${asked.plate}) and valid @> ${asked.at}::timestamptz
        and (${asked.jurisdiction ?? null}::text is null or jurisdiction = ${asked.jurisdiction ?? null})
      order by jurisdiction`.execute(tx);
    return rows;
  });
}

/** The plates of a vehicle, the newest first. */
export function platesOf(
  db: Db,
  acting: Acting,
  vehicleId: string,
): Promise<readonly PlatePeriod[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<PlatePeriod>`select vehicle_id as "vehicleId", plate, jurisdiction,
        lower(valid) as "from", upper(valid) as "until"
      from vehicles.plate where vehicle_id = ${vehicleId} order by lower(valid) desc`.execute(tx);
    return rows;
  });
}

/** The classes that a renter of this one may be given instead, the nearest first. */
export function upgradesOf(db: Db, classId: string): Promise<readonly string[]> {
  return transact(db, 'api_read', 'system:api', async (tx) => {
    const rows = await tx
      .selectFrom('vehicles.upgrade')
      .select('next_class_id')
      .where('class_id', '=', classId)
      .where('rank', 'is not', null)
      .orderBy('rank')
      .execute();
    return rows.map((row) => row.next_class_id);
  });
}

export type Expiry = {
  readonly id: string;
  readonly what: string;
  readonly kind: string;
  readonly vehicle_id: string;
  readonly plate: string;
  readonly branch_id: string;
  readonly due_at: string;
};

/** What ends before `before`, what is overdue first; of one branch or of all in sight. */
export function listExpiries(
  db: Db,
  acting: Acting,
  request: PageRequest & { readonly before: string; readonly branchId?: string | undefined },
): Promise<Page<Expiry>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const order = ordered('vehicles.expiry', { column: 'due_at', descending: false });
    const branch = request.branchId ?? null;
    const { rows } = await sql<Expiry>`select t.id, t.what, t.kind, t.vehicle_id, v.plate,
        v.branch_id, t.due_at
      from vehicles.expiry t join vehicles.vehicle v on v.id = t.vehicle_id
      where t.due_at < ${request.before} and (${branch}::text is null or v.branch_id = ${branch})
        and ${request.after === undefined ? sql`true` : order.after(request.after)}
      order by ${order.by} limit ${request.limit + 1}`.execute(tx);
    return paged(rows, request.limit);
  });
}
