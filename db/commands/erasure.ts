// Erasing a customer's details, in two steps: contacts first, the name when nothing keeps it.
import { sql } from 'kysely';
import { ERASED } from '../../domain/erasure.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { eraseEvidence, eraseReasons } from './erasure-traces.ts';
import { endDriversToCome } from './rental-drivers.ts';

export type ErasureRequest = { readonly customerId: string; readonly approvalId: string };

/**
 * With them goes what people keeps: sessions' devices, links and mails, and the reasons that others
 * gave about them. Throws `not-found`, `four-eyes` without an approval for this very person, and
 * `resource-in-use` while a rental of theirs is open. A repeat changes nothing.
 */
export function eraseContacts(
  db: Db,
  principal: string,
  { customerId, approvalId }: ErasureRequest,
): Promise<void> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    if (customer.contacts_erased_at !== null) return;
    refuseMerged(customer.merged_into);
    await refuseUnapproved(tx, customerId, approvalId);
    // Locked before anybody looks: whoever names one as a driver meanwhile waits, and is refused.
    const records = await recordsOf(tx, customerId);
    const ids = records.map(({ id }) => id);
    await refuseWhileRenting(tx, ids);
    await endDriversToCome(tx, ids);
    await eraseReasons(tx, ids);
    for (const { id, email } of records) {
      const { rows } = await sql<{ version: number }>`update rentals.customer
        set email = null, phone = null, licence_number = null, birth_date = null,
          sealed_key_id = null, licence_hash = null, birth_hash = null, licence_classes = null,
          licence_issued_on = null, licence_valid_until = null, licence_recheck_on = null,
          contacts_erased_at = now(), version = version + 1
        where id = ${id} returning version`.execute(tx);
      await sql`update rentals.company_contact set ended_at = coalesce(ended_at, now())
        where person_id = ${id}`.execute(tx);
      await sql`select people.forget_person(${`customer:${id}`}, ${email})`.execute(tx);
      await record(tx, id, 'contacts-erased', rows[0]?.version ?? 0);
    }
  });
}

/**
 * The name goes, with the notes, the signatures and the agreements that are kept as long as it; the
 * row stays, because invoices and rentals refer to it.
 */
export function eraseName(db: Db, principal: string, customerId: string): Promise<void> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    if (customer.erased_at !== null) return;
    const records = await recordsOf(tx, customerId);
    for (const { id } of records) {
      const { rows } = await sql<{ version: number }>`update rentals.customer
        set name = ${ERASED}, tax_id = null, erased_at = now(), version = version + 1
        where id = ${id} returning version`.execute(tx);
      await sql`update rentals.customer_block set reason = ${ERASED},
          lift_reason = case when lift_reason is null then null else ${ERASED} end,
          version = version + 1
        where customer_id = ${id} and reason <> ${ERASED}`.execute(tx);
      await record(tx, id, 'erased', rows[0]?.version ?? 0);
    }
    await eraseEvidence(
      tx,
      records.map(({ id }) => id),
    );
  });
}

async function lockCustomer(tx: Tx, id: string) {
  const customer = await tx
    .selectFrom('rentals.customer')
    .select(['contacts_erased_at', 'erased_at', 'merged_into'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (customer === undefined) throw new DomainError('not-found', 'There is no such customer.');
  return customer;
}

/** A person is erased by the record that stands for them, and with it all that lead there. */
function refuseMerged(survivorId: string | null): void {
  if (survivorId === null) return;
  throw new DomainError('customer-merged', 'This customer was merged into another. Erase that.', {
    survivorId,
  });
}

async function recordsOf(tx: Tx, id: string) {
  return tx
    .selectFrom('rentals.customer')
    .select(['id', 'email'])
    .where((eb) => eb.or([eb('id', '=', id), eb('merged_into', '=', id)]))
    .orderBy('id')
    .forUpdate()
    .execute();
}

async function refuseUnapproved(tx: Tx, customerId: string, approvalId: string): Promise<void> {
  const { rows } = await sql<{ approved: boolean }>`select
    people.use_approval(${approvalId}, 'erasure', ${customerId}) as approved`.execute(tx);
  if (rows[0]?.approved !== true) {
    throw new DomainError('four-eyes', 'A second person has to approve the erasure first.');
  }
}

type Open = { readonly rentalId: string; readonly as: 'renter' | 'driver' };

/** A rental to come does without one of its drivers; one that is out has to know who drives. */
async function refuseWhileRenting(tx: Tx, ids: readonly string[]): Promise<void> {
  const them = sql`any (${[...ids]}::uuid[])`;
  const { rows } = await sql<Open>`select id as "rentalId", 'renter' as "as" from rentals.rental
      where customer_id = ${them} and status in ('requested', 'reserved', 'active', 'returned')
    union all select r.id, 'driver' from rentals.rental_driver d
      join rentals.rental r on r.id = d.rental_id
      where d.customer_id = ${them} and d.ended_at is null and r.status in ('active', 'returned')
    limit 1`.execute(tx);
  const [open] = rows;
  if (open === undefined) return;
  const what = open.as === 'renter' ? 'has an open rental' : 'drives a vehicle that is out';
  throw new DomainError('resource-in-use', `The customer ${what}.`, { ...open });
}

async function record(
  tx: Tx,
  customerId: string,
  done: 'contacts-erased' | 'erased',
  version: number,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.customer.${done}.v1`,
    aggregateId: customerId,
    sequence: version,
    data: { customerId },
  });
  const subject = { subjectType: 'customer', subjectId: customerId } as const;
  await recordAudit(tx, { action: `customer.${done}`, ...subject });
}
