// Letters that name a driver to an authority: written once, sealed, and read by whoever may.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { localTime } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { nominationLetter } from '../../domain/violation-letter.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { Envelope } from '../envelope.ts';
import { recordAudit } from './audit.ts';
import { licenceAt } from './licences.ts';
import type { ViolationRow } from './violations.ts';

export type LetteredRental = {
  readonly number: string;
  readonly outAt: string;
  readonly inAt: string | null;
};

type Nomination = {
  readonly rental: LetteredRental;
  readonly sender: string;
  /** Who drove; left out, the only person who may have. */
  readonly driverId: string | undefined;
};

type CustomerRow = {
  readonly id: string;
  readonly name: string;
  readonly erased_at: string | null;
  readonly sealed_key_id: string | null;
  readonly licence_number: Buffer | null;
  readonly birth_date: Buffer | null;
};

/**
 * Writes the letter, sealed, and that a person's data was used for it; answers its SHA-256. Throws
 * `invalid-state` when the driver's name is erased or nobody may have driven, and `value-refused`
 * when several may have and none is said, or when the one who is said may not have.
 */
export async function nominate(
  tx: Tx,
  envelope: Envelope,
  row: ViolationRow,
  { rental, sender, driverId }: Nomination,
): Promise<string> {
  const { rows } = await sql<CustomerRow>`select id, name, erased_at, sealed_key_id,
      licence_number, birth_date
    from rentals.customer where id = ${await driverOf(tx, row, driverId)}`.execute(tx);
  const customer = rows[0];
  if (customer === undefined || customer.erased_at !== null) {
    throw new DomainError('invalid-state', 'The driver was erased and cannot be named any more.');
  }
  const opened = (column: Column) => openColumn(envelope, customer, column);
  const local = (at: string) => localTime(at, row.time_zone);
  const letter = nominationLetter({
    sender,
    authority: row.authority,
    noticeNumber: row.notice_number,
    plate: row.plate,
    jurisdiction: row.plate_jurisdiction,
    localTime: row.local_time,
    place: row.place,
    amountMinor: row.amount_minor,
    currency: row.currency,
    rentalNumber: rental.number,
    outAt: local(rental.outAt),
    inAt: rental.inAt && local(rental.inAt),
    driver: {
      name: customer.name,
      birthDate: opened('birth_date'),
      licenceNumber: opened('licence_number'),
    },
  });
  const sealed = envelope.seal(letter, letterAt(row.id));
  await sql`insert into rentals.violation_letter (violation_id, driver_id, sealed_key_id, letter)
    values (${row.id}, ${customer.id}, ${sealed.keyId}, ${sealed.bytes})`.execute(tx);
  const after = { violationId: row.id, fields: ['name', 'birthDate', 'licenceNumber'] };
  const subject = { subjectType: 'customer', subjectId: customer.id } as const;
  await recordAudit(tx, { action: 'customer.nominate', ...subject, after });
  return createHash('sha256').update(letter).digest('hex');
}

/** The renter, if a person, and whoever was named as a driver and not removed before the notice. */
async function driverOf(tx: Tx, row: ViolationRow, driverId: string | undefined): Promise<string> {
  const { rows } = await sql<{ id: string }>`select id from rentals.customer
    where kind = 'person' and id in (select ${row.customer_id}::uuid
      union select customer_id from rentals.rental_driver
        where rental_id = ${row.rental_id} and (ended_at is null or ended_at > ${row.at}))
    order by id`.execute(tx);
  const ids = rows.map(({ id }) => id);
  const [only, other] = ids;
  if (driverId !== undefined) {
    if (ids.includes(driverId)) return driverId;
    throw new DomainError('value-refused', 'This person is no driver of the rental.', { driverId });
  }
  if (only === undefined) {
    throw new DomainError(
      'invalid-state',
      'A company rented, and no driver is named: charge the fine on with `recharge`.',
    );
  }
  if (other === undefined) return only;
  throw new DomainError('value-refused', 'Several may have driven: say who with `driverId`.', {
    drivers: ids.map((customerId) => ({ customerId })),
  });
}

/** Who stands in its letter, also when that was erased. */
export async function nominated(tx: Tx, violationId: string): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select driver_id as id from rentals.violation_letter
    where violation_id = ${violationId}`.execute(tx);
  return rows[0]?.id;
}

type Column = 'licence_number' | 'birth_date';

function openColumn(envelope: Envelope, customer: CustomerRow, column: Column): string | null {
  const { id, sealed_key_id: keyId, [column]: bytes } = customer;
  if (keyId === null || bytes === null) return null;
  return envelope.open({ keyId, bytes }, licenceAt(column, id)).toString();
}

function letterAt(id: string) {
  return { table: 'rentals.violation_letter', column: 'letter', id };
}

/**
 * The letter's text, and that somebody read a person's data; null when it was erased, undefined when
 * there is none in sight.
 */
export function readLetter(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  id: string,
): Promise<string | null | undefined> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await tx
      .selectFrom('rentals.violation_letter as l')
      .innerJoin('rentals.violation as v', 'v.id', 'l.violation_id')
      .select(['l.letter', 'l.sealed_key_id', 'l.driver_id'])
      .where('v.id', '=', id)
      .executeTakeFirst();
    if (row === undefined || row.letter === null || row.sealed_key_id === null) {
      return row && null;
    }
    const subject = { subjectType: 'customer', subjectId: row.driver_id } as const;
    const after = { violationId: id };
    await recordAudit(tx, { action: 'customer.read-nomination', ...subject, after });
    const sealed = { keyId: row.sealed_key_id, bytes: row.letter };
    return envelope.open(sealed, letterAt(id)).toString();
  });
}
