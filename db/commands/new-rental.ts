// A rental's first row: the terms and the price that it keeps from then on.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import type { Stop } from '../../domain/stop-sell.ts';
import type { Tx } from '../client.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import { customerRefusal } from './blocklist.ts';
import { bookingTerms, noShowOf } from './booking-rules.ts';
import type { BranchTerms } from './calendar-booking.ts';
import { assertCredit } from './credit-exposure.ts';
import { nameAgent } from './rental-agents.ts';
import { bindVoucher } from './vouchers.ts';

export type Agreed = {
  readonly price: Quote;
  readonly noShowAt: string;
  /** Stop-sell rules that were overridden. */
  readonly overridden: readonly Stop[];
};

/** What was promised by a held quote, or what the plan and the branch's rules say now. */
export async function agree(
  tx: Tx,
  request: RentalRequest,
  place: Pick<BranchTerms, 'noShowGraceMinutes'> & { readonly price?: Quote },
): Promise<Agreed> {
  const { branchId, pickUpAt } = request;
  const grace = place.noShowGraceMinutes;
  if (place.price !== undefined) {
    const noShowAt = await noShowOf(tx, branchId, pickUpAt, grace);
    return { price: place.price, noShowAt, overridden: [] };
  }
  const { price, overridden, noShowAt } = await bookingTerms(tx, request);
  return { price, noShowAt: noShowAt(grace), overridden };
}

/** `answerBy` makes it a request. Throws `not-found` for an unknown customer or payer. */
export async function insertRental(
  tx: Tx,
  request: RentalRequest,
  terms: BranchTerms & { readonly noShowAt: string; readonly answerBy?: string },
  price: Quote,
): Promise<RentalRow> {
  try {
    const row = await tx
      .insertInto('rentals.rental')
      .values({
        id: request.id,
        status: terms.answerBy === undefined ? 'reserved' : 'requested',
        answer_by: terms.answerBy ?? null,
        branch_id: request.branchId,
        return_branch_id: request.returnBranchId ?? request.branchId,
        class_id: request.classId,
        entity_id: terms.entityId,
        customer_id: request.customerId,
        walk_up: request.keys !== undefined,
        payer_id: request.payerId ?? null,
        billing_cycle: billingCycle(request, price),
        pick_up_at: request.pickUpAt,
        due_at: request.dueAt,
        no_show_at: terms.noShowAt,
        grace_minutes: terms.overdueGraceMinutes,
        reminder_minutes: terms.reminderMinutes,
        shortage_minutes: sql<number>`vehicles.shortage_lead(${request.branchId})`,
        desk_terms: sql<string>`vehicles.desk_terms(${request.branchId})`,
        plan_id: price.planId,
        plan_version: price.planVersion,
        price: JSON.stringify(price),
        currency: price.currency,
        total_minor: price.totalMinor,
      })
      .returningAll()
      .returning(
        sql<number | null>`(select c.credit_limit_minor from rentals.customer c
          where c.id = coalesce(rental.payer_id, rental.customer_id))`.as('limit_minor'),
      )
      .executeTakeFirstOrThrow();
    if (row.limit_minor !== null) await assertCredit(tx, row.id);
    if (request.voucher) await bindVoucher(tx, row.id, request.voucher);
    if (request.agentId !== undefined) {
      const { agentId, branchId } = request;
      await nameAgent(tx, { rentalId: row.id, agentId, branchId });
    }
    return row as unknown as RentalRow;
  } catch (error) {
    throw customerRefusal(unknownPerson(error));
  }
}

/** What was chosen with the booking, else what the plan says. */
function billingCycle({ billing }: RentalRequest, { planId, planVersion }: Quote) {
  if (billing !== undefined) return billing === 'none' ? null : billing;
  return sql<string | null>`(select terms #>> '{billing,cycle}' from rentals.rate_plan
    where id = ${planId} and version = ${planVersion})`;
}

/** The refusal for a customer or payer who does not exist; any other error as it is. */
export function unknownPerson(error: unknown): unknown {
  const constraint = constraintOf(error);
  if (constraint === 'rental_customer_id_fkey') {
    return new DomainError('not-found', 'There is no such customer.', { of: 'customer' });
  }
  if (constraint !== 'rental_payer_id_fkey') return unknownSide(error);
  return new DomainError('not-found', 'There is no such payer.', { of: 'payer' });
}

/** The refusal for a branch on the other side of the sandbox; any other error as it is. */
export function unknownSide(error: unknown): unknown {
  if (!ON_ONE_SIDE.includes(constraintOf(error) ?? '')) return error;
  return new DomainError('not-found', 'There is no such branch on this side of the sandbox.', {
    of: 'branch',
  });
}

const ON_ONE_SIDE = ['rental_on_one_side', 'quote_on_one_side', 'vehicle_keeps_its_side'];

/** True for an insert of a rental that is there: the request came twice. */
export function isRepeat(error: unknown): boolean {
  return constraintOf(error) === 'rental_pkey';
}

function constraintOf(error: unknown): string | undefined {
  return (error as { readonly constraint?: string }).constraint;
}

/** The rental as it is, with the vehicle that the calendar keeps for it. */
export async function storedRental(
  tx: Tx,
  id: string,
  vehicleId: string | null,
): Promise<RentalState> {
  const row = await tx
    .selectFrom('rentals.rental')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return rentalState(row as unknown as RentalRow, vehicleId);
}
