// Waivers of a deposit: what a manager lets go of it, within limits and for a reason that stays.
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  checkAuthorise,
  type DepositWaiver,
  type WaiverReason,
} from '../../domain/payments/deposit.ts';
import type { RentalStatus } from '../../domain/rental.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { depositNeedOf } from '../deposit-need.ts';
import { publish } from '../outbox.ts';
import type { RentalRow } from '../rental-row.ts';
import { recordAudit } from './audit.ts';
import { takeFromLimit } from './limits.ts';

export type NewDepositWaiver = {
  /** The command's: a repeat records nothing. */
  readonly id: string;
  readonly rentalId: string;
  readonly actor: Actor;
  readonly amountMinor: number;
  readonly reason: WaiverReason;
  readonly approvalId: string | null;
  /** What the caller may let go alone, in minor units. */
  readonly limitMinor: number;
};

/**
 * Beside what a card holds it counts as security. Throws `not-found`, `invalid-state` for a rental
 * that is over, `amount-too-high` for more than is needed, `limit-exceeded` and `four-eyes`.
 */
export function waiveDeposit(
  db: Db,
  acting: Acting,
  waiver: NewDepositWaiver,
): Promise<DepositWaiver> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { id, rentalId, amountMinor, reason, approvalId } = waiver;
    const rental = await lockRental(tx, rentalId);
    const { rows } = await sql`select from rentals.deposit_waiver where id = ${id}`.execute(tx);
    const recorded = { id, rentalId, amountMinor, currency: rental.currency, reason };
    if (rows.length > 0) return recorded;
    checkAuthorise(rental.status as RentalStatus);
    await checkAmount(tx, rental, amountMinor);
    await takeFromLimit(tx, {
      ...{ kind: 'fee-waiver', staffId: waiver.actor.id, subjectId: rentalId },
      ...{ branchId: rental.branch_id, amountMinor, approvalId, limitMinor: waiver.limitMinor },
    });
    await sql`insert into rentals.deposit_waiver (id, rental_id, amount_minor, reason, approval_id,
        waived_by)
      values (${id}, ${rentalId}, ${amountMinor}, ${reason}, ${approvalId},
        ${rowAccess(acting).principal})`.execute(tx);
    await publish(tx, {
      type: 'forecourt.deposit-waiver.recorded.v1',
      aggregateId: id,
      sequence: 1,
      data: { waiverId: id, rentalId, amountMinor, currency: rental.currency, reason },
    });
    await recordAudit(tx, {
      action: 'rental.waive-deposit',
      subjectType: 'rental',
      subjectId: rentalId,
      commandId: id,
      reason,
      after: { amountMinor },
    });
    return recorded;
  });
}

async function checkAmount(tx: Tx, rental: RentalRow, amountMinor: number): Promise<void> {
  const { neededMinor, waivedMinor, paidMinor } = await depositNeedOf(tx, rental);
  const limitMinor = neededMinor - waivedMinor - paidMinor;
  if (amountMinor <= limitMinor) return;
  throw new DomainError('amount-too-high', 'This rental does not need so much of a deposit.', {
    limitMinor,
  });
}

async function lockRental(tx: Tx, id: string): Promise<RentalRow> {
  const row = await tx
    .selectFrom('rentals.rental')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such rental.');
  return row as unknown as RentalRow;
}
