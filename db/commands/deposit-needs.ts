// Deposits that are demanded: before keys go out or a rental becomes longer, and that it is settled at the end.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Minor } from '../../domain/money.ts';
import type { Tx } from '../client.ts';
import { depositNeedOf, type PricedRental } from '../deposit-need.ts';

/**
 * Answers what is needed, for the row. Throws `deposit-required` when less is secured; its detail
 * `holdMinor` is what the card has to hold, `heldMinor` what it holds now.
 */
export async function demandDeposit(tx: Tx, rental: PricedRental): Promise<Minor> {
  const { neededMinor, waivedMinor, heldMinor, paidMinor } = await depositNeedOf(tx, rental);
  if (heldMinor + paidMinor + waivedMinor >= neededMinor) return neededMinor;
  throw new DomainError(
    'deposit-required',
    'The card does not hold enough: authorise a deposit of `holdMinor`, or let a manager waive it.',
    { holdMinor: neededMinor - waivedMinor - paidMinor, heldMinor, waivedMinor, paidMinor },
  );
}

/** Throws `deposit-open`: closed means that holds are released or captured (decisions.md 29). */
export async function demandSettled(tx: Tx, rentalId: string): Promise<void> {
  if (!(await isHeld(tx, rentalId))) return;
  throw new DomainError('deposit-open', 'A card still holds a deposit: capture or release it.');
}

/** Throws `damage-open`: closed means that no damage line is open either. */
export async function demandUndamaged(tx: Tx, rentalId: string): Promise<void> {
  const { rows } = await sql<{ id: string }>`select id from rentals.damage_case
    where rental_id = ${rentalId} and status in ('reported', 'estimated', 'agreed', 'disputed')
    limit 1`.execute(tx);
  const [open] = rows;
  if (open === undefined) return;
  throw new DomainError('damage-open', 'A damage case is open: charge, waive or claim it first.', {
    caseId: open.id,
  });
}

/** True while a hold is open, or asked for. */
export async function isHeld(tx: Tx, rentalId: string): Promise<boolean> {
  const { rows } = await sql`select from rentals.authorisation
    where rental_id = ${rentalId} and purpose <> 'delayed'
      and state in ('pending', 'open') limit 1`.execute(tx);
  return rows.length > 0;
}
