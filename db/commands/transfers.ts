// Transfer tickets: planned, driven, cancelled, each with its span, event and audit in one transaction.
import { sql } from 'kysely';
import { DomainError, type ErrorDetails } from '../../domain/errors.ts';
import {
  decidePlan,
  type TransferCommand,
  type TransferOutcome,
  type TransferPlan,
  type TransferState,
} from '../../domain/transfer.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { factOf, TRANSFER_COLUMNS } from '../transfer-row.ts';
import { budgetExhausted, byRepacking, isUnavailable } from './allocation.ts';
import { recordAudit } from './audit.ts';
import { asked, type MovedSpan, reassignmentOf, refuseUnknown, told } from './calendar.ts';
import { applyMoves, type Move } from './calendar-repack.ts';
import { carryOut } from './transfer-moves.ts';
import { planWay } from './transfer-repack.ts';

export type Commanded<C> = { readonly commandId: string; readonly command: C };

/**
 * Writes a ticket and keeps its vehicle for the drive; tentative bookings in the way of a vehicle that
 * was named go to others. Throws `vehicle-unavailable` (details list what is booked on it),
 * `not-found` for a vehicle or branch, and what `decidePlan` refuses.
 */
export async function planTransfer(
  db: Db,
  acting: Acting,
  given: Commanded<TransferPlan>,
): Promise<TransferOutcome> {
  try {
    return await planWith(db, acting, given, []);
  } catch (error) {
    const { vehicle } = given.command;
    if (!isUnavailable(error) || !('id' in vehicle)) throw error;
    const { principal } = rowAccess(acting);
    const repacked = await byRepacking(
      () => planWay(db, principal, vehicle.id, given.command),
      ({ moves }) => planWith(db, acting, given, moves),
    );
    if (typeof repacked !== 'string') return repacked.done;
    throw repacked === 'exhausted' ? budgetExhausted(error) : error;
  }
}

function planWith(
  db: Db,
  acting: Acting,
  { commandId, command: plan }: Commanded<TransferPlan>,
  moves: readonly Move[],
): Promise<TransferOutcome> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const known = await outcomeOf(tx, commandId);
    if (known !== undefined) return known;
    decidePlan(plan, new Date().toISOString());
    const cleared = await clearWay(tx, plan, moves);
    const { vehicleId, classId, span } = await place(tx, plan);
    const moved = [...cleared, ...(await told(tx, span.moved ?? []))];
    const { rows } = await sql<TransferState>`insert into vehicles.transfer (id, vehicle_id,
        class_id, from_branch, to_branch, driver_id, departs_at, arrives_at)
      select ${plan.id}, ${vehicleId}, ${classId}, ${span.branchOut}, ${plan.toBranchId},
        ${plan.driverId}, ${plan.departsAt}, upper(during)
          - make_interval(mins => turnaround_minutes)
      from vehicles.span where id = ${span.spanId} returning ${TRANSFER_COLUMNS}`.execute(tx);
    const transfer = rows[0] as TransferState;
    await publish(tx, {
      type: 'forecourt.transfer.planned.v1',
      aggregateId: transfer.id,
      sequence: transfer.version,
      data: {
        ...factOf(transfer),
        classId,
        departsAt: transfer.departsAt,
        arrivesAt: transfer.arrivesAt,
      },
    });
    return remember(tx, commandId, 'plan', transfer, moved);
  });
}

/**
 * Carries a command out on the version that it was decided on; a repeat answers what it led to. A
 * drive that the calendar gave up meanwhile ends as `void`, whatever was asked. Throws `not-found`,
 * `version-conflict`, `vehicle-unavailable`, `odometer-rollback`.
 */
export function recordTransfer(
  db: Db,
  acting: Acting,
  {
    commandId,
    transferId,
    version,
    command,
  }: Commanded<TransferCommand> & { readonly transferId: string; readonly version: number },
): Promise<TransferOutcome> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const known = await outcomeOf(tx, commandId);
    if (known !== undefined) return known;
    // The pools before the row: what moves the span's neighbours comes the same way.
    const grip = await lockSpan(tx, transferId);
    const before = await locked(tx, transferId, version);
    const isVoid = before.status === 'planned' && grip === 'released';
    const asked: TransferCommand = isVoid ? { type: 'cancel', reason: 'void' } : command;
    const { transfer, moved } = await carryOut(tx, before, asked);
    return remember(tx, commandId, asked.type, transfer, await told(tx, moved));
  });
}

type Placed = {
  readonly vehicleId: string;
  readonly classId: string;
  readonly span: {
    readonly spanId: string;
    readonly branchOut: string;
    readonly moved?: readonly MovedSpan[];
  };
};

type PlaceAnswer = Placed['span'] & {
  readonly unknown?: 'vehicle' | 'branch';
  readonly refused?: 'vehicle-unavailable';
};

/** After both ends are locked, as `place` does, so that nobody waits for another in a circle. */
async function clearWay(
  tx: Tx,
  plan: TransferPlan,
  moves: readonly Move[],
): Promise<readonly MovedSpan[]> {
  if (moves.length === 0 || !('id' in plan.vehicle)) return [];
  await lockEnds(tx, plan.vehicle.id, plan);
  return (await applyMoves(tx, moves, null)).moved;
}

