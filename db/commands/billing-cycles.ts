// Long rentals billed while they are open: invoices at the end of each cycle, and the rest at last.
import { sql } from 'kysely';
import { clockOf, instantAt, localDate } from '../../domain/calendar.ts';
import { dateAfter } from '../../domain/opening-hours.ts';
import type { PayerRest } from '../../domain/payer-cycles.ts';
import { deductedPostings } from '../../domain/prepayment.ts';
import { cycleEnd, priceUpTo, sharesOf } from '../../domain/pricing.ts';
import type { Billing, BillingCycle } from '../../domain/rate-plan-terms.ts';
import { lengthOf, paymentDaysOf } from '../../domain/rental/billing.ts';
import type { RentalOutcome } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalRow } from '../rental-row.ts';
import { issueInvoice } from './accounting.ts';
import { asked } from './calendar.ts';
import { accrueCommission } from './commissions.ts';
import { billedSoFar, type CycleDocument, unbilledOf } from './cycle-documents.ts';
import { deductionFor } from './prepayments.ts';
import { feesUntil, segmentsOf } from './rental-segments.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';

const LONGEST_MONTH_MS = 31 * 86_400_000;

/** Null for a rental without cycles; `number` counts them from 1. */
export async function cycleEndOf(tx: Tx, row: RentalRow, number: number): Promise<string | null> {
  if (row.billing_cycle === null) return null;
  const pickUpAt = row.pick_up_at;
  const until = new Date(Date.parse(pickUpAt) + (number + 1) * LONGEST_MONTH_MS).toISOString();
  const clock = clockOf(await zoneOf(tx, row), pickUpAt, until);
  return cycleEnd({ pickUpAt, clock }, lengthOf(row.billing_cycle as BillingCycle), number);
}

/**
 * Invoices what the rental costs up to the end of its present cycle and was not billed before
 * (decisions.md 12), to each of its payers, less what that one prepaid; nothing where it costs
 * nothing, or a longer cover was paid before. Whatever was billed too much at a rate stays for the
 * last document.
 */
export async function billCycle(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const serviceTo = row.cycle_ends_at;
  if (serviceTo === null) throw new Error(`Rental ${row.id} has no cycle to bill.`);
  const { rating } = await ratingOf(tx, row, lastOf(serviceTo, row.due_at));
  const billed = await billedSoFar(tx, row.id);
  const fees = feesUntil(rating, await segmentsOf(tx, row.id), serviceTo);
  const price = priceUpTo({ ...rating, fees, dueAt: row.due_at, until: serviceTo });
  const { plan } = rating;
  const { rests, shares } = await unbilledOf(tx, row, { price, plan, billed });
  const cycle = billed.cycles + 1;
  const serviceFrom = billed.until ?? row.pick_up_at;
  const zone = await zoneOf(tx, row);
  const documents: IssuedDocument[] = [];
  for (const rest of rests) {
    const share = shares.find(({ payerId }) => payerId === rest.payerId);
    const days = share?.paymentDays ?? (await termsOf(tx, rest.payerId));
    const term = { cycle, serviceFrom, serviceTo, zone, days, billing: plan.billing };
    const isFirst = share?.isPrimary ?? true;
    const document = await issueDocument(tx, row, rest, { ...term, isFirst });
    if (document !== null) documents.push(document);
  }
  await accrueCommission(tx, row, at, price);
  const cycleEndsAt = (await cycleEndOf(tx, row, cycle + 1)) ?? serviceTo;
  const term = { cycle, service_from: serviceFrom, service_to: serviceTo };
  await record(tx, row, { ...term, tax_point: lastDayOf(serviceTo, zone) }, documents);
  const version = await updateRental(recording, { cycle_ends_at: cycleEndsAt });
  await publish(tx, {
    type: 'forecourt.rental.cycle-billed.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      ...{ rentalId: row.id, branchId: row.branch_id, status: row.status },
      ...{ cycle, serviceFrom, serviceTo, currency: row.currency },
      invoiceId: documents[0]?.invoiceId ?? null,
      totalMinor: totalOf(documents),
    },
  });
  const payableBy = documents.map((one) => one.payableBy).toSorted()[0] ?? null;
  return { type: 'cycleBilled', at, version, reassigned: [], cycleEndsAt, payableBy };
}

