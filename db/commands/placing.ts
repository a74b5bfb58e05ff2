// Where a booking's vehicle comes from: steps 1 to 3 of decisions.md 1, each in its own transaction.
import type { Quote } from '../../domain/pricing.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { Db, Tx } from '../client.ts';
import { budgetExhausted, byRepacking, isUnavailable, planReservation } from './allocation.ts';
import type { MovedSpan } from './calendar.ts';
import { queueSpan, type TakenSpan, takeSpan } from './calendar-booking.ts';
import { applyMoves } from './calendar-repack.ts';

/** A held quote brings its price along; a repack tells whom it gave other vehicles. */
export type Place = TakenSpan & {
  readonly price?: Quote;
  readonly moved?: readonly MovedSpan[];
};
export type Placing = (tx: Tx, request: RentalRequest) => Promise<Place>;

/**
 * Runs `attempt`, which is one transaction, with a free vehicle; else with one that a repack clears;
 * else with a place among the demands that wait. Throws `vehicle-unavailable` when none is left.
 */
export async function bySteps<T>(
  db: Db,
  principal: string,
  request: RentalRequest,
  attempt: (placing: Placing) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(takeSpan);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
  }
  const repacked = await byRepacking(
    () => planReservation(db, principal, request),
    ({ moves, vehicleId }) =>
      attempt((tx) => {
        if (vehicleId === null) throw new Error('A plan without a vehicle for its demand.');
        return applyMoves(tx, moves, { request, vehicleId });
      }),
  );
  if (typeof repacked !== 'string') return repacked.done;
  try {
    return await attempt(queueSpan);
  } catch (error) {
    throw repacked === 'exhausted' && isUnavailable(error) ? budgetExhausted(error) : error;
  }
}
