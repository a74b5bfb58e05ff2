// What the cycles of a rental charged each payer, and what is still to be charged of its price.
import { sql } from 'kysely';
import {
  type CycleLine,
  cycleLines,
  documentsOfRests,
  type PayerRest,
  restsByPayer,
  solePayer,
} from '../../domain/payer-cycles.ts';
import { beyondVouchers, type PayerShare } from '../../domain/payer-share.ts';
import type { VatShare } from '../../domain/pricing/vat.ts';
import { type Quote, sharesOf, unbilled } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { payerSharesOf, primaryCharge, primaryPayer } from './payer-documents.ts';
import { ratingOf } from './rental-update.ts';

export type CycleDocument = {
  readonly payerId: string;
  readonly lines: readonly CycleLine[];
  readonly vat: readonly VatShare[];
  readonly invoiceId: string;
  readonly number: string;
};

export type Billed = {
  readonly cycles: number;
  /** The end of the last one, ISO 8601 in UTC. */
  readonly until: string | null;
  /** What all documents charge, by rate. */
  readonly shares: readonly VatShare[];
  /** The newest cycle first, and of each the primary payer's. */
  readonly documents: readonly CycleDocument[];
};

export async function billedSoFar(tx: Tx, rentalId: string): Promise<Billed> {
  const { rows } = await sql<{ cycles: number; until: string | null }>`
    select count(*)::int as cycles, max(service_to) as until
    from rentals.billed_cycle where rental_id = ${rentalId}`.execute(tx);
  const { rows: documents } = await sql<CycleDocument>`
    select payer_id as "payerId", lines, vat, invoice_id as "invoiceId", invoice_number as number
    from rentals.cycle_document where rental_id = ${rentalId}
    order by cycle desc, invoice_id`.execute(tx);
  const { cycles = 0, until = null } = rows[0] ?? {};
  return { cycles, until, documents, shares: sharesOf(documents.map(({ vat }) => vat)) };
}

/** What documents to come charge the primary payer of a rental as it is priced now. */
export async function primaryToCome(
  tx: Tx,
  row: RentalRow,
): Promise<Awaited<ReturnType<typeof primaryCharge>>> {
  const billed = await billedSoFar(tx, row.id);
  if (billed.cycles === 0) return primaryCharge(tx, row.id, row.price);
  const { rating } = await ratingOf(tx, row, row.due_at);
  const { rests } = await unbilledOf(tx, row, { price: row.price, plan: rating.plan, billed });
  const primary = await primaryPayer(tx, row);
  return rests.find(({ payerId }) => payerId === primary)?.charge ?? null;
}

export type Unbilled = {
  readonly shares: readonly PayerShare[];
  readonly rests: readonly PayerRest[];
};

/**
 * Of that price, by payer, the primary first. A payer who pays all is shown the whole price less
 * what was billed; of several, each only what is new.
 */
export async function unbilledOf(
  tx: Tx,
  row: Pick<RentalRow, 'id' | 'payer_id' | 'customer_id'>,
  { price, plan, billed }: { price: Quote; plan: RatePlan; billed: Billed },
): Promise<Unbilled> {
  const shares = await payerSharesOf(tx, row.id);
  const isSplit = shares.length > 0;
  const sole = solePayer(row.payer_id ?? row.customer_id);
  const before = billed.documents.flatMap(({ payerId, lines }) =>
    lines.map((line) => ({ ...line, payerId: isSplit ? payerId : sole.payerId })),
  );
  const payers = isSplit ? shares : [sole];
  const lines = cycleLines(beyondVouchers(price.lines, payers));
  const rests = documentsOfRests(restsByPayer(lines, before, payers), plan);
  if (!isSplit) return { shares, rests: wholly(rests, unbilled(price, plan, billed.shares)) };
  const primary = shares.find(({ isPrimary }) => isPrimary)?.payerId;
  const first = (one: PayerRest) => Number(one.payerId === primary);
  return { shares, rests: rests.toSorted((a, b) => first(b) - first(a)) };
}

function wholly(rests: readonly PayerRest[], whole: ReturnType<typeof unbilled>) {
  return rests.map((rest) => ({ ...rest, ...whole }));
}
