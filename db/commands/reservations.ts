// Reserving: a span, a rental, its event and its audit row in one transaction, or nothing.
import { DomainError } from '../../domain/errors.ts';
import { type Quote, quote } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { selectCurrentPlan } from '../queries/rentals.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import { recordAudit } from './audit.ts';
import { type BranchTerms, takeSpan } from './calendar.ts';

const MINUTE_MS = 60_000;

/**
 * Takes a vehicle and creates the rental. A repeat answers the rental as it was created.
 * Throws `vehicle-unavailable`, `not-found` for an unknown branch, class or customer, and what
 * `decideRequest` refuses.
 */
export function reserveRental(
  db: Db,
  principal: string,
  request: RentalRequest,
): Promise<RentalState> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const span = await takeSpan(tx, request);
    if (span.existing) return rentalState(await rowOf(tx, request.id), span.vehicleId);
    // Here too: a request may have waited for hours until a worker came.
    decideRequest(request, new Date().toISOString());
    const plan = await currentPlan(tx);
    const price = quote({ plan, pickUpAt: request.pickUpAt, returnAt: request.dueAt });
    const row = await insertRental(tx, request, span, price);
    const state = rentalState(row, span.vehicleId);
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

async function insertRental(
  tx: Tx,
  request: RentalRequest,
  terms: BranchTerms,
  price: Quote,
): Promise<RentalRow> {
  const pickUp = Date.parse(request.pickUpAt);
  try {
    const row = await tx
      .insertInto('rentals.rental')
      .values({
        id: request.id,
        branch_id: request.branchId,
        return_branch_id: request.branchId,
        class_id: request.classId,
        entity_id: terms.entityId,
        customer_id: request.customerId,
        pick_up_at: request.pickUpAt,
        due_at: request.dueAt,
        no_show_at: new Date(pickUp + terms.noShowGraceMinutes * MINUTE_MS).toISOString(),
        grace_minutes: terms.overdueGraceMinutes,
        reminder_minutes: terms.reminderMinutes,
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

async function currentPlan(tx: Tx): Promise<RatePlan> {
  const plan = await selectCurrentPlan(tx);
  if (!plan) throw new DomainError('not-found', 'No rate plan is valid.', { of: 'plan' });
  return plan;
}
