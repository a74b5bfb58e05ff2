// Slips of card terminals, counted by batch with their shift, beside what is booked.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../client.ts';

/** Slips of one batch of a card terminal. */
export type SlipCount = {
  readonly batch: string;
  readonly slips: number;
  readonly amountMinor: number;
};

/**
 * Once a shift. Each batch that is booked is counted, if with no slips. Throws `value-refused` with
 * those that are not: their names alone are told, so that the count stays blind.
 */
export async function countSlips(
  tx: Tx,
  shiftId: string,
  terminals: readonly SlipCount[],
): Promise<void> {
  const counted = terminals.map(({ batch }) => batch);
  const { rows: batches } = await sql<{ batch: string }>`select batch from (${bookedOf(shiftId)}) b
    where batch <> all (${counted}::text[]) order by batch`.execute(tx);
  if (batches.length > 0) {
    throw new DomainError('value-refused', 'Count the slips of these batches too.', { batches });
  }
  await sql`insert into accounting.terminal_count (shift_id, batch, slips, amount_minor,
      booked_slips, booked_minor)
    select ${shiftId}, c.batch, c.slips, c."amountMinor", coalesce(b.slips, 0),
      coalesce(b.amount, 0)
    from jsonb_to_recordset(${JSON.stringify(terminals)}::jsonb)
      c (batch text, slips int, "amountMinor" bigint)
    left join (${bookedOf(shiftId)}) b on b.batch = c.batch`.execute(tx);
}

/** By batch, slips and amount. */
function bookedOf(shiftId: string) {
  return sql`select batch, sum(slips) as slips, sum(amount) as amount from (
      select terminal_batch as batch, 1 as slips, amount_minor as amount
      from accounting.payment where shift_id = ${shiftId} and tender = 'card'
      union all select * from rentals.card_slips(${shiftId})) taken group by 1`;
}
