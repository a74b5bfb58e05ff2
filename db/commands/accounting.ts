// Facts of the ledger: legal entities, entries and invoices, each safe to repeat by its key.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError, type DomainErrorCode } from '../../domain/errors.ts';
import {
  type Account,
  balanced,
  finalInvoicePostings,
  type LegalEntity,
  type NewEntry,
} from '../../domain/ledger.ts';
import type { Quote } from '../../domain/pricing.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { callInOneTrip, type PreparedCall } from '../one-trip.ts';
import { outboxRow, publish } from '../outbox.ts';
import { wakeRelay } from '../wake.ts';

/** Opens an entity's books. Repeating it adds what is missing and changes nothing that is there. */
export function openLegalEntity(
  db: Db,
  principal: string,
  entity: LegalEntity,
  chart: readonly Account[],
): Promise<void> {
  return transact(db, 'accounting_rw', principal, async (tx) => {
    await sql`insert into accounting.legal_entity (id, name, functional_currency, time_zone)
      values (${entity.id}, ${entity.name}, ${entity.functionalCurrency}, ${entity.timeZone})
      on conflict do nothing`.execute(tx);
    await sql`insert into accounting.account
      (entity_id, code, name, type, currency, live_balance)
      select ${entity.id}, a->>'code', a->>'name', a->>'type', a->>'currency',
        (a->>'liveBalance')::boolean
      from jsonb_array_elements(${JSON.stringify(chart)}::jsonb) a
      on conflict do nothing`.execute(tx);
  });
}

/**
 * Posts an entry with its event in one round trip. A repeat answers the first one's id and
 * publishes nothing. Throws `unbalanced`, `period-closed`, `idempotency-key-reused`,
 * `currency-mismatch`, or `not-found` for an unknown legal entity or account.
 */
export async function postEntry(db: Db, principal: string, entry: NewEntry): Promise<string> {
  balanced(entry.postings);
  const id = uuidv7();
  const event = outboxRow({
    type: 'forecourt.entry.posted.v1',
    aggregateId: id,
    sequence: 1,
    data: {
      entryId: id,
      entityId: entry.entityId,
      postingDate: entry.postingDate ?? '', // the database fills in the day that it chose
      source: entry.source,
    },
  });
  const { postings } = entry;
  return named(async () => {
    const answer = await callInOneTrip(db, principal, POST_ENTRY, [
      id,
      entry.entityId,
      entry.postingDate ?? null,
      entry.effectiveAt,
      entry.idempotencyKey,
      entry.source,
      entry.rentalId ?? null,
      entry.reverses ?? null,
      entry.intercompanyId ?? null,
      postings.map((posting) => posting.account),
      postings.map((posting) => posting.currency),
      postings.map((posting) => posting.amountMinor),
      postings.map((posting) => posting.baseMinor),
      event.event_id,
      event.topic,
      event.type,
      event.event,
    ]);
    wakeRelay(db);
    return answer ?? id;
  });
}

const TYPES = `uuid text date timestamptz text text uuid uuid uuid text[] text[] bigint[] bigint[]
  uuid text text text`.split(/\s+/);

/** The ledger's function in migration 0009. */
const POST_ENTRY: PreparedCall = {
  role: 'accounting_rw',
  name: 'post_entry',
  types: TYPES,
  text: `select accounting.post_entry(${TYPES.map((_, index) => `$${index + 1}`)}) as answer`,
};

/** A rental's final invoice; `quote` holds its lines and amounts. Instants are ISO 8601 in UTC. */
export type NewInvoice = {
  readonly key: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly rentalId: string;
  readonly customerId: string;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  readonly quote: Pick<
    Quote,
    'currency' | 'lines' | 'vat' | 'netMinor' | 'vatMinor' | 'totalMinor'
  >;
};

export type IssuedInvoice = {
  readonly invoiceId: string;
  /** For people, gapless within entity, series and year: `INV-2027-000001`. */
  readonly number: string;
  readonly entryId: string;
};

type Answer = IssuedInvoice & { readonly issueDate: string; readonly created: boolean };

/** The series of final invoices, one for each legal entity and year. */
const SERIES = 'INV';

/**
 * Issues the invoice, posts it to receivables and publishes both facts, within the caller's
 * transaction of any domain that may. Call it last: its number makes the entity's other invoices
 * wait until that transaction ends. A repeat of `key` answers the same invoice. Throws like
 * `postEntry`.
 */
export async function issueInvoice(tx: Tx, invoice: NewInvoice): Promise<IssuedInvoice> {
  const request = invoiceRequest(invoice);
  const { rows } = await named(() =>
    sql<{ readonly answer: Answer }>`select
      accounting.issue_invoice(${JSON.stringify(request)}) as answer`.execute(tx),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('issue_invoice answered nothing.');
  const { invoiceId, number, entryId } = answer;
  if (answer.created) await publishInvoice(tx, invoice, answer);
  return { invoiceId, number, entryId };
}

function invoiceRequest({ key, quote, ...invoice }: NewInvoice): object {
  return {
    ...invoice,
    id: uuidv7(),
    idempotencyKey: key,
    series: SERIES,
    currency: quote.currency,
    netMinor: quote.netMinor,
    vatMinor: quote.vatMinor,
    totalMinor: quote.totalMinor,
    lines: quote.lines.map((line) => ({
      code: line.code,
      descriptionKey: `invoice.line.${line.code}`,
      quantity: line.quantity,
      unitMinor: line.unitMinor,
      netMinor: line.netMinor,
      vatRateBp: line.vatRateBp,
    })),
    taxes: quote.vat,
    entry: {
      id: uuidv7(),
      effectiveAt: invoice.serviceTo,
      source: 'rental.final-invoice',
      postings: finalInvoicePostings(quote),
    },
  };
}

async function publishInvoice(tx: Tx, invoice: NewInvoice, issued: Answer): Promise<void> {
  const { entityId, branchId, rentalId, quote } = invoice;
  const { invoiceId, number, entryId, issueDate } = issued;
  const { netMinor, vatMinor, totalMinor, currency } = quote;
  const amounts = { netMinor, vatMinor, totalMinor, currency };
  await publish(
    tx,
    {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate: issueDate, source: 'rental.final-invoice' },
    },
    {
      type: 'forecourt.invoice.issued.v1',
      aggregateId: invoiceId,
      sequence: 1,
      data: { invoiceId, number, entityId, branchId, rentalId, entryId, issueDate, ...amounts },
    },
  );
}

/** The ledger's own SQLSTATEs (migration 0008). */
const REFUSALS: Readonly<Record<string, DomainErrorCode>> = {
  FC001: 'unbalanced',
  FC002: 'period-closed',
  FC003: 'idempotency-key-reused',
  FC004: 'not-found',
  FC005: 'currency-mismatch',
};

/** Turns the database's refusals into ours; anything else is passed on. */
async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, column, message } = error as Partial<Record<string, string>>;
    const refusal = REFUSALS[code ?? ''];
    if (refusal !== undefined) throw new DomainError(refusal, message ?? refusal);
    if (code === '23502' && column === 'account_id') {
      throw new DomainError('not-found', 'An account of this entry does not exist.');
    }
    throw error;
  }
}
