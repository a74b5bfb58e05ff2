// Drivers of a rental: named with their age at pick-up, let pass by a manager, and checked at the keys.
import { sql } from 'kysely';
import { localDate } from '../../domain/calendar.ts';
import { ageOn, checkDrivers } from '../../domain/driver.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import type { Envelope } from '../envelope.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { judged, type RentalDriver, readDriverFile } from '../rental-driver.ts';
import { reasonIn, recordAudit } from './audit.ts';
import { customerRefusal } from './blocklist.ts';
import { licenceAt } from './licences.ts';

type Named = { readonly rentalId: string; readonly customerId: string };

/**
 * Names a driver, or judges one anew: after a change of the pick-up time, or of the licence. Who may
 * not drive is named all the same while the keys are here, and marked. Throws `not-found` for the
 * rental or, `of` customer, for the driver, `invalid-state`, `customer-blocked`, and
 * `driver-ineligible` when the vehicle is out.
 */
export function nameDriver(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  { rentalId, customerId }: Named,
): Promise<RentalDriver> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const rental = await lockOpen(tx, rentalId);
    const age = await ageOf(tx, envelope, customerId, localDate(rental.pick_up_at, rental.zone));
    const { rows } = await refusing(() =>
      sql<{ version: number }>`insert into rentals.rental_driver as known
          (rental_id, customer_id, age_at_pick_up, judged_pick_up_at)
        values (${rentalId}, ${customerId}, ${age}, ${rental.pick_up_at})
        on conflict (rental_id, customer_id) do update
          set age_at_pick_up = excluded.age_at_pick_up, ended_at = null,
            judged_pick_up_at = excluded.judged_pick_up_at, version = known.version + 1
        returning version`.execute(tx),
    );
    const driver = await driverOf(tx, rentalId, customerId);
    if (rental.status === 'active') checkDrivers([driver]);
    await record(tx, { rentalId, customerId }, 'named', rows[0]?.version ?? 0);
    return driver;
  });
}

/**
 * What stands against the driver today is let pass; what comes up later is not. A repeat replaces
 * the reason. Throws `not-found`, and `invalid-state` when the rental is over.
 */
export function overrideDriver(
  db: Db,
  acting: Acting,
  { rentalId, customerId }: Named,
  reason: string,
): Promise<RentalDriver> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const rental = await lockOpen(tx, rentalId);
    const before = await driverOf(tx, rentalId, customerId);
    const { reasons } = before.verdict;
    const { rows } = await refusing(() =>
      sql<{ version: number }>`update rentals.rental_driver
        set override_reason = ${reason}, override_by = ${rowAccess(acting).principal},
          override_at = now(), override_of = ${[...reasons]}::text[],
          override_due_on = ${localDate(rental.due_at, rental.return_zone)}::date,
          version = version + 1
        where rental_id = ${rentalId} and customer_id = ${customerId} and ended_at is null
        returning version`.execute(tx),
    );
    await record(tx, { rentalId, customerId }, 'overridden', rows[0]?.version ?? 0, {
      reason: reasonIn('rentals.rental_driver'),
      after: { customerId, reasons },
    });
    return driverOf(tx, rentalId, customerId);
  });
}

/** Removing twice is removing. Throws `not-found`, and `invalid-state` when the rental is over. */
export function removeDriver(db: Db, acting: Acting, named: Named): Promise<void> {
  const { rentalId, customerId } = named;
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await lockOpen(tx, rentalId);
    const { rows } = await sql<{ version: number }>`update rentals.rental_driver
      set ended_at = now(), version = version + 1
      where rental_id = ${rentalId} and customer_id = ${customerId} and ended_at is null
      returning version`.execute(tx);
    if (rows[0] !== undefined) await record(tx, named, 'removed', rows[0].version);
  });
}

/** Of customers who are being erased: the rentals that are to come do without them. */
export async function endDriversToCome(tx: Tx, customerIds: readonly string[]): Promise<void> {
  const { rows } = await sql<Named & { readonly version: number }>`update rentals.rental_driver d
    set ended_at = now(), version = d.version + 1
    from rentals.rental r
    where d.customer_id = any (${[...customerIds]}::uuid[]) and d.ended_at is null
      and r.id = d.rental_id and r.status in ('requested', 'reserved', 'no_show')
    returning d.rental_id as "rentalId", d.customer_id as "customerId", d.version`.execute(tx);
  for (const { version, ...named } of rows) await record(tx, named, 'removed', version);
}

