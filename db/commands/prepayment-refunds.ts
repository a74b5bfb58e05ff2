// Refunds of prepayments: in the tender of the payment, within what is owed back, by a limit.
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import { type PrepaymentTender, prepaymentRefundPostings } from '../../domain/prepayment.ts';
import { lockHold } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PREPAYMENT_COLUMNS, type Prepayment } from '../prepayment-row.ts';
import { recordAudit } from './audit.ts';
import { inDrawer, moveCash, tenderBack } from './cash-entries.ts';
import { settleAttention } from './hold-changes.ts';
import { takeFromLimit } from './limits.ts';
import { postPayment } from './payment-entries.ts';
import { prepaymentById } from './prepayments.ts';
import { moneyOf, unsettlePayers } from './rental-money.ts';

export type PrepaymentRefund = {
  readonly id: string;
  readonly prepaymentId: string;
  readonly actor: Actor;
  readonly amountMinor: number;
  readonly reason: string;
  /** Where cash goes out. */
  readonly shiftId: string | null;
  readonly approvalId: string | null;
  /** What the caller may give back alone, in minor units (decisions.md 40). */
  readonly limitMinor: number;
};

/** Where it was paid, and by whom. */
type Party = {
  readonly branchId: string;
  readonly entityId: string;
  readonly customerId: string;
};

/**
 * Never more than was paid, nor than the rental's documents owe back. A repeat changes nothing. Throws
 * `not-found`, `amount-too-high`, `limit-exceeded`, `four-eyes`, `value-refused` for cash without a
 * shift, `invalid-state` for what a gateway captured or charged: that goes back by the gateway, or
 * by bank transfer where its card would not take it.
 */
export function refundPrepayment(
  db: Db,
  acting: Acting,
  request: PrepaymentRefund,
): Promise<Prepayment> {
  const work = transact(db, 'rentals_rw', acting, async (tx) => {
    // First of all, as whoever hears of its card does: else the two would wait for each other.
    await lockHold(tx, request.prepaymentId);
    const prepayment = await prepaymentById(tx, request.prepaymentId);
    if (prepayment === undefined) {
      throw new DomainError('not-found', 'There is no such prepayment.', { of: 'prepayment' });
    }
    const key = `prepayment-refund/${request.id}`;
    const { rows: done } = await sql`select from rentals.prepayment_refund
      where id = ${request.id}`.execute(tx);
    if (done.length > 0) return prepayment;
    const { rentalId } = prepayment;
    const { amountMinor, approvalId, limitMinor } = request;
    const { branchId, entityId, customerId } = await partyOf(tx, prepayment);
    const tender = await tenderOf(tx, prepayment, entityId, request);
    await checkReturn(tx, prepayment, customerId, amountMinor);
    await takeFromLimit(tx, {
      ...{ kind: 'refund', staffId: request.actor.id, subjectId: rentalId, branchId },
      ...{ amountMinor, approvalId, limitMinor },
    });
    const entryId = await postReturn(tx, prepayment, { key, tender, amountMinor, customerId });
    if (tender === 'cash' && request.shiftId !== null) {
      const { shiftId } = request;
      await moveCash(tx, { shiftId, kind: 'refund', amountMinor: -amountMinor, entryId });
    }
    if (prepayment.tender === 'gateway') await settleAttention(tx, prepayment.id, request.id);
    return recordReturn(tx, prepayment, request, { tender, entryId });
  });
  return inDrawer(work);
}

type RefundTender = Exclude<PrepaymentTender, 'deposit'>;
type Returned = {
  readonly key: string;
  readonly tender: RefundTender;
  readonly amountMinor: number;
  readonly customerId: string;
};

/** Answers the entry's id. */
export async function postReturn(
  tx: Tx,
  { rentalId, currency }: Prepayment,
  { key, tender, amountMinor, customerId }: Returned,
): Promise<string> {
  const postings = prepaymentRefundPostings({ currency, tender, amountMinor });
  const refund = { key, rentalId, currency, source: 'payment.refund', postings } as const;
  const entryId = await postPayment(tx, refund);
  await unsettlePayers(tx, rentalId, entryId, [customerId]);
  return entryId;
}

/** Cash, of this prepayment, goes back as of any payment. Throws as `tenderBack`. */
async function tenderOf(
  tx: Tx,
  { id, tender }: Prepayment,
  entityId: string,
  { amountMinor, shiftId }: PrepaymentRefund,
): Promise<Exclude<RefundTender, 'gateway'>> {
  if (tender === 'gateway') {
    if (shiftId === null && (await isRefused(tx, id))) return 'bank-transfer';
    throw new DomainError('invalid-state', 'It goes back to its card, by the gateway.');
  }
  if (tender === 'deposit') {
    throw new DomainError('invalid-state', 'Refund it with the deposit that it came from.');
  }
  const { rows } = await sql<{ given: number }>`select coalesce(sum(amount_minor), 0)::bigint
    as given from rentals.prepayment_refund
    where prepayment_id = ${id} and tender = 'cash'`.execute(tx);
  const givenMinor = rows[0]?.given ?? 0;
  return tenderBack(tx, { entityId, paidBy: tender, amountMinor, givenMinor, shiftId });
}

/** Its card would not take a refund, or it came back. */
async function isRefused(tx: Tx, id: string): Promise<boolean> {
  const { rows } = await sql`select from rentals.payment_attempt where authorisation_id = ${id}
    and kind = 'refund' and (state = 'declined' or came_back_at is not null) limit 1`.execute(tx);
  return rows.length > 0;
}

