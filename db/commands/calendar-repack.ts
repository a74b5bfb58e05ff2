// Repacking a pool, as the reserving commands see it: the problem as it stands, and the plan applied.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { asked, type MovedSpan, refuseUnknown, told } from './calendar.ts';
import type { TakenSpan } from './calendar-booking.ts';

type Interval = { readonly from: string; readonly to: string };

export type PoolVehicle = {
  readonly vehicleId: string;
  /** Where it is when the hull begins. */
  readonly startBranch: string;
  /** Where it has to be after the hull; null: anywhere. */
  readonly nextBranch: string | null;
  /** What is fixed on it within the hull; without branches it does not move the vehicle. */
  readonly blocked: readonly (Interval & {
    readonly branchOut: string | null;
    readonly branchIn: string | null;
  })[];
  /** A hard hold keeps it from the window, and from the movable spans of these ids. */
  readonly heldForWindow: boolean;
  readonly heldFor: readonly string[];
};

export type MovableSpan = Interval & {
  readonly spanId: string;
  readonly kind: 'rental' | 'quote';
  readonly version: number;
  readonly branchOut: string;
  readonly branchIn: string;
  readonly vehicleId: string;
};

export type PoolSpans = {
  /** The window, widened by all movable spans that overlap it. */
  readonly hull: Interval;
  readonly vehicles: readonly PoolVehicle[];
  readonly spans: readonly MovableSpan[];
};

/** Takes no lock. Instants are ISO 8601; `to` of spans and blocks includes the turnaround. */
export function poolSpans(
  tx: Tx,
  pool: { readonly branchId: string; readonly classId: string } & Interval,
): Promise<PoolSpans> {
  return asked(
    tx,
    sql`vehicles.pool_spans(${pool.branchId}, ${pool.classId},
      tstzrange(${pool.from}, ${pool.to}))`,
  );
}

export type Move = Pick<MovableSpan, 'spanId' | 'version' | 'vehicleId'>;

type Answer = TakenSpan & {
  readonly unknown?: string | null;
  readonly refused?: 'stale';
  readonly moved?: readonly MovedSpan[];
};

/**
 * Moves spans to other vehicles and, for a request, takes the vehicle that became free: all of it or
 * nothing. Throws `version-conflict` when the plan no longer fits, `not-found` as `takeSpan` does.
 */
export async function applyMoves(
  tx: Tx,
  moves: readonly Move[],
  taking: { readonly request: RentalRequest; readonly vehicleId: string } | null,
): Promise<TakenSpan & { readonly moved: readonly MovedSpan[] }> {
  const answer = await asked<Answer>(
    tx,
    sql`vehicles.apply_moves(${JSON.stringify(moves)}::jsonb,
      ${taking === null ? null : JSON.stringify(demandOf(taking.request, taking.vehicleId))}::jsonb)`,
  );
  refuseUnknown(answer.unknown);
  if (answer.refused) {
    throw new DomainError('version-conflict', 'The calendar changed meanwhile; look again.');
  }
  return { ...answer, moved: await told(tx, answer.moved ?? []) };
}

function demandOf(request: RentalRequest, vehicleId: string) {
  const { id: ref, classId, branchId: branchOut, pickUpAt: from, dueAt: to } = request;
  return {
    ref,
    classId,
    branchOut,
    branchIn: request.returnBranchId ?? branchOut,
    from,
    to,
    vehicleId,
  };
}
