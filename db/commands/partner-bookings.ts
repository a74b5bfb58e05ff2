// Bookings of partners by their own reference: told once or ten times, it is one rental.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { VoucherTerms } from '../../domain/booking.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { recordDoubles } from './possible-duplicates.ts';

export type PartnerBooking = {
  readonly partnerId: string;
  /** The partner's own; 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  readonly externalReference: string;
  readonly customer: {
    readonly name: string;
    readonly email?: string | undefined;
    readonly phone?: string | undefined;
    readonly language?: string | undefined;
  };
  readonly wanted: object;
  /** What it pays of it, for when it is changed. */
  readonly voucher?: Pick<VoucherTerms, 'rate' | 'covers'> | undefined;
};

export type BookingRow = {
  readonly partner_id: string;
  readonly external_reference: string;
  readonly request_hash: Buffer;
  readonly customer_id: string;
  readonly rental_id: string;
  readonly voucher_rate: string | null;
  readonly voucher_covers: readonly string[] | null;
};

/**
 * Writes the reference down with a customer of its own, before anything is reserved; whom the customer
 * may be is noted for people. A repeat answers the first; throws `duplicate` when the reference
 * belongs to another booking. Acts for the system: a partner sees no customers.
 */
export function openBooking(db: Db, principal: string, asked: PartnerBooking): Promise<BookingRow> {
  const { partnerId, externalReference, customer, voucher } = asked;
  return transact(db, 'rentals_rw', principal, async (tx) => {
    // Two at once: the second waits here, and finds the booking of the first.
    await sql`select pg_advisory_xact_lock(hashtextextended(
      ${`partner booking ${partnerId} ${externalReference}`}, 0))`.execute(tx);
    const known = await knownIn(tx, asked);
    if (known !== undefined) return known;
    const customerId = uuidv7();
    const isSandbox = sql<boolean>`people.is_sandbox(${partnerId})`;
    await tx
      .insertInto('rentals.customer')
      .values({ id: customerId, ...customer, is_sandbox: isSandbox })
      .execute();
    await recordDoubles(tx, customerId);
    await publish(tx, {
      type: 'forecourt.customer.registered.v1',
      aggregateId: customerId,
      sequence: 1,
      data: { customerId },
    });
    const subject = { subjectType: 'customer', subjectId: customerId } as const;
    await recordAudit(tx, { action: 'customer.register', ...subject, after: { partnerId } });
    const made = await sql<BookingRow>`insert into rentals.partner_booking (partner_id,
        external_reference, request_hash, customer_id, rental_id, voucher_rate, voucher_covers)
      values (${partnerId}, ${externalReference}, ${hashOf(asked)}, ${customerId}, ${uuidv7()},
        ${voucher?.rate ?? null}, ${voucher ? [...voucher.covers] : null}::text[])
      returning *`.execute(tx);
    return made.rows[0] as BookingRow;
  });
}

/**
 * What was booked under the reference before, whatever the partner may book now; undefined for a new
 * one. Throws `duplicate` as above.
 */
export function knownBooking(
  db: Db,
  principal: string,
  asked: PartnerBooking,
): Promise<BookingRow | undefined> {
  return transact(db, 'rentals_rw', principal, (tx) => knownIn(tx, asked));
}

async function knownIn(tx: Tx, asked: PartnerBooking): Promise<BookingRow | undefined> {
  // A customer who was merged since is booked for as the one that stands.
  const { rows } = await sql<BookingRow>`select b.partner_id, b.external_reference, b.request_hash,
      b.rental_id, coalesce(c.merged_into, c.id) as customer_id, b.voucher_rate, b.voucher_covers
    from rentals.partner_booking b join rentals.customer c on c.id = b.customer_id
    where partner_id = ${asked.partnerId}
      and external_reference = ${asked.externalReference}`.execute(tx);
  const [known] = rows;
  if (known === undefined || known.request_hash.equals(hashOf(asked))) return known;
  const message = 'This reference belongs to another booking. A new booking needs a new one.';
  throw new DomainError('duplicate', message);
}

function hashOf({ customer, wanted }: PartnerBooking): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([customer, wanted]))
    .digest();
}

/** After a refusal: the next retransmission is a new attempt. Of several who say so, one does it. */
export function nextAttempt(db: Db, principal: string, refusedRentalId: string): Promise<void> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    await sql`update rentals.partner_booking set rental_id = ${uuidv7()}
      where rental_id = ${refusedRentalId}`.execute(tx);
  });
}

/** As far as the partner's own go. */
export function bookingByReference(
  db: Db,
  acting: Acting,
  partnerId: string,
  externalReference: string,
): Promise<BookingRow | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<BookingRow>`select * from rentals.partner_booking
      where partner_id = ${partnerId} and external_reference = ${externalReference}`.execute(tx);
    return rows[0];
  });
}

/**
 * All records of whoever is invoiced its voucher: of the payer as it was booked, and of `payerId`, the
 * partner's of now.
 */
export function invoicedFor(
  db: Db,
  { rental_id: rentalId, voucher_rate: rate }: BookingRow,
  payerId: string | null | undefined,
): Promise<readonly string[]> {
  return transact(db, 'api_read', 'system:api', async (tx) => {
    const { rows } = await sql<{ id: string }>`
      with payer as (select payer_id as id from rentals.payer_share where rental_id = ${rentalId}
          and version = 1 and kind = 'voucher' and ${rate}::text is not null
        union select ${payerId ?? null}::uuid)
      select distinct d.id from payer join rentals.customer c using (id)
        join rentals.customer d
          on d.id = coalesce(c.merged_into, c.id) or d.merged_into = coalesce(c.merged_into, c.id)`.execute(
      tx,
    );
    return rows.map(({ id }) => id);
  });
}
