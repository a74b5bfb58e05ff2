// What a rental's deposit has to be, and what secures it: read with the rights of whoever asks.
import { sql } from 'kysely';
import type { Minor } from '../domain/money.ts';
import { type DepositTerms, depositNeed } from '../domain/payments/deposit-terms.ts';
import type { Quote } from '../domain/pricing.ts';
import type { Tx } from './client.ts';
import type { RentalRow } from './rental-row.ts';

type Facts = {
  readonly terms: DepositTerms | null;
  readonly isOnAccount: boolean;
  readonly securedMinor: Minor;
  readonly heldMinor: Minor;
  readonly paidMinor: Minor;
};

export type PricedRental = Pick<
  RentalRow,
  'id' | 'class_id' | 'customer_id' | 'payer_id' | 'plan_id' | 'plan_version'
> & { readonly price: Pick<Quote, 'totalMinor' | 'chosen'> };

/** By the plan version that was quoted; `waivedMinor` is what a manager let go of it. */
export type DepositNeed = {
  readonly neededMinor: Minor;
  readonly waivedMinor: Minor;
  /** On a card, as long as that hold is valid, and is neither given back nor taken now. */
  readonly heldMinor: Minor;
  /** In cash or by transfer, or captured before. */
  readonly paidMinor: Minor;
};

/** With the caller's rights: in a role that may read rentals. */
export async function depositNeedOf(tx: Tx, rental: PricedRental): Promise<DepositNeed> {
  const { terms, isOnAccount, securedMinor, heldMinor, paidMinor } = await factsOf(tx, rental);
  const { price, class_id: classId } = rental;
  const coverages = price.chosen?.coverages ?? [];
  const toSecure = { classId, totalMinor: price.totalMinor, coverages, isOnAccount };
  const neededMinor = depositNeed(terms ?? undefined, toSecure);
  return { neededMinor, waivedMinor: securedMinor - heldMinor - paidMinor, heldMinor, paidMinor };
}

/** A company with terms of payment has an account: what it owes is secured by its credit. */
async function factsOf(tx: Tx, rental: PricedRental): Promise<Facts> {
  const { rows } = await sql<Facts>`select p.terms -> 'deposit' as terms,
      exists (select from rentals.customer c
        where c.id = ${rental.payer_id ?? rental.customer_id} and c.kind = 'company'
          and c.payment_terms_days is not null) as "isOnAccount",
      rentals.deposit_secured(${rental.id}) as "securedMinor",
      rentals.deposit_secured(${rental.id}) - coalesce((select sum(amount_minor)
        from rentals.deposit_waiver where rental_id = ${rental.id}), 0)::bigint
        - rentals.deposit_left(${rental.id}) as "heldMinor",
      rentals.deposit_left(${rental.id}) as "paidMinor"
    from rentals.rate_plan p where p.id = ${rental.plan_id}
      and p.version = ${rental.plan_version}`.execute(tx);
  if (rows[0] === undefined) throw new Error(`Rental ${rental.id} has no rate plan.`);
  return rows[0];
}