async function lockEnds(
  tx: Tx,
  vehicleId: string,
  { departsAt, toBranchId }: TransferPlan,
): Promise<{ readonly classId?: string; readonly status?: string }> {
  const { rows } = await sql<{ classId: string; status: string }>`select class_id as "classId",
      status, vehicles.lock_pools(array[vehicles.place_before(id, ${departsAt}), ${toBranchId}],
        array[class_id, class_id])
    from vehicles.vehicle where id = ${vehicleId}`.execute(tx);
  if (rows[0] === undefined) refuseUnknown('vehicle');
  return rows[0] ?? {};
}

async function place(tx: Tx, plan: TransferPlan): Promise<Placed> {
  const { id, vehicle, toBranchId, departsAt, arrivesAt } = plan;
  for (const vehicleId of await candidates(tx, plan)) {
    const { classId = '', status } = await lockEnds(tx, vehicleId, plan);
    if (status !== 'in_service') throw unavailable({ vehicleId, vehicleStatus: status ?? null });
    const span = await asked<PlaceAnswer>(
      tx,
      sql`vehicles.place_transfer(${id}, ${vehicleId}, ${toBranchId}, ${departsAt}, ${arrivesAt})`,
    );
    refuseUnknown(span.unknown);
    if (span.refused === undefined) return { vehicleId, classId, span };
  }
  const inTheWay = 'id' in vehicle ? await obstacles(tx, vehicle.id, plan) : [];
  throw unavailable({ ...('id' in vehicle ? { vehicleId: vehicle.id } : {}), inTheWay });
}

/** The vehicle that was named, or those of the class that can leave the branch, best first. */
async function candidates(tx: Tx, plan: TransferPlan): Promise<readonly string[]> {
  const { vehicle, toBranchId, departsAt, arrivesAt } = plan;
  if ('id' in vehicle) return [vehicle.id];
  const { rows } = await sql<{ id: string }>`select id from vehicles.transfer_candidates(
      ${vehicle.at}, ${toBranchId}, ${vehicle.classId}, ${departsAt},
      greatest(${arrivesAt}::timestamptz, ${departsAt}::timestamptz + make_interval(
        mins => vehicles.travel_minutes(${vehicle.at}, ${toBranchId})))) id limit 10`.execute(tx);
  return rows.map(({ id }) => id);
}

type Obstacle = {
  readonly kind: string;
  readonly ref: string;
  readonly from: string;
  readonly to: string;
};

function obstacles(tx: Tx, vehicleId: string, plan: TransferPlan): Promise<readonly Obstacle[]> {
  const { toBranchId, departsAt, arrivesAt } = plan;
  return asked<readonly Obstacle[]>(
    tx,
    sql`(select vehicles.transfer_obstacles(v.id, ${toBranchId}, ${departsAt},
        greatest(${arrivesAt}::timestamptz, ${departsAt}::timestamptz + make_interval(
          mins => vehicles.travel_minutes(vehicles.place_before(v.id, ${departsAt}),
            ${toBranchId}))) + make_interval(mins => b.turnaround_minutes))
      from vehicles.vehicle v, vehicles.branch b
      where v.id = ${vehicleId} and b.id = ${toBranchId})`,
  );
}

function unavailable(details: ErrorDetails): DomainError {
  return new DomainError(
    'vehicle-unavailable',
    'No vehicle can be driven there then; see what is in the way, or choose another time.',
    details,
  );
}

/** Locks as every mover of the span does, and answers its grip. */
async function lockSpan(tx: Tx, transferId: string): Promise<string | undefined> {
  const known = await sql`select from vehicles.transfer where id = ${transferId}`.execute(tx);
  if (known.rows.length === 0) {
    throw new DomainError('not-found', 'There is no such transfer.', { of: 'transfer' });
  }
  const { rows } = await sql<{ grip: string }>`select grip
    from vehicles.lock_itinerary('transfer', ${transferId})`.execute(tx);
  return rows[0]?.grip;
}

async function locked(tx: Tx, id: string, version: number): Promise<TransferState> {
  const { rows } = await sql<TransferState>`select ${TRANSFER_COLUMNS} from vehicles.transfer
    where id = ${id} for update`.execute(tx);
  const [row] = rows;
  if (row?.version === version) return row;
  throw new DomainError('version-conflict', 'The transfer was changed meanwhile; read it again.', {
    version: row?.version ?? null,
  });
}

async function outcomeOf(tx: Tx, commandId: string): Promise<TransferOutcome | undefined> {
  const { rows } = await sql<{ outcome: TransferOutcome }>`select outcome
    from vehicles.transfer_command where id = ${commandId}`.execute(tx);
  return rows[0]?.outcome;
}

async function remember(
  tx: Tx,
  commandId: string,
  verb: 'plan' | TransferCommand['type'],
  transfer: TransferState,
  moved: readonly MovedSpan[],
): Promise<TransferOutcome> {
  const reassigned = moved.map(reassignmentOf);
  const outcome = { transfer, reassigned };
  await sql`insert into vehicles.transfer_command (id, transfer_id, outcome)
    values (${commandId}, ${transfer.id}, ${JSON.stringify(outcome)})`.execute(tx);
  const action = `transfer.${verb === 'markOverdue' ? 'mark-overdue' : verb}`;
  const subject = { subjectType: 'transfer', subjectId: transfer.id } as const;
  await recordAudit(tx, { action, ...subject, commandId, after: transfer });
  return outcome;
}
