// Credit limits: what a customer owes and will owe is checked where a booking or change adds to it.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { documentsByPayer, type PayerShare } from '../../domain/payer-share.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { Tx } from '../client.ts';
import { asked } from './calendar.ts';

type Limited = {
  readonly id: string;
  readonly limitMinor: number;
  readonly currency: string;
  /** The customer's own, and those that were merged into it. */
  readonly records: readonly string[];
};

/**
 * Of every payer of the rental. Exposure = open documents + what is booked and not yet invoiced −
 * prepayments − valid holds (decisions.md 28); the unbilled part of a hire is in what is booked, and
 * of several payers each has what that payer's document would be. Checks of one customer come one
 * after the other, after the rows that they count. Throws `credit-limit` with the figures.
 */
export async function assertCredit(tx: Tx, rentalId: string): Promise<void> {
  for (const payer of await limitedPayers(tx, rentalId)) await assertWithin(tx, payer);
}

/** In the order of their ids, so that two rentals of the same payers wait in one order. */
async function limitedPayers(tx: Tx, rentalId: string): Promise<readonly Limited[]> {
  const { rows } = await sql<Limited>`
    with payer as (
      select s.payer_id as id from rentals.payer_split p
        join rentals.payer_share s using (rental_id, version) where p.rental_id = ${rentalId}
      union
      select coalesce(r.payer_id, r.customer_id) from rentals.rental r where r.id = ${rentalId}
        and not exists (select from rentals.payer_split p where p.rental_id = r.id))
    select c.id, c.credit_limit_minor as "limitMinor", c.credit_currency as currency,
      array(select d.id from rentals.customer d
        where d.id = c.id or d.merged_into = c.id)::text[] as records
    from rentals.customer c
    where c.credit_limit_minor is not null
      and c.id in (select coalesce(k.merged_into, k.id) from rentals.customer k
        where k.id in (select id from payer))
    order by c.id`.execute(tx);
  return rows;
}

async function assertWithin(tx: Tx, payer: Limited): Promise<void> {
  const { id, limitMinor, currency } = payer;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`credit of ${id}`}, 0))`.execute(tx);
  const owedMinor = await asked<number>(
    tx,
    sql`accounting.exposure_of(${sql.val(payer.records)}::uuid[], ${currency})`,
  );
  const { bookedMinor, heldMinor } = await bookedFor(tx, payer);
  const exposureMinor = owedMinor + bookedMinor - heldMinor;
  if (exposureMinor <= limitMinor) return;
  const figures = { limitMinor, exposureMinor, owedMinor, bookedMinor, heldMinor, currency };
  throw new DomainError(
    'credit-limit',
    'It would be more than the customer’s credit: take a prepayment or deposit, or raise the limit.',
    figures,
  );
}

type Booked = {
  readonly bookedMinor: number;
  readonly heldMinor: number;
  /** What cycles charged them. */
  readonly billedMinor: number;
  /** Both null where one payer pays all. */
  readonly price: Quote | null;
  readonly shares: readonly PayerShare[] | null;
};

async function bookedFor(tx: Tx, { records, currency }: Limited) {
  const { rows } = await sql<Booked>`select booked_minor as "bookedMinor",
      held_minor as "heldMinor", billed_minor as "billedMinor", price, shares
    from rentals.booked_for(${sql.val(records)}::uuid[], ${currency})`.execute(tx);
  const parts = rows.map(({ bookedMinor, billedMinor, price, shares }) =>
    price === null || shares === null
      ? bookedMinor
      : Math.max(0, partOf(price, shares, records) - billedMinor),
  );
  return {
    bookedMinor: parts.reduce((sum, minor) => sum + minor, 0),
    heldMinor: rows.reduce((sum, { heldMinor }) => sum + heldMinor, 0),
  };
}

function partOf(price: Quote, shares: readonly PayerShare[], records: readonly string[]): number {
  return documentsByPayer(price, shares)
    .filter(({ share }) => records.includes(share.payerId))
    .reduce((sum, { totalMinor }) => sum + totalMinor, 0);
}
