// Vehicles for bookings: the calendar's published functions that take a span, as commands call them.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { asked, refuseUnknown } from './calendar.ts';

export type BranchTerms = {
  readonly entityId: string;
  readonly noShowGraceMinutes: number;
  readonly overdueGraceMinutes: number;
  readonly reminderMinutes: number;
};

/** What a request got: a vehicle, or none yet within the overbooking limit. */
export type TakenSpan = BranchTerms & {
  readonly vehicleId: string | null;
  /** This request had its span before. */
  readonly existing: boolean;
};

type Answer = TakenSpan & {
  readonly unknown: 'branch' | 'class' | null;
  readonly full?: true;
  readonly allocation?: 'assigned' | 'unassigned';
};

/**
 * Takes the best fitting vehicle for a rental (step 1 of decisions.md 1). Throws
 * `vehicle-unavailable` when none is free, `not-found` for an unknown branch or class.
 */
export async function takeSpan(
  tx: Tx,
  request: RentalRequest,
): Promise<TakenSpan & { readonly vehicleId: string }> {
  const span = await taken(tx, request, sql`vehicles.take_span(${argumentsOf(request)})`);
  return span as TakenSpan & { readonly vehicleId: string };
}

/** For keys that go out in this transaction: those of `vehicleId`, where it is named. Throws as above. */
export async function takeWalkUp(
  tx: Tx,
  request: RentalRequest,
  vehicleId: string | undefined,
): Promise<TakenSpan> {
  const { id, classId, branchId, returnBranchId, pickUpAt, dueAt } = request;
  return taken(
    tx,
    request,
    sql`vehicles.take_walk_up(${id}, ${classId}, ${branchId}, ${returnBranchId ?? branchId},
      ${pickUpAt}, ${dueAt}, ${vehicleId ?? null})`,
  );
}

/**
 * Under the pool's lock: a vehicle after all, or a place among the demands that wait (step 3). Throws
 * as `takeSpan`.
 */
export function queueSpan(tx: Tx, request: RentalRequest): Promise<TakenSpan> {
  const overbook = request.override?.overbook === 1;
  return taken(tx, request, sql`vehicles.queue_span(${argumentsOf(request)}, ${overbook})`);
}

function argumentsOf({ id, classId, branchId, returnBranchId, pickUpAt, dueAt }: RentalRequest) {
  return sql`${id}, ${classId}, ${branchId}, ${returnBranchId ?? branchId}, ${pickUpAt}, ${dueAt}`;
}

async function taken(
  tx: Tx,
  { branchId, classId }: RentalRequest,
  call: ReturnType<typeof sql>,
): Promise<TakenSpan> {
  const answer = await asked<Answer>(tx, call);
  refuseUnknown(answer.unknown);
  if (answer.full) {
    const details = { branchId, classId };
    throw new DomainError('vehicle-unavailable', 'No vehicle of this class is free then.', details);
  }
  return answer;
}