/** Those that are named now, with what stands against each. */
export function driversOfRental(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly RentalDriver[]> {
  // The branches' zones are told to this role alone.
  return transact(db, 'rentals_rw', acting, async (tx) =>
    (await readDriverFile(tx, rentalId)).map((file) => judged(file)),
  );
}

/**
 * Before keys go out, of a vehicle of the booked class or of another one. Throws `driver-ineligible`
 * with all reasons of all named drivers.
 */
export async function assertDrivers(tx: Tx, id: string, classId?: string): Promise<void> {
  checkDrivers((await readDriverFile(tx, id, classId)).map((file) => judged(file)));
}

/** Before an extension: of those who drive already, the licence alone is looked at again. */
export async function assertLicences(tx: Tx, id: string, dueAt: string): Promise<void> {
  const drivers = (await readDriverFile(tx, id)).map((file) => {
    const driver = judged({ ...file, due_at: dueAt });
    const reasons = driver.verdict.reasons.filter((reason) => reason === 'licence-ends');
    const verdict = { ...driver.verdict, reasons, eligible: reasons.length === 0 };
    return { ...driver, verdict };
  });
  checkDrivers(drivers);
}

type Locked = {
  readonly status: string;
  readonly pick_up_at: string;
  readonly due_at: string;
  readonly zone: string;
  readonly return_zone: string;
};

async function lockOpen(tx: Tx, id: string): Promise<Locked> {
  const { rows } = await sql<Locked>`select status, pick_up_at, due_at,
      vehicles.zone_of(branch_id) as zone, vehicles.zone_of(return_branch_id) as return_zone
    from rentals.rental where id = ${id} for update`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new DomainError('not-found', 'There is no such rental.');
  if (['requested', 'reserved', 'active'].includes(row.status)) return row;
  throw new DomainError('invalid-state', `A rental that is ${row.status} has its drivers.`, {
    rentalStatus: row.status,
  });
}

type Sealed = { readonly sealed_key_id: string | null; readonly birth_date: Buffer | null };

/** In whole years on that date; null when no birth date is known. */
async function ageOf(tx: Tx, envelope: Envelope, id: string, date: string): Promise<number | null> {
  const { rows } = await sql<Sealed>`select sealed_key_id, birth_date from rentals.customer
    where id = ${id} and contacts_erased_at is null`.execute(tx);
  const [row] = rows;
  if (row === undefined) {
    throw new DomainError('not-found', 'There is no such customer.', { of: 'customer' });
  }
  const { sealed_key_id: keyId, birth_date: bytes } = row;
  if (keyId === null || bytes === null) return null;
  const born = envelope.open({ keyId, bytes }, licenceAt('birth_date', id)).toString();
  return ageOn(born, date);
}

async function driverOf(tx: Tx, rentalId: string, customerId: string): Promise<RentalDriver> {
  const files = await readDriverFile(tx, rentalId);
  const file = files.find((one) => one.customer_id === customerId);
  if (file === undefined) throw new DomainError('not-found', 'This driver is not named.');
  return judged(file);
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    throw customerRefusal(error);
  });
}

async function record(
  tx: Tx,
  { rentalId, customerId }: Named,
  status: 'named' | 'overridden' | 'removed',
  version: number,
  more: { readonly reason?: string; readonly after?: object } = {},
): Promise<void> {
  await publish(tx, {
    type: 'forecourt.rental-driver.changed.v1',
    aggregateId: codeAggregate('rental-driver', `${rentalId}/${customerId}`),
    sequence: version,
    data: { rentalId, customerId, status },
  });
  const subject = { subjectType: 'rental', subjectId: rentalId } as const;
  const action = status === 'overridden' ? 'rental.override-driver' : `rental.driver-${status}`;
  await recordAudit(tx, { action, ...subject, after: { customerId }, ...more });
}
