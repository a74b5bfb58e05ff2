// Giving money back that was paid outside the gateway: in its own tender, large amounts by the bank.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { ACCOUNT } from '../../domain/ledger.ts';
import {
  checkCash,
  depositReturnPostings,
  refundTender,
  type Tender,
  tenderRefundPostings,
} from '../../domain/payments/tenders.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PAYMENT_COLUMNS, type Payment } from '../payment-row.ts';
import { reasonIn, recordAudit } from './audit.ts';
import { inDrawer, moveCash, postCashEntry } from './cash-entries.ts';
import { coinOf } from './tenders.ts';

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
 * `four-eyes`, `value-refused` for cash without a shift, `invalid-state` outside an open one.
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
    if (payment.purpose === 'invoice') await takeFromLimit(tx, acting, asked, payment);
    return payment.purpose === 'deposit'
      ? returnDeposit(tx, asked, payment)
      : refundInvoice(tx, asked, payment);
  });
  return inDrawer(work);
}

/** What was prepaid out of it goes back with it, once a credit note says that it is owed back. */
async function returnDeposit(tx: Tx, asked: TenderRefund, payment: Payment): Promise<Payment> {
  const { amountMinor } = asked;
  const { entityId, rentalId, currency } = payment;
  const codes = `{${ACCOUNT.securityDeposits}}`;
  const { rows } = await sql<{ of: Readonly<Record<string, number>>; surplus: number }>`select
    accounting.rental_balances(${entityId}, ${rentalId}, ${codes}) as of,
    accounting.surplus_of(${rentalId}, ${payment.customerId}) as surplus`.execute(tx);
  const heldMinor = -(rows[0]?.of[ACCOUNT.securityDeposits] ?? 0);
  const owedBackMinor = rows[0]?.surplus ?? 0;
  if (amountMinor > heldMinor + owedBackMinor) {
    const details = { heldMinor, owedBackMinor };
    throw new DomainError('amount-too-high', 'Less is held of this deposit.', details);
  }
  const tender = await tenderOf(tx, asked, payment);
  const postings = depositReturnPostings({ tender, currency, amountMinor, heldMinor });
  return give(tx, asked, payment, { tender, postings, fromAccountMinor: 0 });
}

/** First out of what stayed on account, then of what settled the document: that is open again. */
async function refundInvoice(tx: Tx, asked: TenderRefund, payment: Payment): Promise<Payment> {
  const { amountMinor } = asked;
  const { currency, invoiceId } = payment;
  const tender = await tenderOf(tx, asked, payment);
  const fromAccountMinor = Math.min(amountMinor, await onAccountOf(tx, payment));
  const isWhole = amountMinor === payment.amountMinor;
  const roundingMinor = isWhole ? payment.roundingMinor : 0;
  const parts = { tender, currency, amountMinor, fromAccountMinor, roundingMinor };
  const postings = tenderRefundPostings(parts);
  const refunded = await give(tx, asked, payment, { tender, postings, fromAccountMinor });
  const againOpen = amountMinor - fromAccountMinor - roundingMinor;
  if (againOpen > 0) {
    await sql`select accounting.apply_to_invoice(${invoiceId}, r.entry_id,
        -least(${againOpen}, i.settled_minor))
      from accounting.open_item i, accounting.payment_refund r
      where i.invoice_id = ${invoiceId} and i.settled_minor > 0 and r.id = ${asked.id}`.execute(tx);
  }
  return refunded;
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
  payment: Payment,
): Promise<Tender> {
  const { rows } = await sql<{ limit: number; given: number }>`select
      t.cash_refund_minor as limit, (select coalesce(sum(r.amount_minor), 0)::bigint
        from accounting.payment_refund r
        where r.payment_id = ${payment.id} and r.tender = 'cash') as given
    from accounting.cash_terms t where t.entity_id = ${payment.entityId}`.execute(tx);
  const { limit = 0, given = 0 } = rows[0] ?? {};
  const tender = refundTender(payment.tender, amountMinor, given, limit);
  if (tender !== 'cash') return tender;
  checkCash(amountMinor, await coinOf(tx, payment.entityId));
  if (shiftId !== null) return tender;
  throw new DomainError('value-refused', 'Cash goes out of a shift: name it.');
}

type Given = {
  readonly tender: Tender;
  readonly postings: Parameters<typeof postCashEntry>[1]['postings'];
  readonly fromAccountMinor: number;
};

async function give(
  tx: Tx,
  asked: TenderRefund,
  { id: paymentId, entityId, rentalId, purpose, currency }: Payment,
  { tender, postings, fromAccountMinor }: Given,
): Promise<Payment> {
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

/** Alone within one's limit, else by an approval of exactly this amount (decisions.md 40). */
async function takeFromLimit(
  tx: Tx,
  acting: Acting,
  { amountMinor, approvalId, limitMinor }: TenderRefund,
  { id, rentalId, branchId }: Payment,
): Promise<void> {
  const subject = rentalId ?? id;
  if (approvalId !== null) {
    const { rows } = await sql<{ used: boolean }>`select people.use_refund_approval(${approvalId},
      ${subject}, ${branchId}, ${amountMinor}) as used`.execute(tx);
    if (rows[0]?.used === true) return;
    throw new DomainError('four-eyes', 'There is no unused approval for refunding this amount.');
  }
  const staffId = rowAccess(acting).principal.replace(/^staff:/, '');
  const { rows } = await sql<{ taken: boolean }>`select people.take_refund(${staffId}, ${subject},
    (now() at time zone 'UTC')::date, ${amountMinor}, ${limitMinor}) as taken`.execute(tx);
  if (rows[0]?.taken === true) return;
  throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
    kind: 'refund',
    limit: limitMinor,
  });
}
