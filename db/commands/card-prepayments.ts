// Prepayments that a card is charged for at once: ordered and returned as steps of a payment, posted with their answer.
import { sql } from 'kysely';
import { v5 as uuidv5 } from 'uuid';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Prepay, ReturnPrepaid } from '../../domain/payments/deposit.ts';
import type { GatewayName, GatewayOrder } from '../../domain/payments/gateway.ts';
import {
  isPrepayable,
  type PrepaymentRefundReason,
  type TaxShare,
} from '../../domain/prepayment.ts';
import type { RentalStatus } from '../../domain/rental.ts';
import type { HoldRow } from '../authorisation-row.ts';
import type { Tx } from '../client.ts';
import { PREPAYMENT_COLUMNS, type Prepayment } from '../prepayment-row.ts';
import { asked } from './calendar.ts';
import { cardRefusal } from './card-refusals.ts';
import { takeFromLimit } from './limits.ts';
import { primaryPayer } from './payer-documents.ts';
import {
  checkReturn,
  partyOf,
  postReturn,
  recordReturn,
  returnable,
} from './prepayment-refunds.ts';
import {
  creditPrepayments,
  openRental,
  prepaymentById,
  recordPrepayment,
  taxesAhead,
} from './prepayments.ts';

/** What a step asks of which hold or charge. */
export type Placed = {
  readonly holdId: string;
  readonly amountMinor: number | null;
  /** Left out, what the step says. */
  readonly kind?: GatewayOrder['kind'];
  /** Left out, the order's own. */
  readonly key?: string;
  /** Of a charge: the VAT in it. */
  readonly taxes?: readonly TaxShare[];
  /** Of money that goes back. */
  readonly reason?: string;
  readonly approvalId?: string | null;
};

type Ordered<S> = {
  readonly key: string;
  readonly rentalId: string;
  readonly actor: Actor;
  readonly step: S;
};

/** So many cards may be declined for a rental in an hour: whoever tries more is trying cards out. */
const DECLINES = 5;

/** Of the ids that `returnIdOf` makes: a UUID of our own, as RFC 9562 section 5.5 asks for. */
const RETURNS = 'a1d4c0de-6f72-4563-8f75-727400000012';

/**
 * Writes down what is to be charged. Throws `not-found`, `invalid-state`, `amount-too-high`,
 * `payment-unsettled` while another charge is not known, `payment-declined` after many declines.
 */
export async function placeCharge(
  tx: Tx,
  gateway: GatewayName,
  { rentalId, actor, step }: Ordered<Prepay>,
): Promise<Placed> {
  const { prepaymentId: holdId, amountMinor, paymentMethod } = step;
  const rental = await openRental(tx, rentalId);
  const payerId = await primaryPayer(tx, rental);
  const isOutside = actor.kind === 'customer' || actor.kind === 'partner';
  if (isOutside && payerId !== rental.customer_id) {
    throw new DomainError('invalid-state', 'Somebody else pays for this rental.');
  }
  await checkSandbox(tx, gateway, rental.branch_id);
  await checkDeclines(tx, rentalId);
  const taxes = await taxesAhead(tx, rental, payerId, amountMinor);
  await sql`insert into rentals.authorisation (id, rental_id, purpose, payer, gateway,
      payment_method, amount_minor, currency)
    values (${holdId}, ${rentalId}, 'prepayment', 'renter', ${gateway}, ${paymentMethod},
      ${amountMinor}, ${rental.currency})`
    .execute(tx)
    .catch((error: unknown) => {
      throw cardRefusal(error);
    });
  return { holdId, amountMinor, kind: 'charge', taxes };
}

/** Throws `invalid-state`: no gateway but the simulated one is asked for a card there. */
export async function checkSandbox(tx: Tx, gateway: GatewayName, branchId: string): Promise<void> {
  if (gateway === 'simulated') return;
  if (!(await asked<boolean>(tx, sql`vehicles.is_sandbox(${branchId})`))) return;
  throw new DomainError('invalid-state', 'No money moves in the sandbox: use a live booking.');
}

async function checkDeclines(tx: Tx, rentalId: string): Promise<void> {
  const { rows } = await sql`select from rentals.authorisation where rental_id = ${rentalId}
    and purpose = 'prepayment' and state = 'declined'
    and created_at > now() - interval '1 hour'`.execute(tx);
  if (rows.length < DECLINES) return;
  throw new DomainError('payment-declined', 'Too many cards were declined: wait for an hour.', {
    command: 'prepay',
    declineCode: 'too-many-declined',
  });
}

/**
 * The charge is known: its prepayment stands in the books, with its document. Where the rental ended
 * meanwhile it is credited at once, and so owed back. Answers the entry's id.
 */
