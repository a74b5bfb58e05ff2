// Giving money back that was paid outside the gateway: in its own tender, large amounts by the bank.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  depositReturnPostings,
  type Tender,
  tenderRefundPostings,
} from '../../domain/payments/tenders.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PAYMENT_COLUMNS, type Payment } from '../payment-row.ts';
import { reasonIn, recordAudit } from './audit.ts';
import { inDrawer, moveCash, postCashEntry, tenderBack } from './cash-entries.ts';
import { takeFromLimit } from './limits.ts';
import { assertNotKept, assertSpare, holdRental, moneyOf, unsettlePayers } from './rental-money.ts';

export type TenderRefund = {
  readonly id: string;
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly reason: string;
  /** Where cash goes out. */
  readonly shiftId: string | null;
  readonly approvalId: string | null;
  /** What the person may give back alone (decisions.md 40). */
  readonly limitMinor: number;
};

/**
 * Answers the payment as it is then; a repeat changes nothing. Deposits are the renter's own, so
 * giving them back needs no limit. Throws `not-found`, `amount-too-high`, `limit-exceeded`,
 * `four-eyes`, `deposit-required` while the vehicle is out, `damage-open`, `value-refused` for cash without a shift,
 * `invalid-state` outside an open one.
 */
export function refundPayment(db: Db, acting: Acting, asked: TenderRefund): Promise<Payment> {
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const payment = await lockedPayment(tx, asked.paymentId);
    const done = await sql`select from accounting.payment_refund where id = ${asked.id}`.execute(
      tx,
    );
    if (done.rows.length > 0) return payment;
    if (asked.amountMinor + payment.refundedMinor > payment.amountMinor) {
      throw new DomainError('amount-too-high', 'No more goes back than was paid.', {
        leftMinor: payment.amountMinor - payment.refundedMinor,
      });
    }
    if (payment.purpose === 'invoice') {
      const { amountMinor, approvalId, limitMinor } = asked;
      const { id, rentalId, branchId } = payment;
      const staffId = rowAccess(acting).principal.replace(/^staff:/, '');
      await takeFromLimit(tx, {
        ...{ kind: 'refund', staffId, subjectId: rentalId ?? id, branchId },
        ...{ amountMinor, approvalId, limitMinor },
      });
    }
    const { purpose, rentalId } = payment;
    return purpose === 'deposit' && rentalId !== null
      ? returnDeposit(tx, asked, { ...payment, rentalId })
      : refundInvoice(tx, asked, payment);
  });
  return inDrawer(work);
}

/**
 * What was prepaid out of it goes back with it, once a credit note says that it is owed back; what a
 * rental under way needs does not, until something else secures it.
 */
async function returnDeposit(
  tx: Tx,
  asked: TenderRefund,
  payment: Payment & { readonly rentalId: string },
): Promise<Payment> {
  const { amountMinor } = asked;
  const { rentalId, currency, customerId } = payment;
  const rental = await holdRental(tx, rentalId);
  const { heldMinor, ...money } = await moneyOf(tx, rentalId, [customerId]);
  const limitMinor = heldMinor + money.owedBackMinor - money.leavingMinor;
  if (amountMinor > limitMinor) {
    const details = { heldMinor, ...money };
    throw new DomainError('amount-too-high', 'Less is held of this deposit.', details);
  }
  assertSpare(rental, { amountMinor, heldMinor });
  await assertNotKept(tx, rentalId, { amountMinor, heldMinor });
  const tender = await tenderOf(tx, asked, payment);
  const postings = depositReturnPostings({ tender, currency, amountMinor, heldMinor });
  return give(tx, asked, payment, { tender, postings, fromAccountMinor: 0 });
}

/** First out of what stayed on account, then of what settled the document: that is open again. */
async function refundInvoice(tx: Tx, asked: TenderRefund, payment: Payment): Promise<Payment> {
  const { amountMinor } = asked;
  const { currency } = payment;
  const tender = await tenderOf(tx, asked, payment);
  const fromAccountMinor = Math.min(amountMinor, await onAccountOf(tx, payment));
  const isLast = amountMinor + payment.refundedMinor === payment.amountMinor;
  const roundingMinor = isLast ? payment.roundingMinor : 0;
  const parts = { tender, currency, amountMinor, fromAccountMinor, roundingMinor };
  const postings = tenderRefundPostings(parts);
  return give(tx, asked, payment, { tender, postings, fromAccountMinor, roundingMinor });
}

