// Money that customers hand over: payments on documents, and deposits in cash or by bank transfer.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  type Application,
  applicationOf,
  checkCash,
  depositPostings,
  receivedPostings,
  type Tender,
} from '../../domain/payments/tenders.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PAYMENT_COLUMNS, type Payment } from '../payment-row.ts';
import { recordAudit } from './audit.ts';
import { inDrawer, moveCash, postCashEntry } from './cash-entries.ts';
import { holdRental } from './rental-money.ts';

/** How it was paid: cash and slips of the terminal name the drawer's shift. */
export type PaidBy = {
  readonly tender: Tender;
  readonly amountMinor: number;
  readonly shiftId?: string | undefined;
  readonly terminalBatch?: string | undefined;
  /** Of the bank transfer, or of the slip. */
  readonly reference?: string | undefined;
};

export type InvoicePayment = PaidBy & { readonly id: string; readonly invoiceId: string };

type OpenItem = {
  readonly entityId: string;
  readonly branchId: string;
  readonly customerId: string;
  readonly rentalId: string | null;
  readonly currency: string;
  readonly openMinor: number;
};

/**
 * Settles so much of a document. A repeat answers the same payment. Throws `not-found`,
 * `invalid-state` without an open shift, `amount-too-high` for more than is open, than is on the
 * customer's account, or than the law lets be paid in cash; `value-refused` for cash there is not.
 */
export function receivePayment(db: Db, acting: Acting, asked: InvoicePayment): Promise<Payment> {
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const known = await paymentById(tx, asked.id);
    if (known !== undefined) return known;
    const item = await openItem(tx, asked.invoiceId);
    const { id, invoiceId, tender, amountMinor } = asked;
    const { entityId, rentalId, currency, openMinor } = item;
    const coin = await coinOf(tx, entityId);
    const application = applicationOf(tender, amountMinor, openMinor, coin);
    const entryId = await postCashEntry(tx, {
      ...{ key: `payment-received/${id}`, entityId, rentalId, source: 'tender.received' },
      postings: receivedPostings({ ...application, tender, currency, amountMinor }),
    });
    const payment = await take(tx, asked, {
      ...{ ...item, ...application, entryId, invoiceId, purpose: 'invoice' },
    });
    if (application.appliedMinor > 0) {
      await sql`select accounting.apply_to_invoice(${invoiceId}, ${entryId},
        ${application.appliedMinor})`.execute(tx);
    }
    return payment;
  });
  return inDrawer(work);
}

export type CashDeposit = PaidBy & {
  readonly id: string;
  readonly tender: 'cash' | 'bank-transfer';
  readonly rental: Omit<OpenItem, 'openMinor' | 'rentalId'> & { readonly id: string };
};

/**
 * A security deposit that is no hold on a card. What a document makes the renter owe is taken out of
 * it when that is issued (decisions.md 15). Throws like `receivePayment`, and `invalid-state` for a
 * rental that is over.
 */
export function receiveDeposit(
  db: Db,
  acting: Acting,
  { rental, ...asked }: CashDeposit,
): Promise<Payment> {
  const { id, tender, amountMinor } = asked;
  const { id: rentalId, entityId, currency } = rental;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const known = await paymentById(tx, id);
    if (known !== undefined) return known;
    const { status } = await holdRental(tx, rentalId);
    if (status !== 'reserved' && status !== 'active') {
      throw new DomainError('invalid-state', 'It needs no deposit any more.', { status });
    }
    if (tender === 'cash') checkCash(amountMinor, await coinOf(tx, entityId));
    const entryId = await postCashEntry(tx, {
      ...{ key: `payment-received/${id}`, entityId, rentalId, source: 'tender.deposit' },
      postings: depositPostings({ tender, currency, amountMinor }),
    });
    const whole = { appliedMinor: 0, unappliedMinor: 0, roundingMinor: 0 };
    const purpose = { invoiceId: null, purpose: 'deposit' } as const;
    return take(tx, asked, { ...rental, ...whole, ...purpose, rentalId, entryId });
  });
  return inDrawer(work);
}

