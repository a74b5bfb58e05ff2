// Orders to a gateway, written down before the gateway is asked: nothing is charged that no row knows.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { DepositState, PaymentStep } from '../../domain/payments/deposit.ts';
import type { GatewayName } from '../../domain/payments/gateway.ts';
import { depositOf } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { type Placed, returnUnderWay } from './card-prepayments.ts';
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
    const rental = await rentalOf(tx, order);
    if (step.kind !== 'settle') await checkUndisputed(tx, order);
    if (step.kind !== 'release') await checkBooks(tx, rentalId, rental.currency);
    const wanted = await placed(tx, gateway, order, rental);
    if (wanted === null) return { isAsked: false, key };
    return write(tx, { ...order, key }, wanted);
  });
}

async function write(
  tx: Tx,
  { key, rentalId, step }: PaymentOrder,
  wanted: Placed,
): Promise<Begun> {
  const { holdId, amountMinor, kind = orderedBy(step), key: named = key } = wanted;
  const { taxes = null, approvalId = null } = wanted;
  const reason = wanted.reason ?? (step.kind === 'refund' ? step.reason : null);
  await sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor, reason,
      taxes, approval_id)
    values (${named}, ${holdId}, ${kind}, ${amountMinor}, ${reason},
      ${taxes && JSON.stringify(taxes)}, ${approvalId})`.execute(tx);
  await recordAudit(tx, {
    action: ACTIONS[step.kind] ?? `deposit.${step.kind}`,
    subjectType: 'authorisation',
    subjectId: holdId,
    commandId: named,
    ...(reason !== null && { reason }),
    after: { rentalId, amountMinor },
  });
  return { isAsked: true, key: named };
}

const ACTIONS: Readonly<Partial<Record<PaymentStep['kind'], string>>> = {
  prepay: 'prepayment.charge',
  'return-prepaid': 'prepayment.return',
  'pay-back': 'prepayment.pay-back',
};

/** Each card is asked to settle an ending once: after a decline it may be another one's turn. */
async function keyOf(tx: Tx, { key, rentalId, step }: PaymentOrder): Promise<string> {
  if (step.kind === 'pay-back') return (await returnUnderWay(tx, rentalId)) ?? key;
  if (step.kind !== 'settle') return key;
  const { current } = await depositOf(tx, rentalId);
  return current === null ? key : `${key}/${current.id}`;
}

/** Whoever said that a charge was not theirs is not charged again; nor is it given back twice. */
async function checkUndisputed(tx: Tx, { rentalId, step }: PaymentOrder): Promise<void> {
  // What goes back of charges leaves out those that are disputed.
  if (step.kind === 'release' || step.kind === 'pay-back') return;
  const hold =
    step.kind === 'refund'
      ? step.authorisationId
      : step.kind === 'return-prepaid'
        ? step.prepaymentId
        : null;
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

/**
 * Kept until the order is written: a rental does not end, nor begin, in between. Where something is
 * charged for it in advance, nothing else is prepaid either.
 */
async function rentalOf(tx: Tx, { rentalId: id, step }: PaymentOrder): Promise<RentalFacts> {
  const lock = step.kind === 'prepay' ? sql`for update` : sql`for share`;
  const { rows } = await sql<RentalFacts>`select status, branch_id as "branchId", currency
    from rentals.rental where id = ${id} ${lock}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
}
