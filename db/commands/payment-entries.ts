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

/** What a capture pays is decided by what its payer owes when it is noted; the rest secures. */
export async function postCapture(
  tx: Tx,
  payer: Payer,
  { amountMinor, ...moved }: Moved,
): Promise<string> {
  const owedMinor = await owedBy(tx, { rentalId: moved.rentalId, payer });
  const postings = capturePostings({ currency: moved.currency, amountMinor, owedMinor });
  const entryId = await postPayment(tx, { ...moved, source: 'payment.capture', postings });
  await sql`select accounting.settle_payer(id, ${entryId}, customer_id, ${payer === 'renter'})
    from rentals.rental where id = ${moved.rentalId}`.execute(tx);
  return entryId;
}

export async function postRefund(tx: Tx, { amountMinor, ...moved }: Moved): Promise<string> {
  const heldMinor = await heldOf(tx, moved.rentalId);
  const postings = refundPostings({ currency: moved.currency, amountMinor, heldMinor });
  return postPayment(tx, { ...moved, source: 'payment.refund', postings });
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
  const owedMinor = await owedByCustomer(tx, rentalId, customerId);
  const postings = forfeitPostings({ currency, heldMinor, owedMinor });
  if (postings.length === 0) return issued;
  const entryId = await postPayment(tx, { ...entry, source: 'payment.forfeit', postings });
  await sql`select accounting.settle_payer(${rentalId}, ${entryId}, ${customerId}, true)`.execute(
    tx,
  );
  return issued;
}

async function owedByCustomer(tx: Tx, rentalId: string, customerId: string): Promise<number> {
  const { rows } = await sql<{ owed: number }>`select
    accounting.owed_by(${rentalId}, ${customerId}, true) as owed`.execute(tx);
  return rows[0]?.owed ?? 0;
}

/** Whose documents a card secures: the renter's, or those of whoever pays beside the renter. */
type Secured = { readonly rentalId: string; readonly payer: Payer };

/** What they still owe, in minor units. Locks as `heldOf` does. */
export async function owedBy(tx: Tx, { rentalId, payer }: Secured): Promise<number> {
  const { rows } = await sql<{ owed: number }>`select
      accounting.owed_by(id, customer_id, ${payer === 'renter'}) as owed
    from rentals.rental where id = ${rentalId}`.execute(tx);
  return rows[0]?.owed ?? 0;
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

/** As a security deposit. Locks the rental's money until the end of the transaction. */
async function heldOf(tx: Tx, rentalId: string): Promise<number> {
  const codes = `{${ACCOUNT.securityDeposits}}`;
  const { rows } = await sql<{ of: Readonly<Record<string, number>> }>`select
    accounting.rental_balances(${await entityOf(tx, rentalId)}, ${rentalId}, ${codes}) as of`.execute(
    tx,
  );
  return -(rows[0]?.of[ACCOUNT.securityDeposits] ?? 0);
}

async function entityOf(tx: Tx, rentalId: string): Promise<string> {
  const { rows } = await sql<{ id: string }>`select entity_id as id from rentals.rental
    where id = ${rentalId}`.execute(tx);
  if (rows[0] !== undefined) return rows[0].id;
  throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
}