async function take(
  tx: Tx,
  { id, tender, amountMinor, ...paid }: PaidBy & { readonly id: string },
  to: Application &
    Omit<OpenItem, 'openMinor'> &
    Pick<Payment, 'entryId' | 'invoiceId' | 'purpose'>,
): Promise<Payment> {
  const { shiftId = null, terminalBatch = null, reference = null } = paid;
  const { entryId } = to;
  if (tender === 'cash') {
    if (shiftId === null) throw new DomainError('value-refused', 'Cash names its shift.');
    const kind = to.purpose === 'deposit' ? 'deposit' : 'payment';
    await moveCash(tx, { shiftId, kind, amountMinor, entryId });
  }
  const { rows } = await sql<Payment>`insert into accounting.payment (id, entity_id, branch_id,
      customer_id, rental_id, invoice_id, purpose, tender, currency, amount_minor, applied_minor,
      unapplied_minor, rounding_minor, shift_id, terminal_batch, reference, entry_id)
    values (${id}, ${to.entityId}, coalesce((select s.branch_id from accounting.drawer_shift s
        where s.id = ${shiftId}), ${to.branchId}), ${to.customerId}, ${to.rentalId},
      ${to.invoiceId}, ${to.purpose}, ${tender}, ${to.currency}, ${amountMinor},
      ${to.appliedMinor}, ${to.unappliedMinor}, ${to.roundingMinor}, ${shiftId},
      ${terminalBatch}, ${reference}, ${entryId})
    returning ${PAYMENT_COLUMNS}`.execute(tx);
  const payment = rows[0] as Payment;
  await tell(tx, payment);
  return payment;
}

async function tell(tx: Tx, payment: Payment): Promise<void> {
  const { id: paymentId, entityId, branchId, invoiceId, rentalId, purpose, tender } = payment;
  const { amountMinor, appliedMinor, currency, entryId } = payment;
  const amounts = { amountMinor, appliedMinor, currency };
  await publish(tx, {
    type: 'forecourt.payment.received.v1',
    aggregateId: paymentId,
    sequence: 1,
    data: {
      ...{ paymentId, entityId, branchId, invoiceId, rentalId, purpose, tender, entryId },
      ...amounts,
    },
  });
  await recordAudit(tx, {
    ...{ action: 'payment.received', subjectType: 'payment', subjectId: paymentId },
    after: { purpose, tender, amountMinor, invoiceId, rentalId },
  });
}

export async function paymentById(tx: Tx, id: string): Promise<Payment | undefined> {
  const { rows } = await sql<Payment>`select ${PAYMENT_COLUMNS} from accounting.payment
    where id = ${id}`.execute(tx);
  return rows[0];
}

/**
 * Its rental's money is locked first, as whoever settles it at commit does. Throws `not-found`, and
 * `invalid-state` for a document that never made anybody owe.
 */
async function openItem(tx: Tx, invoiceId: string): Promise<OpenItem> {
  const { rows: invoices } = await sql<{ of: string | null }>`select
      accounting.lock_money(rental_id)::text as of
    from accounting.invoice where id = ${invoiceId}`.execute(tx);
  if (invoices.length === 0) throw new DomainError('not-found', 'There is no such invoice.');
  const { rows } = await sql<OpenItem>`select entity_id as "entityId", branch_id as "branchId",
      customer_id as "customerId", rental_id as "rentalId", currency,
      due_minor - settled_minor as "openMinor"
    from accounting.open_item where invoice_id = ${invoiceId} for update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('invalid-state', 'Nothing is to be paid of this document.');
}

/** The smallest coin of the entity's currency. */
async function coinOf(tx: Tx, entityId: string): Promise<number> {
  const { rows } = await sql<{ minor: number }>`select rounding_minor as minor
    from accounting.cash_terms where entity_id = ${entityId}`.execute(tx);
  return rows[0]?.minor ?? 1;
}
