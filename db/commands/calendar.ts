// The published functions of the vehicles domain's calendar, as the rentals domain calls them.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { CheckOut, RentalRequest } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';

export type BranchTerms = {
  readonly entityId: string;
  readonly noShowGraceMinutes: number;
  readonly overdueGraceMinutes: number;
  readonly reminderMinutes: number;
};

type TakenSpan = BranchTerms & {
  readonly vehicleId: string | null;
  readonly existing: boolean;
  readonly unknown: 'branch' | 'class' | null;
};

export type MovedSpan = {
  readonly rentalId: string;
  readonly spanId: string;
  readonly version: number;
  readonly vehicleId: string | null;
};

type Change = {
  readonly vehicleId: string;
  readonly moved: readonly MovedSpan[];
  readonly refused?: 'vehicle-unavailable' | 'no-vehicle' | 'odometer-rollback' | null;
  readonly lastKm?: number;
  readonly replacementId?: string | null;
};

/**
 * Takes the best fitting vehicle for a rental that returns where it starts. `existing` says that
 * this rental had its span before. Throws `vehicle-unavailable`, or `not-found` for an unknown
 * branch or class.
 */
export async function takeSpan(
  tx: Tx,
  request: RentalRequest,
): Promise<TakenSpan & { readonly vehicleId: string }> {
  const { rows } = await sql<{ span: TakenSpan }>`select vehicles.take_span(${request.id},
    ${request.classId}, ${request.branchId}, ${request.branchId}, ${request.pickUpAt},
    ${request.dueAt}) as span`.execute(tx);
  const span = rows[0]?.span;
  if (span === undefined) throw new Error('take_span answered nothing.');
  if (span.unknown) {
    throw new DomainError('not-found', `There is no such ${span.unknown}.`, { of: span.unknown });
  }
  if (span.vehicleId === null && !span.existing) {
    throw new DomainError('vehicle-unavailable', 'No vehicle of this class is free then.', {
      branchId: request.branchId,
      classId: request.classId,
    });
  }
  return span as TakenSpan & { readonly vehicleId: string };
}

/**
 * The keys of `keys.vehicleId`, or of the vehicle that is kept, go out. Throws `no-vehicle` (details may
 * name a `replacementId` that is there) or `odometer-rollback`.
 */
export function handOutSpan(tx: Tx, rentalId: string, at: string, keys: CheckOut): Promise<Change> {
  return change(
    tx,
    sql`vehicles.hand_out_span(${rentalId}, ${at}, ${keys.odometerKm}, ${keys.fuelEighths},
      ${keys.vehicleId ?? null})`,
  );
}

/** Throws `vehicle-unavailable` when the later time cannot be had. */
export function extendSpan(tx: Tx, rentalId: string, dueAt: string): Promise<Change> {
  return change(tx, sql`vehicles.extend_span(${rentalId}, ${dueAt})`);
}

export function rollSpan(tx: Tx, rentalId: string, until: string): Promise<Change> {
  return change(tx, sql`vehicles.roll_span(${rentalId}, ${until})`);
}

export function returnSpan(
  tx: Tx,
  rentalId: string,
  at: string,
  reading: { readonly odometerKm: number; readonly fuelEighths: number },
): Promise<Change> {
  return change(
    tx,
    sql`vehicles.return_span(${rentalId}, ${at}, ${reading.odometerKm},
    ${reading.fuelEighths})`,
  );
}

export function releaseSpan(tx: Tx, rentalId: string): Promise<Change> {
  return change(tx, sql`vehicles.release_span(${rentalId})`);
}

const REFUSALS = {
  'vehicle-unavailable': 'The vehicle is booked then, and no other of its class is free.',
  'no-vehicle': 'This vehicle is not there to hand out; name another one of the class.',
  'odometer-rollback': 'The odometer reads less than it did before.',
} as const;

async function change(tx: Tx, call: ReturnType<typeof sql>): Promise<Change> {
  const { rows } = await sql<{ change: Change }>`select ${call} as change`.execute(tx);
  const done = rows[0]?.change;
  if (done === undefined) throw new Error('The calendar answered nothing.');
  if (done.refused) {
    const details = {
      ...(done.lastKm === undefined ? {} : { lastKm: done.lastKm }),
      ...(done.replacementId ? { replacementId: done.replacementId } : {}),
    };
    throw new DomainError(done.refused, REFUSALS[done.refused], details);
  }
  const moved = done.moved ?? [];
  await publish(
    tx,
    ...moved.map((span) => ({
      type: 'forecourt.vehicle.span-reassigned.v1' as const,
      aggregateId: span.spanId,
      sequence: span.version,
      data: { spanId: span.spanId, rentalId: span.rentalId, vehicleId: span.vehicleId },
    })),
  );
  return { ...done, moved };
}
