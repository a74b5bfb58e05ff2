// Orders to a gateway, written down before the gateway is asked: nothing is charged that no row knows.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { DepositState, PaymentStep } from '../../domain/payments/deposit.ts';
import type { GatewayName } from '../../domain/payments/gateway.ts';
import { depositOf } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { checkBooks } from './payment-entries.ts';
import { disputeOf, type PaymentOrder, placed, type RentalFacts } from './payment-steps.ts';

export function readDeposit(db: Db, acting: Acting, rentalId: string): Promise<DepositState> {
  return transact(db, 'rentals_rw', acting, (tx) => depositOf(tx, rentalId));
}

/** `key` names the order from then on. */
export type Begun = { readonly isAsked: boolean; readonly key: string };

/**
 * Writes an order down; a repeat changes nothing. Answers whether there is anything to ask: a hold
 * that is over needs no release. Throws `not-found`, `invalid-state`, `amount-too-high`,
 * `value-refused`, `limit-exceeded` and `four-eyes`.
 */
export function beginPayment(
  db: Db,
  acting: Acting,
  gateway: GatewayName,
  order: PaymentOrder,
): Promise<Begun> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rentalId, step } = order;
    const key = await keyOf(tx, order);
    const { rows } = await sql`select from rentals.payment_attempt where id = ${key}`.execute(tx);
    if (rows.length > 0) return { isAsked: true, key };
    const rental = await rentalOf(tx, rentalId);
    if (step.kind !== 'settle') await checkUndisputed(tx, order);
    if (step.kind !== 'release') await checkBooks(tx, rentalId, rental.currency);
    const wanted = await placed(tx, gateway, order, rental);
    if (wanted === null) return { isAsked: false, key };
    const { holdId, amountMinor, kind = orderedBy(step) } = wanted;
    const reason = step.kind === 'refund' ? step.reason : null;
    await sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor, reason)
      values (${key}, ${holdId}, ${kind}, ${amountMinor}, ${reason})`.execute(tx);
    await recordAudit(tx, {
      action: `deposit.${step.kind}`,
      subjectType: 'authorisation',
      subjectId: holdId,
      commandId: key,
      ...(reason !== null && { reason }),
      after: { rentalId, amountMinor },
    });
    return { isAsked: true, key };
  });
}

/** Each card is asked to settle an ending once: after a decline it may be another one's turn. */
async function keyOf(tx: Tx, { key, rentalId, step }: PaymentOrder): Promise<string> {
  if (step.kind !== 'settle') return key;
  const { current } = await depositOf(tx, rentalId);
  return current === null ? key : `${key}/${current.id}`;
}

/** Whoever said that a charge was not theirs is not charged again; nor is it given back twice. */
async function checkUndisputed(tx: Tx, { rentalId, step }: PaymentOrder): Promise<void> {
  if (step.kind === 'release') return;
  const hold = step.kind === 'refund' ? step.authorisationId : null;
  const disputeId = await disputeOf(tx, rentalId, hold);
  if (disputeId === undefined) return;
  throw new DomainError('invalid-state', 'Payments of this rental are disputed: send an invoice.', {
    disputeId,
  });
}

function orderedBy({ kind }: PaymentStep): string {
  if (kind === 'renew') return 'authorise';
  return kind === 'raise' ? 'increase' : kind;
}

/** Kept until the order is written: a rental does not end, nor begin, in between. */
async function rentalOf(tx: Tx, id: string): Promise<RentalFacts> {
  const { rows } = await sql<RentalFacts>`select status, branch_id as "branchId", currency
    from rentals.rental where id = ${id} for share`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
}