/**
 * What was prepaid is owed back once a credit note says so, whatever other payers still owe; what
 * cards are asked to give back of prepayments is on its way out of that, not out of a deposit.
 */
export async function returnable(
  tx: Tx,
  { id, rentalId, amountMinor, refundedMinor }: Prepayment,
  customerId: string,
): Promise<number> {
  const { heldMinor, owedBackMinor, leavingMinor } = await moneyOf(tx, rentalId, [customerId]);
  const { all, ofIt } = await underWay(tx, { id, rentalId, customerId });
  const leftMinor = heldMinor + owedBackMinor - leavingMinor;
  const paidMinor = amountMinor - refundedMinor - ofIt;
  return Math.max(0, Math.min(paidMinor, owedBackMinor - all, leftMinor));
}

type Owner = { readonly id: string; readonly rentalId: string; readonly customerId: string };

/** Minor units that cards are asked to give this customer back of prepayments, and of this one. */
async function underWay(tx: Tx, { id, rentalId, customerId }: Owner) {
  const { rows } = await sql<{ all: number; ofIt: number }>`
    select coalesce(sum(o.amount_minor), 0)::bigint as all,
      coalesce(sum(o.amount_minor) filter (where p.id = ${id}), 0)::bigint as "ofIt"
    from rentals.prepayment p join rentals.payment_attempt o on o.authorisation_id = p.id
    where p.rental_id = ${rentalId} and o.kind = 'refund' and o.state = 'unknown'
      and accounting.customer_of(p.invoice_id) = ${customerId}`.execute(tx);
  return rows[0] ?? { all: 0, ofIt: 0 };
}

export async function checkReturn(
  tx: Tx,
  prepayment: Prepayment,
  customerId: string,
  amountMinor: number,
): Promise<void> {
  const limitMinor = await returnable(tx, prepayment, customerId);
  if (amountMinor <= limitMinor) return;
  throw new DomainError('amount-too-high', 'Less than that is owed back.', { limitMinor });
}

type Recorded = Pick<PrepaymentRefund, 'id' | 'amountMinor' | 'reason' | 'approvalId' | 'shiftId'>;

/** The row, the prepayment's, facts and audit. */
export async function recordReturn(
  tx: Tx,
  { id: prepaymentId, rentalId, currency }: Prepayment,
  { id, amountMinor, reason, approvalId, shiftId }: Recorded,
  { tender, entryId }: { readonly tender: string; readonly entryId: string },
): Promise<Prepayment> {
  await sql`insert into rentals.prepayment_refund (id, prepayment_id, tender, amount_minor, reason,
      approval_id, shift_id, entry_id)
    values (${id}, ${prepaymentId}, ${tender}, ${amountMinor}, ${reason}, ${approvalId},
      ${tender === 'cash' ? shiftId : null}, ${entryId})`.execute(tx);
  const { rows } = await sql<Prepayment>`update rentals.prepayment
    set refunded_minor = refunded_minor + ${amountMinor}, version = version + 1
    where id = ${prepaymentId} returning ${PREPAYMENT_COLUMNS}`.execute(tx);
  const row = rows[0] as Prepayment;
  const { refundedMinor } = row;
  await publish(tx, {
    type: 'forecourt.prepayment.refunded.v1',
    aggregateId: prepaymentId,
    sequence: row.version,
    data: { prepaymentId, rentalId, refundId: id, tender, amountMinor, refundedMinor, currency },
  });
  await recordAudit(tx, {
    ...{ action: 'prepayment.refund', subjectType: 'prepayment', subjectId: prepaymentId },
    ...{ commandId: id, reason, after: { rentalId, tender, amountMinor, refundedMinor } },
  });
  return row;
}

export async function partyOf(tx: Tx, { rentalId, invoiceId }: Prepayment): Promise<Party> {
  const { rows } = await sql<Party>`select branch_id as "branchId", entity_id as "entityId",
      accounting.customer_of(${invoiceId}) as "customerId"
    from rentals.rental where id = ${rentalId}`.execute(tx);
  if (rows[0] === undefined) throw new DomainError('not-found', 'There is no such rental.');
  return rows[0];
}

/**
 * A refund that was done came back: it is owed again, and may be paid by the card or the bank. The
 * entry of the refund names its row.
 */
export async function takeBackReturn(
  tx: Tx,
  prepaymentId: string,
  { key, entryId, amountMinor }: CameBack,
): Promise<void> {
  const { rows } = await sql<Prepayment & { refundId: string }>`update rentals.prepayment p
    set refunded_minor = refunded_minor - ${amountMinor}, version = version + 1
    where id = ${prepaymentId} returning ${PREPAYMENT_COLUMNS},
      (select r.id from rentals.prepayment_refund r where r.entry_id = ${entryId}) as "refundId"
  `.execute(tx);
  const { rentalId, currency, tender, refundedMinor, version, refundId } = rows[0] as Prepayment & {
    refundId: string;
  };
  await publish(tx, {
    type: 'forecourt.prepayment.refund-returned.v1',
    aggregateId: prepaymentId,
    sequence: version,
    data: { prepaymentId, rentalId, refundId, tender, amountMinor, refundedMinor, currency },
  });
  await recordAudit(tx, {
    ...{ action: 'prepayment.refund-returned', subjectType: 'prepayment', subjectId: prepaymentId },
    ...{ commandId: key, after: { rentalId, amountMinor, refundedMinor } },
  });
}

type CameBack = {
  readonly key: string;
  readonly entryId: string;
  readonly amountMinor: number;
};