export async function settleCharge(
  tx: Tx,
  { id, rentalId, amountMinor }: HoldRow,
  taxes: readonly TaxShare[],
): Promise<string> {
  const rental = await openRental(tx, rentalId);
  const at = new Date().toISOString();
  const charged = { id, rentalId, tender: 'gateway', amountMinor, at } as const;
  const { entryId } = await recordPrepayment(tx, rental, charged, taxes);
  if (!isPrepayable(rental.status)) await creditPrepayments(tx, rentalId, at);
  return entryId;
}

/** Throws as `refundPrepayment`. */
export async function placeReturn(
  tx: Tx,
  { rentalId, actor, step }: Ordered<ReturnPrepaid>,
): Promise<Placed> {
  const { prepaymentId, amountMinor, reason, approvalId, limitMinor } = step;
  const prepayment = await prepaymentById(tx, prepaymentId);
  if (prepayment?.rentalId !== rentalId || prepayment.tender !== 'gateway') {
    throw new DomainError('not-found', 'No card was charged for it.', { of: 'prepayment' });
  }
  const { branchId, customerId } = await partyOf(tx, prepayment);
  await checkReturn(tx, prepayment, customerId, amountMinor);
  const decision = { kind: 'refund', staffId: actor.id, subjectId: rentalId, branchId } as const;
  await takeFromLimit(tx, { ...decision, amountMinor, approvalId, limitMinor });
  return { holdId: prepaymentId, amountMinor, kind: 'refund', reason, approvalId };
}

/** Why what is left goes back by itself: the documents of a rental that is over say how much. */
const OVER: Readonly<Partial<Record<RentalStatus, PrepaymentRefundReason>>> = {
  cancelled: 'cancelled',
  no_show: 'cancelled',
  closed: 'shorter',
};

/**
 * Of the newest charge of which something is owed back, and which was not asked for it by this order;
 * null where there is none, and before the rental is over. Nobody's limit counts: nobody decides it.
 */
export async function placePayBack(
  tx: Tx,
  status: RentalStatus,
  { key, rentalId }: Ordered<unknown>,
): Promise<Placed | null> {
  const reason = OVER[status];
  if (reason === undefined) return null;
  const owed = await owedBackOf(tx, rentalId, key);
  if (owed === null) return null;
  return { ...owed, kind: 'refund', reason, key: `${key}/${owed.holdId}` };
}

type Owed = { readonly holdId: string; readonly amountMinor: number };

/** Of the newest charge first; leaves out what is disputed, under way, or was asked by that order. */
export async function owedBackOf(tx: Tx, rentalId: string, key: string): Promise<Owed | null> {
  const { rows } = await sql<Prepayment>`select ${PREPAYMENT_COLUMNS} from rentals.prepayment p
    where rental_id = ${rentalId} and tender = 'gateway' and refunded_minor < amount_minor
      and not exists (select from rentals.payment_attempt o
        where o.authorisation_id = p.id and (o.state = 'unknown' or o.id = ${key} || '/' || p.id))
      and not exists (select from rentals.dispute d
        where d.authorisation_id = p.id and d.state <> 'won')
    order by id desc for update`.execute(tx);
  for (const prepayment of rows) {
    const { customerId } = await partyOf(tx, prepayment);
    const amountMinor = await returnable(tx, prepayment, customerId);
    if (amountMinor > 0) return { holdId: prepayment.id, amountMinor };
  }
  return null;
}

/** A refund of what was prepaid whose outcome is not known: that is asked for first. */
export async function returnUnderWay(tx: Tx, rentalId: string): Promise<string | undefined> {
  const { rows } = await sql<{ key: string }>`select o.id as key from rentals.authorisation a
    join rentals.payment_attempt o on o.authorisation_id = a.id
    where a.rental_id = ${rentalId} and a.purpose = 'prepayment' and o.kind = 'refund'
      and o.state = 'unknown' limit 1`.execute(tx);
  return rows[0]?.key;
}

type Return = {
  readonly key: string;
  readonly amountMinor: number;
  readonly reason: string;
  readonly approvalId: string | null;
};

/** It went back: posted with the prepayment's row. Answers the entry's id. */
export async function settleReturn(
  tx: Tx,
  { id }: HoldRow,
  { key, amountMinor, reason, approvalId }: Return,
): Promise<string> {
  const prepayment = await prepaymentById(tx, id);
  if (prepayment === undefined) throw new Error(`Charge ${id} has no prepayment.`);
  const { customerId } = await partyOf(tx, prepayment);
  const tender = 'gateway';
  const entryId = await postReturn(tx, prepayment, { key, tender, amountMinor, customerId });
  const given = { id: uuidv5(key, RETURNS), amountMinor, reason, approvalId, shiftId: null };
  await recordReturn(tx, prepayment, given, { tender, entryId });
  return entryId;
}
