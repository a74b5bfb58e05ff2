// The one way to change a rental's row, and the plan version that it was quoted with.
import { sql, type Updateable } from 'kysely';
import { clockOf } from '../../domain/calendar.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import type { RentalsRental } from '../schema.ts';

/** What each command gets: its row, locked, and the transaction's time. */
export type Recording = {
  readonly tx: Tx;
  readonly row: RentalRow;
  readonly at: string;
  readonly commandId: string;
};

/** Changes the row of the recording's version and answers the next version. */
export async function updateRental(
  { tx, row }: Recording,
  change: Updateable<RentalsRental>,
): Promise<number> {
  const { version } = await tx
    .updateTable('rentals.rental')
    .set({ ...change, version: row.version + 1, updated_at: sql<string>`now()` })
    .where('id', '=', row.id)
    .where('version', '=', row.version)
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}

/**
 * What a running rental is priced by until `until`: the version that was quoted, whatever is valid
 * now, and the clock of the branch where it began.
 */
export async function ratingOf(tx: Tx, row: RentalRow, until: string) {
  const { terms, zone } = await tx
    .selectFrom('rentals.rate_plan')
    .select(['terms', sql<string>`vehicles.zone_of(${row.branch_id})`.as('zone')])
    .where('id', '=', row.plan_id)
    .where('version', '=', row.plan_version)
    .executeTakeFirstOrThrow();
  const { pick_up_at: pickUpAt } = row;
  const plan = terms as unknown as RatePlan;
  return { plan, booked: row.price, pickUpAt, clock: clockOf(zone, pickUpAt, until) };
}
