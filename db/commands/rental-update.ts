// The one way to change a rental's row, and the plan version that it was quoted with.
import { sql, type Updateable } from 'kysely';
import { clockOf } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Tank } from '../../domain/rental/usage.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import type { RentalsRental } from '../schema.ts';
import { customerRefusal } from './blocklist.ts';

/** What each command gets: its row, locked, and the transaction's time. */
export type Recording = {
  readonly tx: Tx;
  readonly row: RentalRow;
  readonly at: string;
  readonly commandId: string;
};

/** Locks the row, so that two runs of one command cannot both find it unrecorded. */
export async function lockRental(tx: Tx, id: string): Promise<RentalRow & { readonly at: string }> {
  const row = await tx
    .selectFrom('rentals.rental')
    .selectAll()
    .select(sql<string>`now()`.as('at'))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new DomainError('not-found', 'There is no such rental.');
  return row as unknown as RentalRow & { readonly at: string };
}

/** Answers the next version. Throws `customer-blocked`, which the table refuses. */
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
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      throw customerRefusal(error);
    });
  return version;
}

/**
 * What a running rental is priced by until `until`: the version that was quoted, whatever is valid
 * now, that of the lower class that the renter agreed to, if any, and the clock of the branch where it
 * began; and what fills its vehicle, once it has one.
 */
export async function ratingOf(tx: Tx, row: RentalRow, until: string) {
  const { terms, zone, tank, downgrade } = await tx
    .selectFrom('rentals.rate_plan')
    .select([
      'terms',
      sql<string>`vehicles.zone_of(${row.branch_id})`.as('zone'),
      sql<Tank | null>`vehicles.tank_of(${row.vehicle_id})`.as('tank'),
      sql<RatePlan | null>`(select lower.terms from rentals.rate_plan lower
        where lower.id = ${row.downgrade_plan_id}
          and lower.version = ${row.downgrade_plan_version})`.as('downgrade'),
    ])
    .where('id', '=', row.plan_id)
    .where('version', '=', row.plan_version)
    .executeTakeFirstOrThrow();
  const plan = terms as unknown as RatePlan;
  const clock = clockOf(zone, row.pick_up_at, until);
  const rating = { plan, booked: row.price, downgrade, ...wayOf(row), clock };
  return { rating, zone, tank: tank ?? NO_TANK };
}

/** The plan's newest version that is valid now; the one that was quoted is, so there always is one. */
export async function planOfNow(tx: Tx, planId: string): Promise<RatePlan> {
  const { terms } = await tx
    .selectFrom('rentals.rate_plan')
    .select('terms')
    .where('id', '=', planId)
    .where('valid_from', '<=', sql<string>`now()`)
    .orderBy('valid_from', 'desc')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return terms as unknown as RatePlan;
}

const NO_TANK: Tank = { energy: null, tankLitres: null, batteryKwh: null };

/** A return where it began is no way at all. */
function wayOf({ pick_up_at: pickUpAt, branch_id: branchId, return_branch_id: to }: RentalRow) {
  return { pickUpAt, branchId, ...(to === branchId ? {} : { returnBranchId: to }) };
}
