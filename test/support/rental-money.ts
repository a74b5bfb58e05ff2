// A branch with many vehicles and the few ways in which tests of money book and change rentals there.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, transact } from '../../db/client.ts';
import { postCapture } from '../../db/commands/payment-entries.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { DB } from '../../db/schema.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import type { RentalCommand, RentalRequest, RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet } from './fleet.ts';
import { type RentalDesk, rentalDesk } from './rental-desk.ts';

export type MoneyDesk = Pick<RentalDesk, 'awaited' | 'read' | 'record'> & {
  readonly branchId: string;
  /** Three days from now on at that branch, unless told otherwise. */
  readonly asked: (more?: Partial<RentalRequest>) => RentalRequest;
  readonly book: (more?: Partial<RentalRequest>) => Promise<RentalState>;
  /** The rental after the command. */
  readonly after: (rental: RentalState, command: RentalCommand) => Promise<RentalState>;
  /** A branch whose rentals have another plan than GOLD-1. */
  readonly pricedBy: (terms: Partial<RatePlan>) => Promise<string>;
};

/** Call it in `beforeAll`. */
export async function moneyDesk(t: TestDatabase): Promise<MoneyDesk> {
  const { customerId, awaited, read, record } = await rentalDesk(t);
  const { branchId } = await plantFleet(t.db, { vehicles: 20 });
  const asked: MoneyDesk['asked'] = (more = {}) => {
    const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(72) };
    return { id: uuidv7(), branchId, classId: CLASS, customerId, ...term, ...more };
  };
  const after: MoneyDesk['after'] = async (rental, command) => {
    await record(rental, command);
    return read(rental.id);
  };
  const pricedBy: MoneyDesk['pricedBy'] = async (terms) => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 1 });
    const plan = { ...GOLD_1, id: `OF-${at}`, ...terms, branches: [at] };
    await publishRatePlan(t.db, AGENT, plan, hoursFromNow(-1));
    return at;
  };
  const book: MoneyDesk['book'] = (more) => reserveRental(t.db, AGENT, asked(more));
  return { branchId, awaited, read, record, asked, book, after, pricedBy };
}

/** The books as after a capture that no invoice asked for yet. */
export async function heldDeposit(db: Db, rentalId: string, amountMinor: number): Promise<void> {
  const captured = { key: `test/${rentalId}`, rentalId, currency: 'EUR', amountMinor };
  await transact(db, 'rentals_rw', AGENT, (tx) => postCapture(tx, 'renter', captured));
}

/** Account and amount of each leg of the rental's entry of that source, debits first. */
export async function entryOf(
  owner: Kysely<DB>,
  rental: Pick<RentalState, 'id'>,
  source: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly leg: string }>`
    select a.code || ' ' || l.amount as leg from accounting.entry e
    join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rental.id} and e.source = ${source} order by l.amount desc`.execute(
    owner,
  );
  return rows.map(({ leg }) => leg);
}
