// Refunds of prepayments: in the tender of the payment, within what is owed back, by a limit.
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import { type PrepaymentTender, prepaymentRefundPostings } from '../../domain/prepayment.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PREPAYMENT_COLUMNS, type Prepayment } from '../prepayment-row.ts';
import { recordAudit } from './audit.ts';
import { asked } from './calendar.ts';
import { inDrawer, moveCash } from './cash-entries.ts';
import { postPayment } from './payment-entries.ts';
import { prepaymentById } from './prepayments.ts';

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

type Rental = { readonly branchId: string };

/** Cash above this, of one prepayment, goes back by the bank (decisions.md 27). */
const CASH_REFUND_MINOR = 10_000;

/**
 * Never more than was paid, nor than the rental's documents owe back. A repeat changes nothing. Throws
 * `not-found`, `amount-too-high`, `limit-exceeded`, `four-eyes`, `value-refused` for cash without a
 * shift, `invalid-state` for what a gateway captured: that is refunded with the deposit.
 */
export function refundPrepayment(
  db: Db,
  acting: Acting,
  request: PrepaymentRefund,
): Promise<Prepayment> {
  const work = transact(db, 'rentals_rw', acting, async (tx) => {
    const prepayment = await prepaymentById(tx, request.prepaymentId);
    if (prepayment === undefined) {
      throw new DomainError('not-found', 'There is no such prepayment.', { of: 'prepayment' });
    }
    const key = `prepayment-refund/${request.id}`;
    const { rows: done } = await sql`select from rentals.prepayment_refund
      where id = ${request.id}`.execute(tx);
    if (done.length > 0) return prepayment;
    const tender = tenderOf(prepayment, request);
    const rental = await rentalOf(tx, prepayment.rentalId);
    await checkAmount(tx, prepayment, request.amountMinor);
    await takeFromLimit(tx, prepayment, rental, request);
    const { rentalId, currency } = prepayment;
    const { amountMinor } = request;
    const postings = prepaymentRefundPostings({ currency, tender, amountMinor });
    const entryId = await postPayment(tx, {
      ...{ key, rentalId, currency, source: 'payment.refund' as const, postings },
    });
    if (tender === 'cash' && request.shiftId !== null) {
      const { shiftId } = request;
      await moveCash(tx, { shiftId, kind: 'refund', amountMinor: -amountMinor, entryId });
    }
    return record(tx, prepayment, request, { tender, entryId });
  });
  return inDrawer(work);
}

function tenderOf(
  { tender, refundedMinor }: Prepayment,
  { amountMinor, shiftId }: PrepaymentRefund,
): Exclude<PrepaymentTender, 'deposit'> {
  if (tender === 'deposit') {
    throw new DomainError('invalid-state', 'Refund it with the deposit that it came from.');
  }
  const goesBack =
    tender === 'cash' && refundedMinor + amountMinor > CASH_REFUND_MINOR ? 'bank-transfer' : tender;
  if (goesBack === 'cash' && shiftId === null) {
    throw new DomainError('value-refused', 'Cash goes out of a shift: name it.');
  }
  return goesBack;
}

/** What was prepaid is owed back once a credit note says so, whatever other payers still owe. */
async function checkAmount(tx: Tx, prepayment: Prepayment, amountMinor: number): Promise<void> {
  const owedBack = await asked<number>(tx, sql`accounting.owed_back(${prepayment.invoiceId})`);
  const limitMinor = Math.min(owedBack, prepayment.amountMinor - prepayment.refundedMinor);
  if (amountMinor <= limitMinor) return;
  throw new DomainError('amount-too-high', 'Less than that is owed back.', { limitMinor });
}

async function record(
  tx: Tx,
  { id: prepaymentId, rentalId, currency }: Prepayment,
  { id, amountMinor, reason, approvalId, shiftId }: PrepaymentRefund,
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

/** Alone within one's limit, else by an approval of exactly this amount (decisions.md 40). */
async function takeFromLimit(
  tx: Tx,
  { rentalId }: Prepayment,
  { branchId }: Rental,
  { actor, approvalId, amountMinor, limitMinor }: PrepaymentRefund,
): Promise<void> {
  if (approvalId !== null) {
    const used = await asked<boolean>(
      tx,
      sql`people.use_refund_approval(${approvalId}, ${rentalId}, ${branchId}, ${amountMinor})`,
    );
    if (used) return;
    throw new DomainError('four-eyes', 'There is no unused approval for refunding this amount.');
  }
  const taken = await asked<boolean>(
    tx,
    sql`people.take_refund(${actor.id}, ${rentalId}, (now() at time zone 'UTC')::date,
      ${amountMinor}, ${limitMinor})`,
  );
  if (taken) return;
  throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
    ...{ kind: 'refund', limit: limitMinor },
  });
}

async function rentalOf(tx: Tx, id: string): Promise<Rental> {
  const { rows } = await sql<Rental>`select branch_id as "branchId"
    from rentals.rental where id = ${id}`.execute(tx);
  if (rows[0] === undefined) throw new DomainError('not-found', 'There is no such rental.');
  return rows[0];
}