/** Its document is open again, as far as it was settled; then what else this customer was given. */
async function takeBack(
  tx: Tx,
  { invoiceId, rentalId, customerId }: Payment,
  entryId: string,
  againOpenMinor: number,
): Promise<void> {
  if (invoiceId !== null && againOpenMinor > 0) {
    await sql`select accounting.reopen_invoice(${invoiceId}, ${entryId},
      ${againOpenMinor})`.execute(tx);
  }
  if (rentalId !== null) await unsettlePayers(tx, rentalId, entryId, [customerId]);
}

/** What the payment left on its customer's account, as far as it is still there. */
async function onAccountOf(tx: Tx, { id, entityId, customerId }: Payment): Promise<number> {
  const { rows } = await sql<{ left: number }>`select least(m.amount_minor, p.unapplied_minor
      - (select coalesce(sum(r.from_account_minor), 0)::bigint from accounting.payment_refund r
        where r.payment_id = p.id)) as left
    from accounting.payment p join accounting.money_on_account m
      on m.entity_id = ${entityId} and m.customer_id = ${customerId}
    where p.id = ${id} for no key update of m`.execute(tx);
  return Math.max(0, rows[0]?.left ?? 0);
}

async function tenderOf(
  tx: Tx,
  { amountMinor, shiftId }: TenderRefund,
  { id, entityId, tender }: Payment,
): Promise<Tender> {
  const { rows } = await sql<{ given: number }>`select coalesce(sum(amount_minor), 0)::bigint
    as given from accounting.payment_refund
    where payment_id = ${id} and tender = 'cash'`.execute(tx);
  const givenMinor = rows[0]?.given ?? 0;
  return tenderBack(tx, { entityId, paidBy: tender, amountMinor, givenMinor, shiftId });
}

type Given = {
  readonly tender: Tender;
  readonly postings: Parameters<typeof postCashEntry>[1]['postings'];
  readonly fromAccountMinor: number;
  readonly roundingMinor?: number;
};

async function give(
  tx: Tx,
  asked: TenderRefund,
  paid: Payment,
  { tender, postings, fromAccountMinor, roundingMinor = 0 }: Given,
): Promise<Payment> {
  const { id: paymentId, entityId, rentalId, purpose, currency } = paid;
  const { id: refundId, amountMinor, reason, approvalId } = asked;
  const source = purpose === 'deposit' ? 'tender.deposit-returned' : 'tender.refunded';
  const key = `payment-refunded/${refundId}`;
  const entryId = await postCashEntry(tx, { key, entityId, rentalId, source, postings });
  const shiftId = tender === 'cash' ? asked.shiftId : null;
  if (shiftId !== null) {
    await moveCash(tx, { shiftId, kind: 'refund', amountMinor: -amountMinor, entryId });
  }
  await sql`insert into accounting.payment_refund (id, payment_id, tender, amount_minor,
      from_account_minor, reason, approval_id, shift_id, entry_id)
    values (${refundId}, ${paymentId}, ${tender}, ${amountMinor}, ${fromAccountMinor}, ${reason},
      ${approvalId}, ${shiftId}, ${entryId})`.execute(tx);
  await takeBack(tx, paid, entryId, amountMinor - fromAccountMinor - roundingMinor);
  const payment = await lockedPayment(tx, paymentId);
  const { refundedMinor, version: sequence } = payment;
  const amounts = { amountMinor, refundedMinor, currency };
  await publish(tx, {
    type: 'forecourt.payment.refunded.v1',
    ...{ aggregateId: paymentId, sequence },
    data: { paymentId, refundId, tender, entryId, ...amounts },
  });
  await recordAudit(tx, {
    ...{ action: 'payment.refunded', subjectType: 'payment', subjectId: paymentId },
    reason: reasonIn('accounting.payment_refund'),
    after: { tender, amountMinor, refundedMinor },
  });
  return payment;
}

async function lockedPayment(tx: Tx, id: string): Promise<Payment> {
  const { rows } = await sql<Payment>`select ${PAYMENT_COLUMNS} from accounting.payment
    where id = ${id} for no key update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such payment.');
}
