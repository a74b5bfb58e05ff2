// Payments in the books: each is posted in the transaction of its own row, once for its key.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError, type DomainErrorCode } from '../../domain/errors.ts';
import { ACCOUNT, type Posting } from '../../domain/ledger.ts';
import type { Payer } from '../../domain/payments/deposit.ts';
import {
  capturePostings,
  forfeitPostings,
  refundPostings,
} from '../../domain/payments/postings.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { named } from './ledger-refusals.ts';
import { heldOf, owedBy, securedBy, settlePayers, unsettlePayers } from './rental-money.ts';

export type PaymentEntry = {
  /** Of the payment; the same key is the same entry for ever. */
  readonly key: string;
  readonly rentalId: string;
  readonly currency: string;
  readonly source:
    | 'payment.capture'
    | 'payment.refund'
    | 'payment.refund-failed'
    | 'payment.forfeit'
    | 'payment.chargeback'
    | 'payment.chargeback-won'
    | 'payment.chargeback-lost';
  /** When it happened; left out, now. */
  readonly at?: string;
} & (
  | { readonly postings: readonly Posting[] }
  /** Undoes this one, leg by leg. */
  | { readonly reverses: string }
);

/** What payments and disputes over them may need. */
const NEEDED: readonly string[] = [
  ACCOUNT.pspClearing,
  ACCOUNT.receivables,
  ACCOUNT.disputedReceivables,
  ACCOUNT.securityDeposits,
  ACCOUNT.paymentFees,
  ACCOUNT.badDebt,
];

type Answer = { readonly entryId: string; readonly postingDate: string; readonly created: boolean };

/**
 * In the role rentals_rw. Answers the entry's id. Throws `currency-mismatch`, and `not-found` for
 * books without these accounts: `checkBooks` says so before a gateway is asked.
 */
export async function postPayment(tx: Tx, entry: PaymentEntry): Promise<string> {
  const { at: effectiveAt = new Date().toISOString(), ...asked } = entry;
  const { rentalId, source } = asked;
  const entityId = await entityOf(tx, rentalId);
  const request = { ...asked, id: uuidv7(), entityId, effectiveAt };
  const { rows } = await named(() =>
    sql<{ readonly answer: Answer }>`select
      accounting.post_payment(${JSON.stringify(request)}) as answer`.execute(tx),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('post_payment answered nothing.');
  const { entryId, postingDate, created } = answer;
  if (created) {
    if ('reverses' in asked) {
      await sql`select accounting.undo_refund(${rentalId}, ${entryId}, ${asked.reverses})`.execute(
        tx,
      );
    }
    await publish(tx, {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate, source },
    });
  }
  return entryId;
}

type Moved = {
  readonly key: string;
  readonly rentalId: string;
  readonly currency: string;
  readonly amountMinor: number;
};

/**
 * What a capture pays is decided by what its payer owes when it is noted; the rest secures. Answers
 * the entry's id.
 */
export async function postCapture(
  tx: Tx,
  payer: Payer,
  { amountMinor, ...moved }: Moved,
): Promise<string> {
  const { rentalId, currency } = moved;
  const customerIds = await securedBy(tx, { rentalId, payer });
  const owedMinor = await owedBy(tx, rentalId, customerIds);
  const postings = capturePostings({ currency, amountMinor, owedMinor });
  const entryId = await postPayment(tx, { ...moved, source: 'payment.capture', postings });
  await settlePayers(tx, rentalId, entryId, customerIds);
  return entryId;
}

/** Out of what is held, then out of what the payer of that card was credited or has paid. */
export async function postRefund(
  tx: Tx,
  payer: Payer,
  { amountMinor, ...moved }: Moved,
): Promise<string> {
  const { rentalId, currency } = moved;
  const heldMinor = await heldOf(tx, rentalId);
  const postings = refundPostings({ currency, amountMinor, heldMinor });
  const entryId = await postPayment(tx, { ...moved, source: 'payment.refund', postings });
  await unsettlePayers(tx, rentalId, entryId, await securedBy(tx, { rentalId, payer }));
  return entryId;
}

/**
 * Issues documents, and pays what `customerId` owes then, and nobody else, out of what is held as a
 * security deposit, as far as that goes; nothing where nothing is held. Before any number is taken
 * captures of the rental wait, so that they see the documents.
 */
export async function forfeitDeposit<Issued>(
  tx: Tx,
  document: {
    readonly key: string;
    readonly rentalId: string;
    readonly currency: string;
    readonly at: string;
    readonly customerId: string;
  },
  issue: () => Promise<Issued>,
): Promise<Issued> {
  const { customerId, ...entry } = document;
  const { rentalId, currency } = entry;
  const heldMinor = await heldOf(tx, rentalId);
  const issued = await issue();
  if (heldMinor <= 0) return issued;
  const owedMinor = await owedBy(tx, rentalId, [customerId]);
  const postings = forfeitPostings({ currency, heldMinor, owedMinor });
  if (postings.length === 0) return issued;
  const entryId = await postPayment(tx, { ...entry, source: 'payment.forfeit', postings });
  await settlePayers(tx, rentalId, entryId, [customerId]);
  return issued;
}

/** Throws `currency-mismatch` or `not-found` when payments of this rental could not be posted. */
export async function checkBooks(tx: Tx, rentalId: string, currency: string): Promise<void> {
  const codes = `{${NEEDED.join(',')}}`;
  const { rows } = await sql<{ fault: DomainErrorCode | null }>`select
    accounting.payment_fault(${await entityOf(tx, rentalId)}, ${currency}, ${codes}) as fault`.execute(
    tx,
  );
  const fault = rows[0]?.fault ?? null;
  if (fault === null) return;
  throw new DomainError(fault, 'The legal entity’s books cannot take this payment.', { currency });
}

async function entityOf(tx: Tx, rentalId: string): Promise<string> {
  const { rows } = await sql<{ id: string }>`select entity_id as id from rentals.rental
    where id = ${rentalId}`.execute(tx);
  if (rows[0] !== undefined) return rows[0].id;
  throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
}
