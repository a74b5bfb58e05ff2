// Customers: personal data lives in this one table; events and audit rows carry ids only.
import type { Selectable } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalsCustomer } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, updateVersion } from './master-data.ts';

export type CustomerRow = Selectable<RentalsCustomer>;
export type NewCustomer = {
  readonly id: string;
  readonly name: string;
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly language?: string | undefined;
};
export type CustomerChange = Partial<Omit<NewCustomer, 'id'>>;

export function createCustomer(
  db: Db,
  acting: Acting,
  customer: NewCustomer,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { row, created } = await insertOnce<CustomerRow>(tx, 'rentals.customer', customer);
    if (!created) return row;
    await publish(tx, {
      type: 'forecourt.customer.registered.v1',
      aggregateId: row.id,
      sequence: row.version,
      data: { customerId: row.id },
    });
    const action = 'customer.register';
    await recordAudit(tx, { action, subjectType: 'customer', subjectId: row.id });
    return row;
  });
}

/** Throws `not-found`, or `version-conflict` when `version` is not the newest. */
export function updateCustomer(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: CustomerChange,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await updateVersion<CustomerRow>(tx, 'rentals.customer', id, version, change);
    await publish(tx, {
      type: 'forecourt.customer.updated.v1',
      aggregateId: row.id,
      sequence: row.version,
      data: { customerId: row.id },
    });
    const action = 'customer.update';
    const after = { fields: Object.keys(change) };
    await recordAudit(tx, { action, subjectType: 'customer', subjectId: row.id, after });
    return row;
  });
}
