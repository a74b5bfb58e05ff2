// Facts of accounting: legal entities and invoices, each safe to repeat by its key.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Account, LegalEntity, Posting } from '../../domain/ledger.ts';
import { deductedPostings, type PrepaidLeft } from '../../domain/prepayment.ts';
import type { PriceLine } from '../../domain/pricing/line.ts';
import type { Quote } from '../../domain/pricing.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { named } from './ledger-refusals.ts';

/** Opens an entity's books. Repeating it adds what is missing and changes nothing that is there. */
export function openLegalEntity(
  db: Db,
  principal: string,
  entity: LegalEntity,
  chart: readonly Account[],
): Promise<void> {
  return transact(db, 'accounting_rw', principal, async (tx) => {
    const opened = await sql`insert into accounting.legal_entity
      (id, name, functional_currency, time_zone)
      values (${entity.id}, ${entity.name}, ${entity.functionalCurrency}, ${entity.timeZone})
      on conflict do nothing returning id`.execute(tx);
    await sql`insert into accounting.account
      (entity_id, code, name, type, currency, live_balance)
      select ${entity.id}, a->>'code', a->>'name', a->>'type', a->>'currency',
        (a->>'liveBalance')::boolean
      from jsonb_array_elements(${JSON.stringify(chart)}::jsonb) a
      on conflict do nothing`.execute(tx);
    if (opened.rows.length === 0) return;
    await publish(tx, {
      type: 'forecourt.legal-entity.opened.v1',
      aggregateId: codeAggregate('legal-entity', entity.id),
      sequence: 1,
      data: { entityId: entity.id, functionalCurrency: entity.functionalCurrency },
    });
  });
}

type InvoicedLine = { readonly code: string } & Pick<
  PriceLine,
  'quantity' | 'unitMinor' | 'netMinor' | 'vatRateBp'
>;

/**
 * A rental's final invoice, or what `posting` says; `quote` holds its lines and amounts. Instants are
 * ISO 8601 in UTC.
 */
export type NewInvoice = {
  readonly key: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly rentalId: string;
  readonly customerId: string;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  readonly quote: Pick<Quote, 'currency' | 'vat' | 'netMinor' | 'vatMinor' | 'totalMinor'> & {
    readonly lines: readonly InvoicedLine[];
  };
  /** What was invoiced in advance, and is not to be paid again. */
  readonly prepaid?: readonly PrepaidLeft[];
  /** Whole days from its issue date; left out, the customer's own terms, else none. */
  readonly paymentDays?: number | null | undefined;
  /** Of another document than the final invoice: its reason and its entry. */
  readonly posting?: { readonly source: string; readonly postings: readonly Posting[] };
};

export type IssuedInvoice = {
  readonly invoiceId: string;
  /** For people, gapless within entity, series and year: `INV-2027-000001`. */
  readonly number: string;
  readonly entryId: string;
  /** Local date of the legal entity, `YYYY-MM-DD`. */
  readonly payableBy: string;
};

type Answer = IssuedInvoice & { readonly issueDate: string; readonly created: boolean };

/** The series of final invoices, one for each legal entity and year. */
const SERIES = 'INV';
const FINAL_INVOICE = 'rental.final-invoice';

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
  const { invoiceId, number, entryId, payableBy } = answer;
  if (answer.created) await publishInvoice(tx, invoice, answer);
  return { invoiceId, number, entryId, payableBy };
}

function invoiceRequest({ key, quote, posting, prepaid = [], ...invoice }: NewInvoice): object {
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
    ...(prepaid.length > 0 && { prepayments: prepaid }),
    entry: {
      id: uuidv7(),
      effectiveAt: invoice.serviceTo,
      source: posting?.source ?? FINAL_INVOICE,
      postings: posting?.postings ?? deductedPostings(quote, prepaid),
    },
  };
}

async function publishInvoice(tx: Tx, invoice: NewInvoice, issued: Answer): Promise<void> {
  const { entityId, branchId, rentalId, quote } = invoice;
  const { invoiceId, number, entryId, issueDate } = issued;
  const { netMinor, vatMinor, totalMinor, currency } = quote;
  const amounts = { netMinor, vatMinor, totalMinor, currency };
  const source = invoice.posting?.source ?? FINAL_INVOICE;
  await publish(
    tx,
    {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate: issueDate, source },
    },
    {
      type: 'forecourt.invoice.issued.v1',
      aggregateId: invoiceId,
      sequence: 1,
      data: { invoiceId, number, entityId, branchId, rentalId, entryId, issueDate, ...amounts },
    },
  );
}
