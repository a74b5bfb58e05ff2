// Prepayments of rentals: taken with a document of their own, deducted by invoices, credited unused.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import {
  checkPrepayable,
  deductionsOf,
  type PrepaidLeft,
  type PrepaymentTender,
  prepaymentPostings,
  prepaymentTaxes,
  sumOf,
  type TaxShare,
} from '../../domain/prepayment.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { PREPAYMENT_COLUMNS, type Prepayment } from '../prepayment-row.ts';
import type { RentalRow } from '../rental-row.ts';
import { recordAudit } from './audit.ts';
import { asked } from './calendar.ts';
import { inDrawer, moveCash } from './cash-entries.ts';
import { issueCreditNote } from './credit-notes.ts';
import { primaryToCome } from './cycle-documents.ts';
import { named } from './ledger-refusals.ts';
import { depositorOf, primaryPayer } from './payer-documents.ts';
import { moneyOf } from './rental-money.ts';

export type NewPrepayment = {
  readonly id: string;
  readonly rentalId: string;
  readonly tender: PrepaymentTender;
  readonly amountMinor: number;
  readonly at: string;
  /** Of cash and of slips of the terminal: where they are. */
  readonly shiftId?: string | undefined;
  readonly terminalBatch?: string | undefined;
  readonly reference?: string | undefined;
};

/** Numbers of prepayment invoices, gapless for each legal entity and year. */
const SERIES = 'PRE';

/**
 * Takes an amount for a rental that is not over, and invoices it (UBL 386). Each one has a document, so
 * that invoices deduct it and credit notes give it back by the same rules. A repeat answers the first.
 * Throws `not-found`, `invalid-state`, `amount-too-high` for more than the rental costs its
 * primary payer or is held as a deposit, `value-refused` for cash without a shift.
 */
export function receivePrepayment(
  db: Db,
  acting: Acting,
  request: NewPrepayment,
): Promise<Prepayment> {
  const work = transact(db, 'rentals_rw', acting, async (tx) => {
    const rental = await openRental(tx, request.rentalId);
    const known = await prepaymentById(tx, request.id);
    if (known !== undefined) return known;
    await checkTender(tx, rental, request);
    const payerId = await primaryPayer(tx, rental);
    if (request.tender === 'deposit' && payerId !== (await depositorOf(tx, rental))) {
      throw new DomainError('invalid-state', 'Its payer prepays, and the deposit is another’s.');
    }
    const taxes = await taxesAhead(tx, rental, payerId, request.amountMinor);
    return recordPrepayment(tx, rental, request, taxes);
  });
  return inDrawer(work);
}

/**
 * The VAT in an amount that is paid in advance. Throws `invalid-state`, `amount-too-high`, and
 * `payment-unsettled` while it is not known whether a card was charged, which would count.
 */
export async function taxesAhead(
  tx: Tx,
  rental: RentalRow,
  payerId: string,
  amountMinor: number,
): Promise<readonly TaxShare[]> {
  const { id, status } = rental;
  checkPrepayable(status);
  const { rows: charges } = await sql`select from rentals.authorisation
    where rental_id = ${id} and purpose = 'prepayment' and state = 'pending'`.execute(tx);
  if (charges.length > 0) {
    const message = 'The gateway has not said yet whether a card was charged: try again then.';
    throw new DomainError('payment-unsettled', message);
  }
  // Nobody pays in advance what documents of cycles charge already.
  const toCome = await primaryToCome(tx, rental);
  return prepaymentTaxes(toCome?.vat ?? [], await prepaidBy(tx, id, payerId), amountMinor);
}

async function checkTender(tx: Tx, row: RentalRow, request: NewPrepayment): Promise<void> {
  const { tender, shiftId, terminalBatch, amountMinor } = request;
  const needsShift = tender === 'cash' || tender === 'card';
  if (
    needsShift !== (shiftId !== undefined) ||
    (tender === 'card') !== (terminalBatch !== undefined)
  ) {
    throw new DomainError('value-refused', 'Cash names its shift, a slip its shift and batch.');
  }
  if (tender !== 'deposit') return;
  const { heldMinor: paidMinor, leavingMinor } = await moneyOf(tx, row.id, []);
  const heldMinor = paidMinor - leavingMinor;
  if (amountMinor <= heldMinor) return;
  throw new DomainError('amount-too-high', 'Less is held of this rental: capture it first.', {
    limitMinor: heldMinor,
  });
}

type Issued = { readonly invoiceId: string; readonly number: string } & {
  readonly entryId: string;
  readonly issueDate: string;
};

