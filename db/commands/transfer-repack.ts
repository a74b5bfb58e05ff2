// Finds other vehicles for the bookings in the way of a transfer, before it is refused.
import { sql } from 'kysely';
import type { TransferPlan } from '../../domain/transfer.ts';
import { type Db, transact } from '../client.ts';
import { type NoPlan, type Plan, search } from './allocation.ts';

type Way = {
  readonly classId: string;
  readonly branchOut: string;
  readonly from: string;
  /** With the turnaround at its end. */
  readonly to: string;
  /** When the last booking ends that counts on the vehicle; null without any. */
  readonly last: string | null;
};

/**
 * Moves after which this vehicle can be driven there and stay: tentative spans during the drive, and
 * those that count on the vehicle afterwards, go to others of its pool. Holds no lock.
 */
export async function planWay(
  db: Db,
  principal: string,
  vehicleId: string,
  plan: TransferPlan,
): Promise<Plan | NoPlan> {
  const way = await wayOf(db, principal, vehicleId, plan);
  if (way === undefined) return 'none';
  const { classId, branchOut } = way;
  const drive = { from: Date.parse(way.from), to: Date.parse(way.to) };
  const asking = { db, principal, branchId: branchOut, classId, now: () => performance.now() };
  // All that counts on the vehicle has to be seen at once: none of it may stay.
  const until = Math.max(drive.to, Date.parse(way.last ?? way.to));
  return search(asking, { id: plan.id, from: drive.from, to: until }, ({ vehicles, spans }) => ({
    vehicles: vehicles.map((vehicle) => {
      if (vehicle.id !== vehicleId) return vehicle;
      const fixed = { ...drive, branchOut, branchIn: plan.toBranchId };
      return { ...vehicle, fixed: [...vehicle.fixed, fixed] };
    }),
    spans: spans.map((span) => {
      if (span.vehicleId !== vehicleId || span.to <= drive.from) return span;
      return { ...span, vehicleId: null, leaves: vehicleId };
    }),
  }));
}

/** As vehicles.place_transfer would place it. */
function wayOf(
  db: Db,
  principal: string,
  vehicleId: string,
  { departsAt, arrivesAt, toBranchId }: TransferPlan,
): Promise<Way | undefined> {
  return transact(db, 'vehicles_rw', principal, async (tx) => {
    const { rows } = await sql<Way>`select v.class_id as "classId", p.place as "branchOut",
        ${departsAt}::timestamptz as "from", greatest(${arrivesAt}::timestamptz,
          ${departsAt}::timestamptz + make_interval(
            mins => vehicles.travel_minutes(p.place, b.id)))
          + make_interval(mins => b.turnaround_minutes) as "to",
        (select max(upper(s.during)) from vehicles.span s where s.vehicle_id = v.id
          and s.grip = 'tentative' and s.kind in ('rental', 'quote')) as last
      from vehicles.vehicle v, vehicles.branch b,
        lateral (select vehicles.place_before(v.id, ${departsAt}) as place) p
      where v.id = ${vehicleId} and b.id = ${toBranchId}`.execute(tx);
    return rows[0];
  });
}
