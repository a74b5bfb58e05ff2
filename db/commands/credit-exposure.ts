// Credit limits: what a customer owes and will owe is checked where a booking or change adds to it.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../client.ts';
import { asked } from './calendar.ts';

type Booked = { readonly customer_id: string; readonly payer_id: string | null };

/**
 * Exposure = open documents + what is booked and not yet invoiced − prepayments − valid holds
 * (decisions.md 28); the unbilled part of a hire is in what is booked. Checks of one customer come one
 * after the other, after the rows that they count. Throws `credit-limit` with the figures.
 */
export async function assertCredit(tx: Tx, rental: Booked): Promise<void> {
  const payerId = rental.payer_id ?? rental.customer_id;
  const { rows } = await sql<{ limit: number | null; currency: string }>`
    select credit_limit_minor as limit, credit_currency as currency
    from rentals.customer where id = ${payerId}`.execute(tx);
  const { limit: limitMinor = null, currency = '' } = rows[0] ?? {};
  if (limitMinor === null) return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`credit of ${payerId}`}, 0))`.execute(
    tx,
  );
  const owedMinor = await asked<number>(tx, sql`accounting.exposure_of(${payerId}, ${currency})`);
  const { bookedMinor, heldMinor } = await rentalsOf(tx, payerId, currency);
  const exposureMinor = owedMinor + bookedMinor - heldMinor;
  if (exposureMinor <= limitMinor) return;
  const figures = { limitMinor, exposureMinor, owedMinor, bookedMinor, heldMinor, currency };
  throw new DomainError(
    'credit-limit',
    'It would be more than the customer’s credit: take a prepayment or deposit, or raise the limit.',
    figures,
  );
}

/** Of rentals that are not over, less what cycles charged; and the holds on cards for them. */
async function rentalsOf(tx: Tx, payerId: string, currency: string) {
  const { rows } = await sql<{ bookedMinor: number; heldMinor: number }>`
    select coalesce(sum(r.total_minor - coalesce((select sum(b.total_minor)
          from rentals.billed_cycle b where b.rental_id = r.id), 0)), 0)::bigint as "bookedMinor",
      coalesce(sum((select sum(a.amount_minor) from rentals.authorisation a
        where a.rental_id = r.id and a.state = 'open' and a.replaced_by is null
          and a.valid_until > now())), 0)::bigint as "heldMinor"
    from rentals.rental r
    where (r.payer_id = ${payerId} or (r.payer_id is null and r.customer_id = ${payerId}))
      and r.status in ('requested', 'reserved', 'active') and r.currency = ${currency}`.execute(tx);
  return rows[0] ?? { bookedMinor: 0, heldMinor: 0 };
}
