// Reserving: a span, a rental, its event and its audit row in one transaction, or nothing.
import type { Fact } from '../../domain/events.ts';
import type { Reassignment, RentalRequest, RentalState } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { rentalById } from '../queries/rentals.ts';
import { rentalState } from '../rental-row.ts';
import { isUnavailable } from './allocation.ts';
import { publishAudited } from './audit.ts';
import { recordOverrides } from './booking-overrides.ts';
import { agree, insertRental, isRepeat, storedRental } from './new-rental.ts';
import { bySteps, type Placing } from './placing.ts';
import { acceptQuote } from './quote-acceptance.ts';
import { requestRental } from './rental-requests.ts';

/** A new rental, and those that a repack gave other vehicles for it: somebody has to tell them. */
export type Reserved = RentalState & { readonly reassigned?: readonly Reassignment[] };

/**
 * Takes a vehicle, or a place among the demands that wait for one, and creates the rental (steps of
 * decisions.md 1); where the class is on request, a full pool makes it a rental that is `requested`.
 * A repeat answers the rental as it was created. Throws `vehicle-unavailable`, `not-found` for an
 * unknown branch, class or customer, and what `decideRequest` refuses.
 */
export async function reserveRental(
  db: Db,
  principal: string,
  request: RentalRequest,
): Promise<Reserved> {
  if (request.quoteId !== undefined) return reserveWith(db, principal, request, acceptQuote);
  try {
    return await reserveOrRequest(db, principal, request);
  } catch (error) {
    // A request has no span that would tell: a repeat of it may even find a vehicle by now.
    const made = isRepeat(error) && (await rentalById(db, principal, request.id));
    if (made) return made;
    throw error;
  }
}

async function reserveOrRequest(
  db: Db,
  principal: string,
  request: RentalRequest,
): Promise<Reserved> {
  try {
    return await bySteps(db, principal, request, (placing) =>
      reserveWith(db, principal, request, placing),
    );
  } catch (error) {
    const requested = isUnavailable(error) && (await requestRental(db, principal, request));
    if (requested) return requested;
    throw error;
  }
}

/** One transaction: the span that `placing` gets, or throws for, and the rental that it is for. */
export function reserveWith(
  db: Db,
  principal: string,
  request: RentalRequest,
  placing: Placing,
): Promise<Reserved> {
  return transact(db, 'rentals_rw', principal, (tx) => reserveIn(tx, request, placing));
}

/** The same, in the transaction of whoever does more with it. */
export async function reserveIn(
  tx: Tx,
  request: RentalRequest,
  placing: Placing,
): Promise<Reserved> {
  const span = await placing(tx, request);
  if (span.existing) return storedRental(tx, request.id, span.vehicleId);
  // Here too: a request may have waited for hours until a worker came.
  decideRequest(request, new Date().toISOString());
  const { price, noShowAt, overridden } = await agree(tx, request, span);
  const row = await insertRental(tx, request, { ...span, noShowAt }, price);
  const state = rentalState(row, span.vehicleId);
  await recordOverrides(tx, request, overridden);
  const fact: Fact = {
    type: 'forecourt.rental.reserved.v1',
    aggregateId: state.id,
    sequence: state.version,
    data: {
      rentalId: state.id,
      branchId: state.branchId,
      status: state.status,
      number: state.number,
      customerId: state.customerId,
      classId: state.classId,
      vehicleId: state.vehicleId,
      pickUpAt: state.pickUpAt,
      dueAt: state.dueAt,
      totalMinor: price.totalMinor,
      currency: price.currency,
    },
  };
  await publishAudited(tx, fact, {
    action: 'rental.reserve',
    subjectType: 'rental',
    subjectId: state.id,
    commandId: state.id,
    after: { ...request, vehicleId: state.vehicleId, totalMinor: price.totalMinor },
  });
  const { moved = [] } = span;
  return moved.length === 0 ? state : { ...state, reassigned: moved };
}
