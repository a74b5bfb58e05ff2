// Long rentals that are billed while they are open, on a clock that tests move by hand.
import { sql } from 'kysely';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { hoursFromNow } from './fleet.ts';
import { backOf, OUT } from './rental-desk.ts';
import { type MoneyDesk, moneyDesk } from './rental-money.ts';

const DAY_MS = 24 * 3_600_000;

export type BillingDesk = {
  readonly desk: MoneyDesk;
  /** Handed out now for so many days, in cycles of 30 unless told otherwise. */
  readonly outFor: (days: number, more?: Partial<RentalRequest>) => Promise<RentalState>;
  /** So many days and minutes pass: all that is known of the rental lies that much further back. */
  readonly later: (rental: RentalState, days: number, minutes?: number) => Promise<RentalState>;
  readonly bill: (rental: RentalState) => Promise<RentalState>;
  /** At its branch, with nothing driven or used. */
  readonly back: (rental: RentalState) => Promise<RentalState>;
  /** Net, VAT and kind of its documents, in the order of issue. */
  readonly amountsOf: (rental: RentalState) => Promise<readonly (readonly number[])[]>;
};

export const onDay = ({ pickUpAt }: RentalState, days: number) =>
  new Date(Date.parse(pickUpAt) + days * DAY_MS).toISOString();

/** Call it in `beforeAll`. */
export async function billingDesk(t: TestDatabase): Promise<BillingDesk> {
  const desk = await moneyDesk(t);
  const outFor: BillingDesk['outFor'] = async (days, more = {}) => {
    const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(days * 24) };
    return desk.after(await desk.book({ ...term, billing: '30-days', ...more }), OUT);
  };
  const later: BillingDesk['later'] = async ({ id }, days, minutes = 0) => {
    const by = `${days} days ${minutes} minutes`;
    await t.owner.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`update rentals.rental set pick_up_at = pick_up_at - ${by}::interval,
        due_at = due_at - ${by}::interval, cycle_ends_at = cycle_ends_at - ${by}::interval,
        checked_out_at = checked_out_at - ${by}::interval where id = ${id}`.execute(tx);
      await sql`update rentals.billed_cycle set service_from = service_from - ${by}::interval,
        service_to = service_to - ${by}::interval where rental_id = ${id}`.execute(tx);
      await sql`update rentals.cycle_document set payable_by = payable_by - ${by}::interval
        where rental_id = ${id}`.execute(tx);
      await sql`update rentals.segment set from_at = from_at - ${by}::interval
        where rental_id = ${id}`.execute(tx);
      await sql`update vehicles.span set during = tstzrange(lower(during) - ${by}::interval,
        upper(during)) where ref = ${id}`.execute(tx);
    });
    return desk.read(id);
  };
  const amountsOf: BillingDesk['amountsOf'] = async ({ id }) => {
    const { rows } = await sql<{ net: number; vat: number; kind: number }>`
      select net_minor as net, vat_minor as vat, kind
      from accounting.invoice where rental_id = ${id} order by id`.execute(t.owner);
    return rows.map(({ net, vat, kind }) => [net, vat, kind]);
  };
  const back: BillingDesk['back'] = (rental) => {
    const { odometerKm, fuelEighths } = OUT;
    return desk.after(rental, { ...backOf(rental), ...{ odometerKm, fuelEighths } });
  };
  const bill: BillingDesk['bill'] = (rental) => desk.after(rental, { type: 'billCycle' });
  return { desk, outFor, later, bill, back, amountsOf };
}
