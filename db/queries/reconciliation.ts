// What rentals, calendar and vehicles say, page by page, for the nightly proof; and its reports.
import { type Selectable, sql } from 'kysely';
import type { QuoteSide, RentalSide, SpanSide, VehicleSides } from '../../domain/reconciliation.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { VehiclesFleetDifference, VehiclesFleetProof } from '../schema.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type FleetProofRow = Selectable<VehiclesFleetProof>;
export type FleetDifferenceRow = Selectable<VehiclesFleetDifference>;

const READER = 'system:fleet-proof';

/** Rows of the next ids after `after` in their order, or of these ids. */
export type Slice =
  | { readonly after: string | null; readonly limit: number }
  | { readonly ids: readonly string[] };

export type RentalAndSpan = {
  readonly id: string;
  readonly rental: (RentalSide & { readonly changedAt: string }) | null;
  readonly span: SpanSide | null;
};

const OPEN = sql`('requested', 'reserved', 'active', 'returned')`;

/** Open rentals, and spans that should have one; one statement, so both sides are of one instant. */
export function readRentals(db: Db, slice: Slice): Promise<readonly RentalAndSpan[]> {
  return reading(db, async (tx) => {
    const wanted =
      'ids' in slice
        ? sql`select unnest(${[...slice.ids]}::uuid[]) as id`
        : sql`select id from (
            (select id from rentals.rental where status in ${OPEN} and ${next(slice, 'id')}
              order by id limit ${slice.limit})
            union
            (select ref from vehicles.span where kind = 'rental' and ${next(slice, 'ref')}
              and (grip in ('unassigned', 'tentative', 'out')
                or (grip = 'firm' and upper(during) > now()))
              order by ref limit ${slice.limit})) both_sides order by id limit ${slice.limit}`;
    const { rows } = await sql<RentalAndSpan>`
      select wanted.id,
        case when r.id is not null then jsonb_build_object('status', r.status,
          'version', r.version, 'vehicleId', r.vehicle_id, 'branchId', r.branch_id,
          'returnBranchId', r.return_branch_id, 'pickUpAt', r.pick_up_at, 'dueAt', r.due_at,
          'checkedOutAt', r.checked_out_at, 'checkedInAt', r.checked_in_at,
          'afterHours', r.after_hours,
          'keysOutAt', g.from_at, 'keysOutBranchId', g.branch_out,
          'changedAt', r.updated_at) end as rental,
        case when s.id is not null then jsonb_build_object('grip', s.grip,
          'vehicleId', s.vehicle_id, 'branchOut', s.branch_out, 'branchIn', s.branch_in,
          'from', lower(s.during), 'to', upper(s.during),
          'turnaroundMinutes', s.turnaround_minutes) end as span
      from (${wanted}) wanted
      left join rentals.rental r on r.id = wanted.id
      left join vehicles.span s on s.kind = 'rental' and s.ref = wanted.id
      left join lateral (select from_at, branch_out from rentals.segment
        where rental_id = r.id order by from_at desc limit 1) g on true
      order by wanted.id`.execute(tx);
    return rows;
  });
}

/** Which of them are open rentals. */
export function openAmong(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  return reading(db, async (tx) => {
    const { rows } = await sql<{ id: string }>`select id from rentals.rental
      where id = any (${[...ids]}::uuid[]) and status in ${OPEN}`.execute(tx);
    return new Set(rows.map(({ id }) => id));
  });
}

/**
 * `leftAt`: the branch of the last trip that has ended. It says nothing while the vehicle is out, or
 * when somebody has changed the vehicle's branch by hand since.
 */
export function readVehicles(db: Db, slice: Slice): Promise<readonly VehicleSides[]> {
  return reading(db, async (tx) => {
    const where =
      'ids' in slice
        ? sql`v.id = any (${[...slice.ids]}::uuid[])`
        : sql`${next(slice, 'v.id')} order by v.id limit ${slice.limit}`;
    const { rows } = await sql<VehicleSides>`
      select v.id, v.status, v.branch_id as "branchId", (
          select coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'ref', s.ref,
            'grip', s.grip)), '[]')
          from vehicles.span s where s.vehicle_id = v.id and s.grip <> 'released'
            and s.kind <> 'block' and (s.grip = 'out' or upper(s.during) > now())) as live, (
          select t.branch_in from (
            select s.branch_in, s.grip, s.during from vehicles.span s
            where s.vehicle_id = v.id and s.kind in ('rental', 'exchanged', 'transfer')
              and s.grip in ('out', 'firm') and lower(s.during) <= now()
            order by lower(s.during) desc limit 1) t
          where t.grip = 'firm' and t.branch_in <> v.branch_id and not exists (
            select from people.audit_entry a
            where a.subject_type = 'vehicle' and a.subject_id = v.id::text
              and a.action = 'vehicle.update' and a.after ? 'branchId'
              and a.at > lower(t.during))) as "leftAt"
      from (select * from vehicles.vehicle v where ${where}) v order by v.id`.execute(tx);
    return rows;
  });
}

/** Quotes that still keep a vehicle: those whose time is over, or these. */
export function readQuotes(db: Db, slice: Slice): Promise<readonly QuoteSide[]> {
  return reading(db, async (tx) => {
    const where =
      'ids' in slice
        ? sql`ref = any (${[...slice.ids]}::uuid[])`
        : sql`held_until < now() and ${next(slice, 'ref')} order by ref limit ${slice.limit}`;
    const { rows } = await sql<QuoteSide>`
      select ref as id, branch_out as "branchOut", vehicle_id as "vehicleId",
        held_until as "heldUntil"
      from vehicles.span where kind = 'quote' and grip <> 'released' and ${where}`.execute(tx);
    return rows;
  });
}

/** When the last proof began that came to its end; null before the first. */
export function lastProofStart(db: Db): Promise<string | null> {
  return reading(db, async (tx) => {
    const { rows } = await sql<{ at: string | null }>`select max(started_at) as at
      from vehicles.fleet_proof where finished_at is not null`.execute(tx);
    return rows[0]?.at ?? null;
  });
}

export function readDoubts(
  db: Db,
  proofId: string,
  type: string,
  after: string | null,
  limit: number,
): Promise<readonly string[]> {
  return reading(db, async (tx) => {
    const { rows } = await sql<{ id: string }>`select subject_id as id from vehicles.fleet_doubt
      where proof_id = ${proofId} and subject_type = ${type}
        and ${next({ after }, 'subject_id')} order by subject_id limit ${limit}`.execute(tx);
    return rows.map(({ id }) => id);
  });
}

export function latestProof(db: Db, acting: Acting): Promise<FleetProofRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('vehicles.fleet_proof')
      .selectAll()
      .orderBy('started_at', 'desc')
      .limit(1)
      .executeTakeFirst(),
  );
}

/** In the order in which they were first seen. */
export function listDifferences(
  db: Db,
  acting: Acting,
  filter: PageRequest & { readonly open?: boolean | undefined },
): Promise<Page<FleetDifferenceRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    let query = tx.selectFrom('vehicles.fleet_difference').selectAll();
    if (filter.open !== undefined) {
      query = query.where('resolved_at', filter.open ? 'is' : 'is not', null);
    }
    if (filter.after !== undefined) query = query.where('id', '>', filter.after);
    const rows = await query
      .orderBy('id')
      .limit(filter.limit + 1)
      .execute();
    return paged(rows, filter.limit);
  });
}

function next({ after }: { readonly after: string | null }, column: string) {
  return after === null ? sql`true` : sql`${sql.ref(column)} > ${after}`;
}

function reading<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(db, 'api_read', READER, work);
}
