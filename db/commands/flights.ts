// The flight that a renter comes by: its number in a row of its own, its delay on the rental.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { afterDelay, awaitedUntil, isAwaited } from '../../domain/rental/delay.ts';
import type { AnnounceDelay, RentalOutcome, RentalStatus } from '../../domain/rental.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { hoursAt, noShowBy } from './booking-rules.ts';
import { asked } from './calendar.ts';
import { type Recording, updateRental } from './rental-update.ts';

/**
 * Keeps the number, or removes it; a repeat changes nothing. The log says that it was told, not what.
 * Throws `not-found`, and `invalid-state` when nobody is waited for any more.
 */
export function noteFlight(
  db: Db,
  acting: Acting,
  rentalId: string,
  flightNumber: string | null,
): Promise<void> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<{ status: RentalStatus; known: string | null }>`select status,
        (select flight_number from rentals.flight where rental_id = id) as known
      from rentals.rental where id = ${rentalId} for update`.execute(tx);
    const [rental] = rows;
    if (rental === undefined) throw new DomainError('not-found', 'There is no such rental.');
    if (rental.known === flightNumber) return;
    if (!isAwaited(rental.status)) {
      throw new DomainError('invalid-state', 'A flight is told before the keys go out.', {
        rentalStatus: rental.status,
        command: 'announceDelay',
      });
    }
    if (flightNumber === null) {
      await sql`delete from rentals.flight where rental_id = ${rentalId}`.execute(tx);
    } else {
      await sql`insert into rentals.flight (rental_id, flight_number)
        values (${rentalId}, ${flightNumber}) on conflict (rental_id)
        do update set flight_number = excluded.flight_number, told_at = now()`.execute(tx);
    }
    const action = flightNumber === null ? 'rental.flight-removed' : 'rental.flight-noted';
    await recordAudit(tx, { action, subjectType: 'rental', subjectId: rentalId });
  });
}

/** Null: none was told. */
export function flightOf(db: Db, acting: Acting, rentalId: string): Promise<string | null> {
  return transact(db, 'api_read', acting, async (tx) => {
    const row = await tx
      .selectFrom('rentals.flight')
      .select('flight_number')
      .where('rental_id', '=', rentalId)
      .executeTakeFirst();
    return row?.flight_number ?? null;
  });
}

/**
 * The vehicle is kept for as much longer; its span lies in the calendar until the due time as it did.
 * Throws `value-refused` for a delay of a rental without a flight.
 */
export async function announceDelay(
  recording: Recording,
  { delayMinutes }: AnnounceDelay,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  if (delayMinutes > 0) await assertFlight(recording);
  const { branch_id: branchId, pick_up_at: pickUpAt, due_at: dueAt, no_show_at: noShow } = row;
  const until = await ruleOf(recording);
  const before = {
    noShowAt: noShow,
    byRule: until({ delayMinutes: row.delay_minutes, dueAt }),
  };
  const noShowAt = afterDelay(before, until({ delayMinutes, dueAt }), at);
  const version = await updateRental(recording, {
    delay_minutes: delayMinutes,
    no_show_at: noShowAt,
  });
  await publish(tx, {
    type: 'forecourt.rental.delay-announced.v1',
    aggregateId: row.id,
    sequence: version,
    data: { rentalId: row.id, branchId, status: row.status, pickUpAt, delayMinutes, noShowAt },
  });
  return { type: 'delayAnnounced', at, version, reassigned: [], delayMinutes, noShowAt };
}

/** A delay that ended with the booked time goes on with a longer one; null where nothing changes. */
export async function awaitedLonger(recording: Recording, dueAt: string): Promise<string | null> {
  const { status, delay_minutes: delayMinutes, no_show_at: noShowAt } = recording.row;
  if (status !== 'reserved' || delayMinutes === 0) return null;
  const until = await ruleOf(recording);
  const next = until({ delayMinutes, dueAt });
  return Date.parse(next) > Date.parse(noShowAt) ? next : null;
}

/** By the grace and the hours of now. */
async function ruleOf({ tx, row: { branch_id: branchId, pick_up_at: pickUpAt } }: Recording) {
  const grace = await asked<number>(tx, sql`vehicles.no_show_grace(${branchId})`);
  const hours = await hoursAt(tx, branchId, pickUpAt);
  return (awaited: { readonly delayMinutes: number; readonly dueAt: string }) =>
    awaitedUntil((given) => noShowBy(hours, pickUpAt, given), grace, awaited);
}

async function assertFlight({ tx, row }: Recording): Promise<void> {
  const flight = await tx
    .selectFrom('rentals.flight')
    .select('rental_id')
    .where('rental_id', '=', row.id)
    .executeTakeFirst();
  if (flight !== undefined) return;
  throw new DomainError('value-refused', 'A vehicle is kept for a late flight: name it too.', {
    field: 'flightNumber',
  });
}
