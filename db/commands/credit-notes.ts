// Credit notes: taking an invoice back as a whole or in part, in whoever's transaction asks for it.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import {
  type Creditable,
  type CreditedLine,
  type CreditNote,
  creditNoteOf,
} from '../../domain/credit-note.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { reverseCommission } from './commissions.ts';
import { named } from './ledger-refusals.ts';

/** The document that is credited, its lock held until the end of the transaction. */
type Preceding = Creditable & {
  readonly id: string;
  readonly number: string;
  readonly kind: number;
  readonly entityId: string;
  readonly branchId: string | null;
  readonly rentalId: string | null;
  readonly customerId: string;
};

export type CreditRequest = {
  /** Built from business ids; the same key is the same credit note for ever. */
  readonly key: string;
  readonly invoiceId: string;
  /** When what it undoes was undone, ISO 8601 in UTC. */
  readonly at: string;
  readonly source?: string;
  /** Net amounts of its lines; left out, all that is left of it. */
  readonly lines?: readonly CreditedLine[] | undefined;
};

export type IssuedCreditNote = {
  readonly creditNoteId: string;
  /** For people, gapless within entity, series and year: `CRN-2027-000001`. */
  readonly number: string;
  readonly entryId: string;
  readonly totalMinor: number;
};

type Answer = {
  readonly invoiceId: string;
  readonly number: string;
  readonly entryId: string;
  readonly issueDate: string;
  readonly created: boolean;
};

/** Of what a new price gives back: the commission on that price tells the rest of the difference. */
const RERATED = 'rental.final-credit';

/** Throws `not-found`, also for an invoice out of scope, and `invalid-state` for a credit note. */
async function precedingOf(tx: Tx, invoiceId: string): Promise<Preceding> {
  const { rows } = await sql<{ document: Preceding | null }>`select
    accounting.creditable(${invoiceId}) as document`.execute(tx);
  const document = rows[0]?.document ?? null;
  if (document === null) {
    throw new DomainError('not-found', 'There is no such invoice.', { of: 'invoice' });
  }
  if (document.kind === 381) {
    throw new DomainError('invalid-state', 'A credit note is not credited: invoice anew.');
  }
  return document;
}

/**
 * In the role rentals_rw or accounting_rw. A repeat of `key` answers the first one. Call it last, as
 * `issueInvoice`. Throws `not-found`, `invalid-state` when nothing is left, `amount-too-high`,
 * `value-refused` and `period-closed`. `admit` may refuse what it would give back.
 */
export async function issueCreditNote(
  tx: Tx,
  asked: CreditRequest,
  admit: (preceding: Preceding, note: CreditNote) => Promise<void> = async () => {},
): Promise<IssuedCreditNote> {
  const preceding = await precedingOf(tx, asked.invoiceId);
  const earlier = await known(tx, asked.key);
  if (earlier !== null) return earlier;
  const note = creditNoteOf(preceding, asked.lines);
  await admit(preceding, note);
  const { key, at, source = 'invoice.credit-note' } = asked;
  const { netMinor, vatMinor, totalMinor, taxes } = note;
  const request = {
    ...{ netMinor, vatMinor, totalMinor, taxes },
    id: uuidv7(),
    idempotencyKey: key,
    precedingId: preceding.id,
    lines: note.lines.map((line) => ({
      ...line,
      descriptionKey: `invoice.line.${line.code}`,
      quantity: 1,
      unitMinor: line.netMinor,
    })),
    entry: { id: uuidv7(), effectiveAt: at, source, postings: note.postings },
  };
  const { rows } = await named(() =>
    sql<{ readonly answer: Answer }>`select
      accounting.issue_credit_note(${JSON.stringify(request)}) as answer`.execute(tx),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('issue_credit_note answered nothing.');
  if (answer.created) {
    await publishNote(tx, { preceding, note, source }, answer);
    await reverseCommission(tx, answer.invoiceId, at, source === RERATED);
  }
  const { invoiceId: creditNoteId, number, entryId } = answer;
  return { creditNoteId, number, entryId, totalMinor };
}

/** As above, of all that is left; null where nothing is, because people credited it before. */
export async function creditRest(
  tx: Tx,
  asked: Omit<CreditRequest, 'lines'>,
): Promise<IssuedCreditNote | null> {
  const { lines } = await precedingOf(tx, asked.invoiceId);
  const isLeft = lines.some(({ leftMinor }) => leftMinor !== 0);
  return isLeft ? issueCreditNote(tx, asked) : null;
}

type Noted = {
  readonly preceding: Preceding;
  readonly note: CreditNote;
  readonly source: string;
};

async function publishNote(
  tx: Tx,
  { preceding, note, source }: Noted,
  { invoiceId: creditNoteId, number, entryId, issueDate }: Answer,
): Promise<void> {
  const { entityId, branchId, rentalId, currency, id: invoiceId } = preceding;
  const { netMinor, vatMinor, totalMinor } = note;
  const document = { creditNoteId, number, invoiceId, entityId, branchId, rentalId, entryId };
  await publish(
    tx,
    {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate: issueDate, source },
    },
    {
      type: 'forecourt.credit-note.issued.v1',
      aggregateId: creditNoteId,
      sequence: 1,
      data: { ...document, issueDate, netMinor, vatMinor, totalMinor, currency },
    },
  );
}

async function known(tx: Tx, key: string): Promise<IssuedCreditNote | null> {
  const { rows } = await sql<{ note: IssuedCreditNote | null }>`select
    accounting.issued_credit_note(${key}) as note`.execute(tx);
  return rows[0]?.note ?? null;
}