type IssuedDocument = CycleDocument & {
  readonly totalMinor: number;
  /** The end of its due date. */
  readonly payableBy: string;
};

type Term = {
  readonly cycle: number;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  readonly zone: string;
  /** The payer's own. */
  readonly days: number | null;
  readonly billing: Billing | undefined;
  /** Of the only payer, or the primary one. */
  readonly isFirst: boolean;
};

/** Null for nothing: the books take no document of that. */
async function issueDocument(
  tx: Tx,
  row: RentalRow,
  { payerId, lines, charge }: PayerRest,
  { cycle, zone, days, billing, isFirst, ...service }: Term,
): Promise<IssuedDocument | null> {
  if (charge === null || charge.totalMinor === 0) return null;
  const prepaid = await deductionFor(tx, row.id, payerId, charge.vat);
  const key = `rental/${row.id}/cycle/${cycle}`;
  const quote = { ...charge, currency: row.currency };
  const { invoiceId, number, payableBy } = await issueInvoice(tx, {
    key: isFirst ? key : `${key}/${payerId}`,
    ...{ entityId: row.entity_id, branchId: row.branch_id, rentalId: row.id },
    ...{ customerId: payerId, ...service, quote, prepaid },
    paymentDays: paymentDaysOf(days, billing),
    posting: { source: 'rental.cycle-invoice', postings: deductedPostings(quote, prepaid) },
  });
  const { vat, totalMinor } = charge;
  const end = instantAt(`${dateAfter(payableBy, 1)}T00:00`, zone, 'first');
  return { payerId, lines, vat, totalMinor, invoiceId, number, payableBy: end };
}

type Cycle = {
  readonly cycle: number;
  readonly service_from: string;
  readonly service_to: string;
  readonly tax_point: string;
};

async function record(
  tx: Tx,
  { id: rental_id, currency }: RentalRow,
  term: Cycle,
  documents: readonly IssuedDocument[],
): Promise<void> {
  const [first] = documents;
  await tx
    .insertInto('rentals.billed_cycle')
    .values({
      ...{ rental_id, ...term, currency, total_minor: totalOf(documents) },
      vat: JSON.stringify(sharesOf(documents.map(({ vat }) => vat))),
      invoice_id: first?.invoiceId ?? null,
      invoice_number: first?.number ?? null,
      payable_by: first?.payableBy ?? null,
    })
    .execute();
  for (const { payerId, invoiceId, number, totalMinor, payableBy, ...told } of documents) {
    await tx
      .insertInto('rentals.cycle_document')
      .values({
        ...{ rental_id, cycle: term.cycle, payer_id: payerId, total_minor: totalMinor },
        ...{ invoice_id: invoiceId, invoice_number: number, payable_by: payableBy },
        ...{ lines: JSON.stringify(told.lines), vat: JSON.stringify(told.vat) },
      })
      .execute();
  }
}

function totalOf(documents: readonly { readonly totalMinor: number }[]): number {
  return documents.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
}

/** Within how many days a customer pays; null without terms. */
function termsOf(tx: Tx, customerId: string): Promise<number | null> {
  return asked<number | null>(tx, sql`rentals.payment_days_of(${customerId})`);
}

function zoneOf(tx: Tx, row: RentalRow): Promise<string> {
  return asked<string>(tx, sql`accounting.zone_of(${row.entity_id})`);
}

/** Instants sort as text. */
function lastOf(...instants: readonly [string, ...string[]]): string {
  return instants.toSorted().at(-1) ?? instants[0];
}

/** A cycle that ends at midnight ends on the day before. */
function lastDayOf(until: string, zone: string): string {
  return localDate(new Date(Date.parse(until) - 1).toISOString(), zone);
}
