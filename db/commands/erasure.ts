// Erasing a customer's details, in two steps: contacts first, the name when nothing keeps it.
import { sql } from 'kysely';
import { ERASED } from '../../domain/erasure.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

export type ErasureRequest = { readonly customerId: string; readonly approvalId: string };

/**
 * With them goes what people keeps: sessions' devices, links and mails. Throws `not-found`, `four-eyes` without an approval for this very person, and `resource-in-use`
 * while a rental of theirs is open. A repeat changes nothing.
 */
export function eraseContacts(
  db: Db,
  principal: string,
  { customerId, approvalId }: ErasureRequest,
): Promise<void> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    if (customer.contacts_erased_at !== null) return;
    await refuseUnapproved(tx, customerId, approvalId);
    await refuseWhileRenting(tx, customerId);
    const { rows } = await sql<{ version: number }>`update rentals.customer
      set email = null, phone = null, licence_number = null, birth_date = null,
        sealed_key_id = null, contacts_erased_at = now(), version = version + 1
      where id = ${customerId} returning version`.execute(tx);
    await sql`select people.forget_person(${`customer:${customerId}`}, ${customer.email})`.execute(
      tx,
    );
    await record(tx, customerId, 'contacts-erased', rows[0]?.version ?? 0);
  });
}

/** The name goes; the row stays, because invoices and rentals refer to it. */
export function eraseName(db: Db, principal: string, customerId: string): Promise<void> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    if (customer.erased_at !== null) return;
    const { rows } = await sql<{ version: number }>`update rentals.customer
      set name = ${ERASED}, erased_at = now(), version = version + 1
      where id = ${customerId} returning version`.execute(tx);
    await record(tx, customerId, 'erased', rows[0]?.version ?? 0);
  });
}

async function lockCustomer(tx: Tx, id: string) {
  const customer = await tx
    .selectFrom('rentals.customer')
    .select(['email', 'contacts_erased_at', 'erased_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (customer === undefined) throw new DomainError('not-found', 'There is no such customer.');
  return customer;
}

async function refuseUnapproved(tx: Tx, customerId: string, approvalId: string): Promise<void> {
  const { rows } = await sql<{ approved: boolean }>`select
    people.use_approval(${approvalId}, 'erasure', ${customerId}) as approved`.execute(tx);
  if (rows[0]?.approved !== true) {
    throw new DomainError('four-eyes', 'A second person has to approve the erasure first.');
  }
}

async function refuseWhileRenting(tx: Tx, customerId: string): Promise<void> {
  const open = await tx
    .selectFrom('rentals.rental')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('status', 'in', ['requested', 'reserved', 'active', 'returned'])
    .limit(1)
    .executeTakeFirst();
  if (open === undefined) return;
  throw new DomainError('resource-in-use', 'The customer has an open rental.', {
    rentalId: open.id,
  });
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
