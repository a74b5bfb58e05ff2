// The published functions of the vehicles domain's calendar, as commands call them.
import { sql } from 'kysely';
import { DomainError, type ErrorDetails } from '../../domain/errors.ts';
import type { CheckIn, CheckOut, HoldWarning, Reading, Reassignment } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

export type MovedSpan = {
  readonly rentalId: string;
  readonly spanId: string;
  readonly version: number;
  readonly vehicleId: string | null;
  /** Why it waits beyond the limit. */
  readonly reason: 'overdue' | 'elsewhere' | 'override' | null;
};

/** What others are told of it. */
export function reassignmentOf({ rentalId, vehicleId, version }: MovedSpan): Reassignment {
  return { rentalId, vehicleId, version };
}

type BlockingHold = {
  readonly holdId: string;
  readonly type: string;
  readonly until: string | null;
};

type Change = {
  readonly vehicleId: string;
  readonly moved: readonly MovedSpan[];
  readonly warnings?: readonly HoldWarning[];
};

/** As the functions answer that change a rental's span; `refused`, the caller rolls back. */
export type ChangeAnswer = Change & {
  readonly refused?: keyof typeof REFUSALS | null;
  readonly unknown?: 'branch' | 'class' | 'vehicle';
  readonly lastKm?: number;
  readonly replacementId?: string | null;
  readonly hold?: BlockingHold;
};

/** Throws `not-found`, naming what. */
export function refuseUnknown(unknown: string | null | undefined): void {
  if (!unknown) return;
  throw new DomainError('not-found', `There is no such ${unknown}.`, { of: unknown });
}

/** The one value that a function of the calendar answers. */
export async function asked<T>(tx: Tx, call: ReturnType<typeof sql>): Promise<T> {
  const { rows } = await sql<{ answer: T }>`select ${call} as answer`.execute(tx);
  if (rows[0] === undefined) throw new Error('The calendar answered nothing.');
  return rows[0].answer;
}

/**
 * The keys of `keys.vehicleId`, or of the vehicle that is kept, go out; `classId` is the vehicle's. Throws `no-vehicle` (details may
 * name a `replacementId` that is there), `vehicle-held` or `odometer-rollback`.
 */
export function handOutSpan(
  tx: Tx,
  rentalId: string,
  at: string,
  keys: CheckOut,
): Promise<Change & { readonly classId: string }> {
  return changed(
    tx,
    sql`vehicles.hand_out_span(${rentalId}, ${at}, ${keys.odometerKm}, ${keys.fuelEighths},
      ${keys.vehicleId ?? null})`,
  );
}

/** Throws `vehicle-unavailable` or `vehicle-held` when the later time cannot be had. */
export function extendSpan(tx: Tx, rentalId: string, dueAt: string): Promise<Change> {
  return change(tx, sql`vehicles.extend_span(${rentalId}, ${dueAt})`);
}

export function rollSpan(tx: Tx, rentalId: string, until: string): Promise<Change> {
  return change(tx, sql`vehicles.roll_span(${rentalId}, ${until})`);
}

/** Keys that came back over the counter: the vehicle is kept for the rental again. */
export function undoHandOut(
  tx: Tx,
  rentalId: string,
  { pickUpAt, dueAt }: { readonly pickUpAt: string; readonly dueAt: string },
  { odometerKm, fuelEighths }: Reading,
): Promise<Change> {
  return change(
    tx,
    sql`vehicles.undo_hand_out(${rentalId}, ${pickUpAt}, ${odometerKm}, ${fuelEighths}, ${dueAt})`,
  );
}

/** A vehicle for a rental that had given its own up. Throws `vehicle-unavailable`. */
export function retakeSpan(tx: Tx, rentalId: string, from: string, dueAt: string): Promise<Change> {
  return change(tx, sql`vehicles.retake_span(${rentalId}, ${from}, ${dueAt})`);
}

/** `branchId` is where it came back; left out, where it was booked to. */
export function returnSpan(
  tx: Tx,
  rentalId: string,
  at: string,
  { odometerKm, fuelEighths, branchId }: Omit<CheckIn, 'branchId'> & Partial<CheckIn>,
): Promise<Change> {
  return change(
    tx,
    sql`vehicles.return_span(${rentalId}, ${at}, ${odometerKm}, ${fuelEighths},
      ${branchId ?? null})`,
  );
}

export function releaseSpan(tx: Tx, rentalId: string): Promise<Change> {
  return change(tx, sql`vehicles.release_span(${rentalId})`);
}

/**
 * Demands that wait in a pool get what became free: called last by whatever adds a vehicle to it or
 * raises its limit, in the role vehicles_rw. Answers who got one.
 */
export async function promotePool(
  tx: Tx,
  branchId: string,
  classId: string,
): Promise<readonly MovedSpan[]> {
  return told(tx, await asked(tx, sql`vehicles.promote(${branchId}, ${classId})`));
}

/** What a hard hold keeps from the vehicle goes to others, where there are; in the role vehicles_rw. */
export async function moveOff(tx: Tx, vehicleId: string): Promise<readonly MovedSpan[]> {
  return told(tx, await asked(tx, sql`vehicles.move_off(${vehicleId})`));
}

/**
 * Publishes that spans got other vehicles, once for each version of a span; who is left without one
 * beyond the limit is in the audit log, too.
 */
export async function told(tx: Tx, moved: readonly MovedSpan[]): Promise<readonly MovedSpan[]> {
  await publish(
    tx,
    ...moved.map(({ spanId, version, rentalId, vehicleId, reason }) => ({
      type: 'forecourt.vehicle.span-reassigned.v1' as const,
      aggregateId: spanId,
      sequence: version,
      data: { spanId, rentalId, vehicleId, reason },
    })),
  );
  for (const { rentalId, spanId, vehicleId, reason } of moved) {
    if (vehicleId !== null || reason === null) continue;
    const subject = { subjectType: 'rental', subjectId: rentalId } as const;
    await recordAudit(tx, { action: 'rental.displace', ...subject, reason, after: { spanId } });
  }
  return moved;
}

const REFUSALS = {
  'vehicle-unavailable': 'The vehicle is booked then, and no other of its class is free.',
  'no-vehicle': 'This vehicle is not there to hand out; name another one of the class.',
  'odometer-rollback': 'The odometer reads less than it did before.',
  'vehicle-held':
    'A hold keeps the vehicle within the booked time; take another, or have it lifted.',
} as const;

function change(tx: Tx, call: ReturnType<typeof sql>): Promise<Change> {
  return changed<ChangeAnswer>(tx, call);
}

/** What the calendar did, told to those whom it moved. Throws what it refuses. */
export async function changed<A extends ChangeAnswer>(
  tx: Tx,
  call: ReturnType<typeof sql>,
): Promise<A> {
  return accepted(tx, await asked<A>(tx, call));
}

/** The same of an answer that was looked at. */
export async function accepted<A extends ChangeAnswer>(tx: Tx, done: A): Promise<A> {
  refuseUnknown(done.unknown);
  if (done.refused) throw new DomainError(done.refused, REFUSALS[done.refused], detailsOf(done));
  return { ...done, moved: await told(tx, done.moved ?? []) };
}

function detailsOf({ lastKm, replacementId, hold }: ChangeAnswer): ErrorDetails {
  return {
    ...(lastKm === undefined ? {} : { lastKm }),
    ...(replacementId ? { replacementId } : {}),
    ...(hold === undefined ? {} : { holdId: hold.holdId, holdType: hold.type, until: hold.until }),
  };
}
