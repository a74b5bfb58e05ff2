// A rental's money: what is held of it, owed back, on its way out, and whose documents a card pays.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Payer } from '../../domain/payments/deposit.ts';
import type { RentalStatus } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';

/** Minor units. */
export type RentalMoney = {
  /** As security deposits, in money. */
  readonly heldMinor: number;
  /** To the customers who were asked for, by credit notes. */
  readonly owedBackMinor: number;
  /** That a gateway was asked to refund, and has not said what became of it. */
  readonly leavingMinor: number;
};

/** In rentals_rw or accounting_rw. Payments of the rental wait until the transaction ends. */
export async function moneyOf(
  tx: Tx,
  rentalId: string,
  customerIds: readonly string[],
): Promise<RentalMoney> {
  const { rows } =
    await sql<RentalMoney>`select accounting.deposit_paid(${rentalId}) as "heldMinor",
      accounting.owed_back(${rentalId}, ${[...customerIds]}::uuid[]) as "owedBackMinor",
      rentals.refunds_under_way(${rentalId}) as "leavingMinor"
    from accounting.lock_money(${rentalId})`.execute(tx);
  return rows[0] as RentalMoney;
}

/** Where it stands; `spareMinor` is what secures it beyond its need, null where it needs nothing. */
export type HeldRental = { readonly status: RentalStatus; readonly spareMinor: number | null };

/** In rentals_rw or accounting_rw: it neither begins nor ends until then. Throws `not-found`. */
export async function holdRental(tx: Tx, rentalId: string): Promise<HeldRental> {
  const { rows } = await sql<HeldRental>`select status, spare_minor as "spareMinor"
    from rentals.hold_rental(${rentalId})`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
}

/**
 * Throws `deposit-required` where so much of what is held would leave a rental under way without the
 * security that it needs; `heldMinor` is what `heldOf` answers.
 */
export function assertSpare(
  { spareMinor }: HeldRental,
  { amountMinor, heldMinor }: { readonly amountMinor: number; readonly heldMinor: number },
): void {
  if (spareMinor === null || Math.min(amountMinor, heldMinor) <= spareMinor) return;
  throw new DomainError('deposit-required', 'The vehicle is out: secure it otherwise first.', {
    spareMinor,
  });
}

/**
 * Throws `damage-open` where it takes of a deposit in money what waits for the end of damage cases.
 * The rental is held by then, so that no case comes in between.
 */
export async function assertNotKept(
  tx: Tx,
  rentalId: string,
  { amountMinor, heldMinor }: { readonly amountMinor: number; readonly heldMinor: number },
): Promise<void> {
  const { rows } = await sql<{ kept: number }>`select
    rentals.kept_for_damage(${rentalId}) as kept`.execute(tx);
  const keptMinor = rows[0]?.kept ?? 0;
  if (Math.min(amountMinor, heldMinor) <= heldMinor - Math.min(keptMinor, heldMinor)) return;
  throw new DomainError('damage-open', 'A damage case is open: end it first.', { keptMinor });
}

/** As a security deposit, in minor units. Locks as `moneyOf` does. */
export async function heldOf(tx: Tx, rentalId: string): Promise<number> {
  const { rows } = await sql<{ held: number }>`select accounting.deposit_paid(${rentalId}) as held
    from accounting.lock_money(${rentalId})`.execute(tx);
  return rows[0]?.held ?? 0;
}

/** A card of this kind of payer, for this rental. */
export type Secured = { readonly rentalId: string; readonly payer: Payer };

/**
 * In rentals_rw: the customers whose documents it pays. Those who have a share as that kind of payer;
 * the renter always with the renter's card, and the rental's payer where no shares were set.
 */
export async function securedBy(tx: Tx, { rentalId, payer }: Secured): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select customer_id as id from rentals.rental where id = ${rentalId} and ${payer} = 'renter'
    union select payer_id from rentals.rental r where id = ${rentalId} and payer_id is not null
      and ${payer} <> 'renter'
      and not exists (select from rentals.payer_split s where s.rental_id = r.id)
    union select payer_id from rentals.payer_share join rentals.payer_split
      using (rental_id, version) where rental_id = ${rentalId} and kind = ${payer}`.execute(tx);
  return rows.map(({ id }) => id);
}

/** What these customers still owe by the rental's documents, in minor units. Locks as `moneyOf`. */
export async function owedBy(
  tx: Tx,
  rentalId: string,
  customerIds: readonly string[],
): Promise<number> {
  const { rows } = await sql<{ owed: number }>`select
    accounting.owed_by(${rentalId}, ${[...customerIds]}::uuid[]) as owed`.execute(tx);
  return rows[0]?.owed ?? 0;
}

/**
 * The same without documents that came after the return, where a hold may not pay them: a damage is
 * a transaction of its own, agreed apart, and so is what stays an invoice (decisions.md 17).
 */
export async function owedInHire(
  tx: Tx,
  rentalId: string,
  customerIds: readonly string[],
): Promise<number> {
  const owedMinor = await owedBy(tx, rentalId, customerIds);
  const { rows } = await sql<{ apart: number }>`select
      coalesce(sum(accounting.open_amount(invoice_id)), 0)::bigint as apart
    from rentals.late_charge where rental_id = ${rentalId}
      and customer_id = any (${[...customerIds]}::uuid[])
      and (source = 'damage' or state = 'invoice')`.execute(tx);
  return owedMinor - (rows[0]?.apart ?? 0);
}

/** Of an entry over receivables: it pays these customers' documents first. */
export async function settlePayers(
  tx: Tx,
  rentalId: string,
  entryId: string,
  customerIds: readonly string[],
): Promise<void> {
  await sql`select accounting.settle_payer(${rentalId}, ${entryId},
    ${[...customerIds]}::uuid[])`.execute(tx);
}

/** Of a refund's entry: it takes these customers' credits back, then what they paid. */
export async function unsettlePayers(
  tx: Tx,
  rentalId: string,
  entryId: string,
  customerIds: readonly string[],
): Promise<void> {
  await sql`select accounting.unsettle_payer(${rentalId}, ${entryId},
    ${[...customerIds]}::uuid[])`.execute(tx);
}
