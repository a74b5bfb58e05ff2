// Settling tolls and fines: the late invoice, and the letter that names the driver, in one transaction.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { lateInvoicePostings } from '../../domain/late-invoice.ts';
import { refuseUnless } from '../../domain/violation.ts';
import {
  type LateCharge,
  lateChargeOf,
  lateDocumentOf,
  type Settlement,
  type TollTreatment,
  type ViolationTerms,
} from '../../domain/violation-charge.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { Envelope } from '../envelope.ts';
import { publish } from '../outbox.ts';
import { issueInvoice } from './accounting.ts';
import { recordAudit } from './audit.ts';
import { askLateCharge } from './late-charges.ts';
import { forfeitDeposit } from './payment-entries.ts';
import { type LetteredRental, nominate, nominated } from './violation-letters.ts';
import {
  lockViolation,
  receivedFact,
  statusOf,
  subjectOf,
  type ViolationRow,
} from './violations.ts';

type Settling = {
  readonly id: string;
  readonly settlement: Settlement;
  /** Who drove, for a nomination; left out, the only person who may have. */
  readonly driverId?: string | undefined;
};

/**
 * A matched violation is charged for, once: its late invoice has the key of the violation. Repeats
 * answer the first. Undefined when there is none. Throws `invalid-state` unless it is matched, or
 * when its entity has no terms; `value-refused` for a toll with a nomination, `currency-mismatch`,
 * and what `nominate` and `issueInvoice` throw.
 */
export function settleViolation(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  { id, settlement, driverId }: Settling,
): Promise<ViolationRow | undefined> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await lockViolation(tx, id);
    if (row === undefined || (await isDone(tx, row, settlement, driverId))) return row;
    refuseUnless(statusOf(row), ['matched'], 'settled');
    const { terms, sender } = await termsOf(tx, row);
    const kind = row.kind as 'toll' | 'fine';
    const owed = { kind, amountMinor: row.amount_minor, currency: row.currency };
    const charge = lateChargeOf(owed, settlement, terms);
    const rental = await rentalOf(tx, row);
    const letter =
      settlement === 'nominate'
        ? await nominate(tx, envelope, row, { rental, sender, driverId })
        : null;
    // Last but for the rows that name it: its number keeps the whole series waiting.
    const invoice = await invoiceFor(tx, row, charge);
    return settleRow(tx, row, { settlement, charge, letter, invoice });
  });
}

/** The same again; of another driver it is not. */
async function isDone(
  tx: Tx,
  row: ViolationRow,
  settlement: Settlement,
  driverId: string | undefined,
): Promise<boolean> {
  if (row.settlement !== settlement) return false;
  return driverId === undefined || (await nominated(tx, row.id)) === driverId;
}

async function rentalOf(tx: Tx, row: ViolationRow): Promise<LetteredRental> {
  const { rows } = await sql<LetteredRental>`
    select number, checked_out_at as "outAt", checked_in_at as "inAt"
    from rentals.rental where id = ${row.rental_id}`.execute(tx);
  if (rows[0] === undefined) throw new Error(`The rental of violation ${row.id} is gone.`);
  return rows[0];
}

async function termsOf(
  tx: Tx,
  row: ViolationRow,
): Promise<{ readonly terms: ViolationTerms; readonly sender: string }> {
  const terms = await tx
    .selectFrom('rentals.violation_terms')
    .selectAll()
    .where('entity_id', '=', row.entity_id)
    .executeTakeFirst();
  if (terms === undefined) {
    throw new DomainError('invalid-state', 'Set the terms of this legal entity first.', {
      entityId: row.entity_id,
    });
  }
  return {
    sender: terms.sender,
    terms: {
      currency: terms.currency,
      fineFeeMinor: terms.fine_fee_minor,
      tollFeeMinor: terms.toll_fee_minor,
      vatRateBp: terms.vat_rate_bp,
      tollTreatment: terms.toll_treatment as TollTreatment,
      cardWindowDays: terms.card_window_days,
    },
  };
}

type Invoice = { readonly invoiceId: string; readonly number: string };

/** Paid out of a deposit that is held. Null when there is nothing to pay. */
async function invoiceFor(tx: Tx, row: ViolationRow, charge: LateCharge): Promise<Invoice | null> {
  const document = lateDocumentOf(charge);
  if (document.totalMinor === 0) return null;
  const { rental_id: rentalId, customer_id: customerId } = row;
  const { branch_id: branchId, entity_id: entityId } = row;
  if (rentalId === null || customerId === null || branchId === null || entityId === null) {
    throw new Error(`Violation ${row.id} is matched to nothing.`);
  }
  const key = `violation/${row.id}/late-invoice`;
  const { currency } = document;
  const at = new Date().toISOString();
  const deposit = { key: `${key}/deposit`, rentalId, currency, at, customerId };
  return forfeitDeposit(tx, deposit, () =>
    issueInvoice(tx, {
      key,
      entityId,
      branchId,
      rentalId,
      customerId,
      serviceFrom: row.at,
      serviceTo: row.at,
      quote: document,
      posting: { source: 'violation.late-invoice', postings: lateInvoicePostings(charge) },
    }),
  );
}

type Settled = {
  readonly settlement: Settlement;
  readonly charge: LateCharge;
  readonly letter: string | null;
  readonly invoice: Invoice | null;
};

/** By the renter's card where that was agreed; what happens there is the late charge's own row. */
function collectedBy(tx: Tx, row: ViolationRow, { invoiceId }: Invoice) {
  const { rental_id: rentalId, customer_id: customerId } = row;
  const { branch_id: branchId, entity_id: entityId } = row;
  if (rentalId === null || customerId === null || branchId === null || entityId === null) {
    throw new Error(`Violation ${row.id} is matched to nothing.`);
  }
  const source = { source: 'violation', sourceId: row.id } as const;
  const { currency } = row;
  const document = { invoiceId, rentalId, customerId, branchId, entityId, currency, ...source };
  return askLateCharge(tx, document);
}

async function settleRow(tx: Tx, row: ViolationRow, settled: Settled): Promise<ViolationRow> {
  const { settlement, charge, letter, invoice } = settled;
  const { passedOnMinor, tollMinor, feeMinor, vatMinor } = charge;
  const invoiceId = invoice?.invoiceId ?? null;
  const collectBy = invoice && (await collectedBy(tx, row, invoice));
  const { rows } = await sql<ViolationRow>`update rentals.violation set status = 'settled',
      settlement = ${settlement}, passed_on_minor = ${passedOnMinor}, toll_minor = ${tollMinor},
      fee_minor = ${feeMinor}, vat_minor = ${vatMinor}, invoice_id = ${invoiceId},
      invoice_number = ${invoice?.number ?? null}, collect_by = ${collectBy},
      letter_sha256 = ${letter}, settled_at = now(), version = version + 1
    where id = ${row.id} returning *`.execute(tx);
  const done = rows[0] as ViolationRow;
  const fact = receivedFact(done);
  const amounts = { passedOnMinor, tollMinor, feeMinor, vatMinor };
  await publish(tx, {
    ...fact,
    type: 'forecourt.violation.settled.v1',
    data: { ...fact.data, settlement, ...amounts, invoiceId, collectBy },
  });
  const after = { settlement, ...amounts, invoiceId };
  await recordAudit(tx, { action: 'violation.settle', ...subjectOf(row), after });
  return done;
}
