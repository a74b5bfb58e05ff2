// Holds as people set, change and lift them: alone, by a repair, or with a second person.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { checkChange, checkHold, decideLift, type Hold, type Lift } from '../../domain/hold.ts';
import type { Role } from '../../domain/people.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { type MovedSpan, moveOff, promotePool } from './calendar.ts';
import {
  type AffectedSpan,
  type HoldRow,
  type HoldTerms,
  holdOf,
  type LiftedHold,
  recordHolds,
  setHold,
} from './holds.ts';
import { updateVersion } from './master-data.ts';

export type AppliedHold = {
  readonly row: HoldRow;
  /** With the other vehicle that each has now; null where it stays. */
  readonly affected: readonly (AffectedSpan & { readonly movedTo: string | null })[];
};

/**
 * A person sets a hold. Bookings that it blocks go to other vehicles where there are any; what is out
 * stays out. A repeat with the same id changes nothing.
 */
export function applyHold(
  db: Db,
  acting: Acting,
  wanted: { readonly id: string; readonly vehicleId: string; readonly hold: HoldTerms },
  now: string,
): Promise<AppliedHold> {
  const { id, vehicleId } = wanted;
  const from = wanted.hold.from ?? now;
  const hardFrom = wanted.hold.hardFrom ?? (wanted.hold.severity === 'hard' ? from : undefined);
  checkHold(asHold({ ...wanted.hold, from, hardFrom }));
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    await lockPool(tx, vehicleId);
    const hold = { ...wanted.hold, from, hardFrom, id };
    const set = await setHold(tx, { source: 'manual', sourceRef: id, vehicleId, hold });
    const moved = set.affected.length > 0 ? await moveOff(tx, vehicleId) : [];
    const affected = set.affected.map((span) => {
      const other = moved.find(({ spanId }) => spanId === span.spanId)?.vehicleId ?? null;
      return { ...span, movedTo: other };
    });
    return { row: await lockHold(tx, id), affected };
  });
}

/** Null takes the end or the limit away. */
export type HoldChange = Partial<Omit<HoldTerms, 'type' | 'until' | 'fromKm' | 'barsSale'>> & {
  readonly until?: string | null | undefined;
  readonly fromKm?: number | null | undefined;
};

/** Throws `four-eyes` for a change that would weaken a hard hold, `invalid-state` for a lifted one. */
export function changeHold(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: HoldChange,
): Promise<HoldRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const before = await lockHold(tx, id);
    refuseUnlessOpen(before);
    if (before.source !== 'manual') {
      throw new DomainError('invalid-state', 'What set this hold changes it.', {
        source: before.source,
      });
    }
    const old = holdOf(before);
    const severity = change.severity ?? old.severity;
    const from = change.from ?? old.from;
    const hardFrom = severity === 'hard' ? (change.hardFrom ?? old.hardFrom ?? from) : null;
    const after = { ...old, ...present(change), severity, from, hardFrom } as Hold;
    checkChange(old, after);
    // As set_hold does: who is about to take the vehicle goes first, and is then seen.
    await sql`select from vehicles.vehicle where id = ${before.vehicle_id}
      for no key update`.execute(tx);
    const row = await updateVersion<HoldRow>(tx, 'vehicles.hold', id, version, {
      severity,
      from_at: from,
      hard_from: hardFrom,
      until_at: change.until,
      from_km: change.fromKm,
      tolerance_km: change.toleranceKm,
      soon_km: change.soonKm,
      reason: change.reason,
    });
    await recordHolds(tx, 'change', [factOf(row)], change);
    if (row.severity === 'hard') await moveOff(tx, row.vehicle_id);
    else await serveWaiting(tx, row.vehicle_id);
    return row;
  });
}

/**
 * A person ends a hold: by repair, by an approval that is used up with it, or, a soft one, alone.
 * Throws what `decideLift` throws, `four-eyes` for an approval that is not for this hold or was used,
 * and `invalid-state` when it is lifted. A repeat by the same person answers what was done.
 */
export function liftHold(
  db: Db,
  acting: Acting,
  id: string,
  lift: Lift & { readonly reason: string },
  roles: readonly Role[],
): Promise<HoldRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const before = await lockHold(tx, id);
    const { principal } = rowAccess(acting);
    if (before.lifted_by === principal && before.lift_reason === lift.reason) return before;
    refuseUnlessOpen(before);
    const via = decideLift(holdOf(before), lift, roles);
    if (via === 'approval') await useApproval(tx, before, lift.approvalId);
    const { rows } = await sql<HoldRow>`update vehicles.hold set lifted_at = now(),
        lifted_by = ${principal}, lift_reason = ${lift.reason}, lifted_via = ${via},
        repair_code = ${via === 'repair' ? lift.repairCode : null},
        approval_id = ${via === 'approval' ? lift.approvalId : null}, version = version + 1
      where id = ${id} returning *`.execute(tx);
    const row = rows[0] as HoldRow;
    await recordHolds(tx, 'lift', [factOf(row)], { via, ...lift });
    await serveWaiting(tx, row.vehicle_id);
    return row;
  });
}

/** Bookings that a hard hold keeps from a vehicle go to others; answers those that did. */
export function moveOffHeld(
  db: Db,
  acting: Acting,
  vehicleId: string,
): Promise<readonly MovedSpan[]> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    await lockPool(tx, vehicleId);
    return moveOff(tx, vehicleId);
  });
}

/** Before any row, in the order of all who move spans. */
async function lockPool(tx: Tx, vehicleId: string): Promise<void> {
  await sql`select vehicles.lock_pool(branch_id, class_id) from vehicles.vehicle
    where id = ${vehicleId}`.execute(tx);
}

/** Who waits may have the vehicle now. */
async function serveWaiting(tx: Tx, vehicleId: string): Promise<void> {
  const vehicle = await tx
    .selectFrom('vehicles.vehicle')
    .select(['branch_id', 'class_id'])
    .where('id', '=', vehicleId)
    .executeTakeFirst();
  if (vehicle) await promotePool(tx, vehicle.branch_id, vehicle.class_id);
}

async function useApproval(tx: Tx, hold: HoldRow, approvalId: string | undefined): Promise<void> {
  const { rows } = await sql<{ used: boolean }>`select people.use_approval(${approvalId},
    'hold-release', ${hold.id}, v.branch_id) as used
    from vehicles.vehicle v where v.id = ${hold.vehicle_id}`.execute(tx);
  if (rows[0]?.used === true) return;
  throw new DomainError('four-eyes', 'There is no unused approval for releasing this hold.');
}

async function lockHold(tx: Tx, id: string): Promise<HoldRow> {
  const row = await tx
    .selectFrom('vehicles.hold')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such hold.');
  return row;
}

function refuseUnlessOpen(hold: HoldRow): void {
  if (hold.lifted_at === null) return;
  throw new DomainError('invalid-state', 'The hold was lifted.', { liftedAt: hold.lifted_at });
}

function asHold(terms: HoldTerms & { readonly from: string }): Hold {
  const { type, severity, from, toleranceKm = 0, soonKm = 0 } = terms;
  const open = { hardFrom: terms.hardFrom ?? null, until: terms.until ?? null };
  return { type, severity, from, ...open, fromKm: terms.fromKm ?? null, toleranceKm, soonKm };
}

function present<T extends object>(change: T): Partial<T> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<T>;
}

function factOf(row: HoldRow): LiftedHold {
  const { id: holdId, vehicle_id: vehicleId, type, severity, version } = row;
  return { holdId, vehicleId, type, severity, version };
}