/** Its document, row, facts and audit; in the transaction of whatever took the money. */
export async function recordPrepayment(
  tx: Tx,
  row: RentalRow,
  request: NewPrepayment,
  taxes: readonly TaxShare[],
): Promise<Prepayment> {
  const { id, tender, amountMinor } = request;
  const issued = await issue(tx, row, request, taxes);
  const { entryId } = issued;
  const { shiftId = null, terminalBatch = null, reference = null } = request;
  if (tender === 'cash' && shiftId !== null) {
    await moveCash(tx, { shiftId, kind: 'prepayment', amountMinor, entryId });
  }
  const { rows } = await sql<Prepayment>`insert into rentals.prepayment (id, rental_id, tender,
      currency, amount_minor, shift_id, terminal_batch, reference, invoice_id, invoice_number,
      entry_id, authorisation_id)
    values (${id}, ${row.id}, ${tender}, ${row.currency}, ${amountMinor}, ${shiftId},
      ${terminalBatch}, ${reference}, ${issued.invoiceId}, ${issued.number}, ${entryId},
      ${tender === 'gateway' ? id : null})
    returning ${PREPAYMENT_COLUMNS}`.execute(tx);
  await publish(
    tx,
    {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: {
        ...{ entryId, entityId: row.entity_id, postingDate: issued.issueDate },
        source: 'rental.prepayment',
      },
    },
    {
      type: 'forecourt.prepayment.received.v1',
      aggregateId: id,
      sequence: 1,
      data: {
        ...{ prepaymentId: id, rentalId: row.id, branchId: row.branch_id, tender, amountMinor },
        ...{ currency: row.currency, invoiceId: issued.invoiceId, number: issued.number, entryId },
      },
    },
  );
  await recordAudit(tx, {
    ...{ action: 'prepayment.receive', subjectType: 'prepayment', subjectId: id, commandId: id },
    after: { rentalId: row.id, tender, amountMinor },
  });
  return rows[0] as Prepayment;
}

async function issue(
  tx: Tx,
  row: RentalRow,
  { id, tender, at }: NewPrepayment,
  taxes: readonly TaxShare[],
): Promise<Issued> {
  const { baseMinor: netMinor, vatMinor } = sumOf(taxes);
  const { currency } = row;
  const request = {
    ...{ id: uuidv7(), idempotencyKey: `prepayment/${id}`, kind: 386, series: SERIES },
    ...{ entityId: row.entity_id, branchId: row.branch_id, rentalId: row.id, currency },
    customerId: await primaryPayer(tx, row),
    ...{ serviceFrom: row.pick_up_at, serviceTo: row.due_at },
    ...{ netMinor, vatMinor, totalMinor: netMinor + vatMinor, taxes },
    lines: taxes.map(({ rateBp, baseMinor }) => ({
      ...{ code: 'prepayment', descriptionKey: 'invoice.line.prepayment', quantity: 1 },
      ...{ unitMinor: baseMinor, netMinor: baseMinor, vatRateBp: rateBp },
    })),
    entry: {
      ...{ id: uuidv7(), effectiveAt: at, source: 'rental.prepayment' },
      postings: prepaymentPostings({ currency, tender, taxes }),
    },
  };
  return named(() => asked<Issued>(tx, sql`accounting.issue_invoice(${JSON.stringify(request)})`));
}

/** What no invoice deducted yet, oldest first; locked until the end of the transaction. */
export function prepaidLeft(tx: Tx, rentalId: string): Promise<readonly (PrepaidLeft & Prepaid)[]> {
  return asked(tx, sql`accounting.prepaid_left(${rentalId})`);
}

type Prepaid = { readonly customerId: string };

/** By that customer: what others prepaid is none of theirs. */
async function prepaidBy(
  tx: Tx,
  rentalId: string,
  customerId: string,
): Promise<readonly PrepaidLeft[]> {
  const left = await prepaidLeft(tx, rentalId);
  return left
    .filter((one) => one.customerId === customerId)
    .map(({ customerId: _, ...one }) => one);
}

/** What a customer's invoice of a rental deducts; call it before `issueInvoice`, in its transaction. */
export async function deductionFor(
  tx: Tx,
  rentalId: string,
  customerId: string,
  vat: readonly TaxShare[],
): Promise<readonly PrepaidLeft[]> {
  return deductionsOf(vat, await prepaidBy(tx, rentalId, customerId));
}

/** Gives back, to be refunded, what is left of a rental's prepayments (decisions.md 18). */
export async function creditPrepayments(tx: Tx, rentalId: string, at: string): Promise<void> {
  const left = await prepaidLeft(tx, rentalId);
  for (const invoiceId of new Set(left.map(({ prepaymentId }) => prepaymentId))) {
    const key = `rental/${rentalId}/unused-prepayment/${invoiceId}`;
    await issueCreditNote(tx, { key, invoiceId, at, source: 'rental.unused-prepayment' });
  }
}

export async function prepaymentById(tx: Tx, id: string): Promise<Prepayment | undefined> {
  const { rows } = await sql<Prepayment>`select ${PREPAYMENT_COLUMNS} from rentals.prepayment
    where id = ${id} for update`.execute(tx);
  return rows[0];
}

/** Its price stays what it is until the transaction ends. */
export async function openRental(tx: Tx, id: string): Promise<RentalRow> {
  const row = await tx
    .selectFrom('rentals.rental')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such rental.');
  return row as unknown as RentalRow;
}
