// Late charges that wait for too long: whoever should have been told of them is told again.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

export type WaitingCharge = { readonly rentalId: string; readonly invoiceId: string };

/** The rest comes with the next round. */
const MOST = 500;

/**
 * Documents that a card was to be asked for more than an hour ago, and of which nothing became: the
 * signal was lost, or the run that had it. Oldest first.
 */
function waitingCharges(db: Db): Promise<readonly WaitingCharge[]> {
  return transact(db, 'rentals_rw', 'system:upkeep', async (tx) => {
    const { rows } = await sql<WaitingCharge>`select rental_id as "rentalId",
        invoice_id as "invoiceId"
      from rentals.late_charge where state in ('asked', 'charging')
        and asked_at < now() - interval '1 hour' order by asked_at, id limit ${MOST}`.execute(tx);
    return rows;
  });
}

/** Run it regularly: the rows know what was charged. Answers how many were told again. */
export async function tellWaitingCharges(
  db: Db,
  tell: (charge: WaitingCharge) => Promise<void>,
): Promise<number> {
  const waiting = await waitingCharges(db);
  for (const charge of waiting) await tell(charge);
  return waiting.length;
}
