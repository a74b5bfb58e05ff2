// A counter on the real database, for tests of rentals: reserves, gives commands, looks things up.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type RecordedCommand, recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import type { DB } from '../../db/schema.ts';
import type { RentalCommand, RentalOutcome, RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantTrade } from './fleet.ts';

/** Sees everything. */
const READER = 'system:test';

/** A check-out as a counter types it. */
export const OUT = { type: 'checkOut', odometerKm: 2_000, fuelEighths: 8 } as const;

/** The check-in that follows it, at the branch of the rental. */
export function backOf(rental: RentalState): RentalCommand {
  return { type: 'checkIn', odometerKm: 2_300, fuelEighths: 6, branchId: rental.branchId };
}

export type RentalDesk = {
  readonly customerId: string;
  /** A rental of its own branch with one vehicle. */
  readonly reserved: (from?: string, to?: string) => Promise<RentalState>;
  /** Three days of the class at that branch. */
  readonly reservedAt: (branchId: string, from?: string) => Promise<RentalState>;
  readonly handedOut: () => Promise<RentalState>;
  /** Its renter should have come by now: its branch gives no grace. */
  readonly awaited: () => Promise<RentalState>;
  /** As if so many hours had passed: its rows say that everything was earlier. */
  readonly earlier: (rental: RentalState, hours: number) => Promise<RentalState>;
  readonly record: (
    rental: RentalState,
    command: RentalCommand,
    over?: Partial<RecordedCommand>,
  ) => Promise<RentalOutcome>;
  readonly read: (id: string) => Promise<RentalState>;
};

/** Call it in `beforeAll`. */
export async function rentalDesk({ db, owner }: TestDatabase): Promise<RentalDesk> {
  const { customerId } = await plantTrade(db);
  const read = async (id: string) => {
    const rental = await rentalById(db, READER, id);
    if (rental === undefined) throw new Error(`There is no rental ${id}.`);
    return rental;
  };
  const reserve = (branchId: string, from: string, to: string) => {
    const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
    return reserveRental(db, AGENT, { ...ids, pickUpAt: from, dueAt: to });
  };
  const reserved = async (from = hoursFromNow(0), to = hoursFromNow(72)) => {
    const { branchId } = await plantFleet(db, { vehicles: 1 });
    return reserve(branchId, from, to);
  };
  const reservedAt = (branchId: string, from = hoursFromNow(0)) =>
    reserve(branchId, from, hoursFromNow(72));
  const record: RentalDesk['record'] = ({ id: rentalId, version }, command, over = {}) =>
    recordCommand(db, AGENT, { commandId: uuidv7(), rentalId, version, command, ...over });
  const handedOut = async () => {
    const rental = await reserved();
    await record(rental, OUT);
    return read(rental.id);
  };
  const earlier = async ({ id }: RentalState, hours: number) => {
    const by = `${hours} hours`;
    await sql`update rentals.rental set pick_up_at = pick_up_at - ${by}::interval,
      due_at = due_at - ${by}::interval, no_show_at = no_show_at - ${by}::interval,
      checked_out_at = checked_out_at - ${by}::interval, version = version + 1
      where id = ${id}`.execute(owner);
    await sql`update vehicles.span set during = tstzrange(lower(during) - ${by}::interval,
      upper(during) - ${by}::interval) where ref = ${id}`.execute(owner);
    return read(id);
  };
  const awaited = async () => {
    const { branchId } = await plantFleet(db, { vehicles: 1 });
    await sql`update vehicles.branch set no_show_grace_minutes = 0 where id = ${branchId}`.execute(
      owner,
    );
    return reservedAt(branchId);
  };
  return { customerId, reserved, reservedAt, handedOut, awaited, earlier, record, read };
}

/** The rental's facts in order, such as `1 reserved`. */
export async function factsOf(owner: Kysely<DB>, rentalId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ fact: string }>`select seq || ' ' || split_part(type, '.', 3) as fact
    from events.outbox where aggregate_id = ${rentalId} order by id`.execute(owner);
  return rows.map(({ fact }) => fact);
}
