// Until when a rental is kept that nobody picks up: what is prepaid, until its branch closes.
import { sql } from 'kysely';
import { localDate } from '../domain/calendar.ts';
import { keptTillClose } from '../domain/opening-hours.ts';
import type { RentalState } from '../domain/rental.ts';
import { type Acting, type Db, type Tx, transact } from './client.ts';
import { type HoursAt, openingsBetween } from './opening-times.ts';

type Awaited = Pick<RentalState, 'id' | 'branchId' | 'pickUpAt' | 'noShowAt'>;
type Found = {
  readonly prepaid: boolean;
  readonly zone: string;
  readonly hours: HoursAt | null;
};

const UNDECLARED = { weekly: null, exceptions: [], keyDrop: false, outOfHours: null } as const;

/**
 * A prepayment that is left and a voucher both keep it (decisions.md 18), which nobody knows when it
 * is booked: so it is asked for when it counts. For rentals_rw and api_read.
 */
export async function keptUntil(tx: Tx, rental: Awaited): Promise<string> {
  const { id, branchId, pickUpAt, noShowAt } = rental;
  const { rows } = await sql<Found>`select vehicles.zone_of(${branchId}) as zone,
      vehicles.opening_hours_at(${branchId}, ${pickUpAt}) as hours,
      accounting.is_prepaid(${id}) or exists (select from rentals.payer_share s
        join rentals.payer_split p using (rental_id, version)
        where rental_id = ${id} and s.kind = 'voucher') as prepaid`.execute(tx);
  const [found] = rows;
  if (found === undefined || !found.prepaid) return noShowAt;
  const hours = found.hours ?? { ...UNDECLARED, timeZone: found.zone };
  const date = localDate(pickUpAt, hours.timeZone);
  return keptTillClose(openingsBetween(hours, date, date), noShowAt);
}

/** For people who look at it; of anything that is not awaited it is what it was. */
export async function shownNoShow(
  db: Db,
  acting: Acting,
  rental: Awaited & Pick<RentalState, 'status'>,
): Promise<string> {
  if (rental.status !== 'reserved') return rental.noShowAt;
  return transact(db, 'api_read', acting, (tx) => keptUntil(tx, rental));
}
