// Long rentals billed while they are open: an invoice at the end of each cycle, and the rest at last.
import { sql } from 'kysely';
import { clockOf, localDate } from '../../domain/calendar.ts';
import { deductedPostings } from '../../domain/prepayment.ts';
import type { VatShare } from '../../domain/pricing/vat.ts';
import { cycleEnd, priceUpTo, sharesOf, unbilled } from '../../domain/pricing.ts';
import type { BillingCycle } from '../../domain/rate-plan-terms.ts';
import { lengthOf, payableBy } from '../../domain/rental/billing.ts';
import type { RentalOutcome } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalRow } from '../rental-row.ts';
import { issueInvoice } from './accounting.ts';
import { asked } from './calendar.ts';
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
 * (decisions.md 12), less what was prepaid; nothing where it costs nothing, or a longer cover was paid
 * before. Whatever was billed too much at a rate stays for the last document.
 */
export async function billCycle(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const until = row.cycle_ends_at;
  if (until === null) throw new Error(`Rental ${row.id} has no cycle to bill.`);
  const { rating } = await ratingOf(tx, row, lastOf(until, row.due_at));
  const billed = await billedSoFar(tx, row.id);
  const fees = feesUntil(rating, await segmentsOf(tx, row.id), until);
  const price = priceUpTo({ ...rating, fees, dueAt: row.due_at, until });
  const { charge: rest } = unbilled(price, rating.plan, billed.shares);
  // The books take no document of nothing.
  const charge = rest?.totalMinor ? rest : null;
  const customerId = row.payer_id ?? row.customer_id;
  const prepaid = await deductionFor(tx, row.id, customerId, charge?.vat ?? []);
  const number = billed.cycles + 1;
  const serviceFrom = billed.until ?? row.pick_up_at;
  const invoice =
    charge &&
    (await issueInvoice(tx, {
      key: `rental/${row.id}/cycle/${number}`,
      entityId: row.entity_id,
      branchId: row.branch_id,
      rentalId: row.id,
      customerId,
      serviceFrom,
      serviceTo: until,
      quote: { ...charge, currency: row.currency },
      prepaid,
      posting: {
        source: 'rental.cycle-invoice',
        postings: deductedPostings({ ...charge, currency: row.currency }, prepaid),
      },
    }));
  const due = invoice && payableBy(at, await paymentDaysOf(tx, row), rating.plan.billing);
  await tx
    .insertInto('rentals.billed_cycle')
    .values({
      rental_id: row.id,
      cycle: number,
      service_from: serviceFrom,
      service_to: until,
      tax_point: lastDayOf(until, await zoneOf(tx, row)),
      currency: row.currency,
      vat: JSON.stringify(charge?.vat ?? []),
      total_minor: charge?.totalMinor ?? 0,
      invoice_id: invoice?.invoiceId ?? null,
      invoice_number: invoice?.number ?? null,
      payable_by: due,
    })
    .execute();
  const cycleEndsAt = (await cycleEndOf(tx, row, number + 1)) ?? until;
  const version = await updateRental(recording, { cycle_ends_at: cycleEndsAt });
  await publish(tx, {
    type: 'forecourt.rental.cycle-billed.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: row.status,
      cycle: number,
      serviceFrom,
      serviceTo: until,
      invoiceId: invoice?.invoiceId ?? null,
      totalMinor: charge?.totalMinor ?? 0,
      currency: row.currency,
    },
  });
  return { type: 'cycleBilled', at, version, reassigned: [], cycleEndsAt, payableBy: due };
}

export type Billed = {
  readonly cycles: number;
  /** The end of the last one, ISO 8601 in UTC. */
  readonly until: string | null;
  readonly shares: readonly VatShare[];
  /** The newest first. */
  readonly invoices: readonly { readonly invoiceId: string; readonly number: string }[];
};

export async function billedSoFar(tx: Tx, rentalId: string): Promise<Billed> {
  const rows = await tx
    .selectFrom('rentals.billed_cycle')
    .select(['service_to', 'vat', 'invoice_id', 'invoice_number'])
    .where('rental_id', '=', rentalId)
    .orderBy('cycle', 'desc')
    .execute();
  return {
    cycles: rows.length,
    until: rows[0]?.service_to ?? null,
    shares: sharesOf(rows.map(({ vat }) => vat as unknown as readonly VatShare[])),
    invoices: rows.flatMap(({ invoice_id: invoiceId, invoice_number: number }) =>
      invoiceId === null || number === null ? [] : [{ invoiceId, number }],
    ),
  };
}

/** The customer's own term; null without one. */
async function paymentDaysOf(tx: Tx, row: RentalRow): Promise<number | null> {
  const { days } = await tx
    .selectFrom('rentals.customer')
    .select('payment_terms_days as days')
    .where('id', '=', row.payer_id ?? row.customer_id)
    .executeTakeFirstOrThrow();
  return days;
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
