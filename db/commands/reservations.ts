// Reserving: a span, a rental, its event and its audit row in one transaction, or nothing.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Quote, quote } from '../../domain/pricing.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import { budgetExhausted, byRepacking, isUnavailable, planReservation } from './allocation.ts';
import { recordAudit } from './audit.ts';
import { recordOverrides } from './booking-overrides.ts';
import { bookingTerms, inCurrency, noShowOf } from './booking-rules.ts';
import {
  type BranchTerms,
  type MovedSpan,
  queueSpan,
  type TakenSpan,
  takeSpan,
} from './calendar.ts';
import { applyMoves } from './calendar-repack.ts';
import { acceptQuote } from './quote-acceptance.ts';

/**
 * Takes a vehicle, or a place among the demands that wait for one, and creates the rental (steps of
 * decisions.md 1). A repeat answers the rental as it was created. Throws `vehicle-unavailable`,
 * `not-found` for an unknown branch, class or customer, and what `decideRequest` refuses.
 */
export async function reserveRental(
  db: Db,
  principal: string,
  request: RentalRequest,
): Promise<Reserved> {
  if (request.quoteId !== undefined) return reserveWith(db, principal, request, acceptQuote);
  try {
    return await reserveWith(db, principal, request, takeSpan);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
  }
  const repacked = await reserveByRepacking(db, principal, request);
  if (typeof repacked !== 'string') return repacked.done;
  try {
    return await reserveWith(db, principal, request, queueSpan);
  } catch (error) {
    throw repacked === 'exhausted' && isUnavailable(error) ? budgetExhausted(error) : error;
  }
}

/** A new rental, and those that a repack gave other vehicles for it: somebody has to tell them. */
export type Reserved = RentalState & { readonly reassigned?: readonly MovedSpan[] };

function reserveByRepacking(db: Db, principal: string, request: RentalRequest) {
  return byRepacking(
    () => planReservation(db, principal, request),
    async ({ moves, vehicleId }): Promise<Reserved> => {
      let reassigned: readonly MovedSpan[] = [];
      const state = await reserveWith(db, principal, request, async (tx) => {
        if (vehicleId === null) throw new Error('A plan without a vehicle for its demand.');
        const span = await applyMoves(tx, moves, { request, vehicleId });
        reassigned = span.moved;
        return span;
      });
      return reassigned.length === 0 ? state : { ...state, reassigned };
    },
  );
}

/** A held quote brings its price along. */
type Place = TakenSpan & { readonly price?: Quote };

/** One transaction: the span that `place` gets, or throws for, and the rental that it is for. */
export function reserveWith(
  db: Db,
  principal: string,
  request: RentalRequest,
  place: (tx: Tx, request: RentalRequest) => Promise<Place>,
): Promise<RentalState> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const span = await place(tx, request);
    if (span.existing) return rentalState(await rowOf(tx, request.id), span.vehicleId);
    // Here too: a request may have waited for hours until a worker came.
    decideRequest(request, new Date().toISOString());
    const { price, noShowAt, overridden } = await agree(tx, request, span);
    const row = await insertRental(tx, request, { ...span, noShowAt }, price);
    const state = rentalState(row, span.vehicleId);
    await recordOverrides(tx, request, overridden);
    await publish(tx, {
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
    });
    await recordAudit(tx, {
      action: 'rental.reserve',
      subjectType: 'rental',
      subjectId: state.id,
      commandId: state.id,
      after: { ...request, vehicleId: state.vehicleId, totalMinor: price.totalMinor },
    });
    return state;
  });
}

/** What was promised by a held quote, or what the plan and the branch's rules say now. */
async function agree(tx: Tx, request: RentalRequest, place: Place) {
  const { branchId, pickUpAt, dueAt } = request;
  const grace = place.noShowGraceMinutes;
  if (place.price !== undefined) {
    const noShowAt = await noShowOf(tx, branchId, pickUpAt, grace);
    return { price: place.price, noShowAt, overridden: [] };
  }
  const { plan, ...rules } = await bookingTerms(tx, request);
  const fees = inCurrency(rules.fees, plan.currency);
  const price = quote({ plan, pickUpAt, returnAt: dueAt, fees });
  return { price, noShowAt: rules.noShowAt(grace), overridden: rules.overridden };
}

async function insertRental(
  tx: Tx,
  request: RentalRequest,
  terms: BranchTerms & { readonly noShowAt: string },
  price: Quote,
): Promise<RentalRow> {
  try {
    const row = await tx
      .insertInto('rentals.rental')
      .values({
        id: request.id,
        branch_id: request.branchId,
        return_branch_id: request.returnBranchId ?? request.branchId,
        class_id: request.classId,
        entity_id: terms.entityId,
        customer_id: request.customerId,
        pick_up_at: request.pickUpAt,
        due_at: request.dueAt,
        no_show_at: terms.noShowAt,
        grace_minutes: terms.overdueGraceMinutes,
        reminder_minutes: terms.reminderMinutes,
        shortage_minutes: sql<number>`vehicles.shortage_lead(${request.branchId})`,
        plan_id: price.planId,
        plan_version: price.planVersion,
        price: JSON.stringify(price),
        currency: price.currency,
        total_minor: price.totalMinor,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return row as unknown as RentalRow;
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'rental_customer_id_fkey') {
      throw new DomainError('not-found', 'There is no such customer.', { of: 'customer' });
    }
    throw error;
  }
}

async function rowOf(tx: Tx, id: string): Promise<RentalRow> {
  const row = await tx
    .selectFrom('rentals.rental')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row as unknown as RentalRow;
}
