// Walk-ups: somebody at the counter books and drives off, in one transaction or not at all.
import { DomainError } from '../../domain/errors.ts';
import { type CheckOut, evolve, type RentalRequest } from '../../domain/rental.ts';
import { type Db, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { takeSpan, takeWalkUp } from './calendar-booking.ts';
import { bySteps, type Placing } from './placing.ts';
import { handOut } from './rental-hand-over.ts';
import { lockRental } from './rental-update.ts';
import { type Reserved, reserveIn } from './reservations.ts';

export type WalkUp = RentalRequest & { readonly keys: CheckOut };

/**
 * Reserves and hands out. Whatever refuses the one undoes the other, so nothing stays booked; a repeat
 * answers the rental as it is. Throws what a reservation or a check-out throws.
 */
export function walkUp(db: Db, principal: string, request: WalkUp): Promise<Reserved> {
  return bySteps(db, principal, request, (placing) =>
    begin(db, principal, request, placing === takeSpan ? byKeys(request.keys) : placing),
  );
}

function byKeys({ vehicleId }: CheckOut): Placing {
  return (tx, request) => takeWalkUp(tx, request, vehicleId);
}

function begin(db: Db, principal: string, request: WalkUp, placing: Placing): Promise<Reserved> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    let isRepeat = false;
    const reserved = await reserveIn(tx, request, async (...asked) => {
      const place = await placing(...asked);
      isRepeat = place.existing;
      return place;
    });
    if (isRepeat) return reserved;
    const { reassigned = [], ...state } = reserved;
    const row = await lockRental(tx, request.id);
    const commandId = request.id;
    const outcome = await handOut({ tx, row, at: row.at, commandId }, request.keys).catch(
      (error: unknown) => {
        throw inSteps(error);
      },
    );
    await recordAudit(tx, {
      action: 'rental.checkOut',
      subjectType: 'rental',
      subjectId: row.id,
      commandId,
      before: { status: row.status, dueAt: row.due_at, version: row.version },
      after: request.keys,
    });
    const moved = [...reassigned, ...outcome.reassigned];
    const out = evolve(state, outcome);
    return moved.length === 0 ? out : { ...out, reassigned: moved };
  });
}

/** What has to be there before the keys go out, and hangs on a rental, cannot be had in one step. */
const FIRST: Readonly<Partial<Record<string, string>>> = {
  'deposit-required': 'authorise the deposit of `holdMinor` or let a manager waive it',
  'inspection-missing': 'complete the inspection of the vehicle',
};

function inSteps(error: unknown): unknown {
  const first = error instanceof DomainError ? FIRST[error.code] : undefined;
  if (!(error instanceof DomainError) || first === undefined) return error;
  const message = `Not in one step: book it, then ${first}, then check it out.`;
  return new DomainError(error.code, message, error.details);
}
