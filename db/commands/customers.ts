// Customers: personal data lives in this one table; events and audit rows carry ids only.
import type { Selectable } from 'kysely';
import type { CreditTerms, CustomerKind } from '../../domain/customer.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
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
  /** Left out, a person; it stays what it is. */
  readonly kind?: CustomerKind | undefined;
  /** Of companies only. */
  readonly taxId?: string | null | undefined;
  /** Who is asked to pay first; left out, the customer. */
  readonly payerId?: string | null | undefined;
  /** For ever: of the sandbox. */
  readonly sandbox?: boolean | undefined;
};
export type CustomerChange = Partial<Omit<NewCustomer, 'id' | 'kind' | 'sandbox'>>;

/** Throws `not-found` for an unknown payer, `value-refused` for a tax id of a person. */
export function createCustomer(
  db: Db,
  acting: Acting,
  { taxId, payerId, sandbox, ...rest }: NewCustomer,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const customer = { ...rest, tax_id: taxId, payer_id: payerId, is_sandbox: sandbox };
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
  { taxId, payerId, ...rest }: CustomerChange,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const change = { ...rest, tax_id: taxId, payer_id: payerId };
    const row = await updateVersion<CustomerRow>(tx, 'rentals.customer', id, version, change);
    const fields = Object.entries({ ...rest, taxId, payerId }).flatMap(([name, value]) =>
      value === undefined ? [] : [name],
    );
    await recordUpdate(tx, row, 'customer.update', { fields });
    return row;
  });
}

/** Throws as `updateCustomer`; limits are the caller's to check. */
export function setCredit(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  terms: CreditTerms,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await updateVersion<CustomerRow>(tx, 'rentals.customer', id, version, {
      credit_limit_minor: terms.limitMinor,
      credit_currency: terms.currency,
      payment_terms_days: terms.paymentTermsDays,
    });
    await recordUpdate(tx, row, 'customer.set-credit', terms);
    return row;
  });
}

/** The fact and the audit row of a change; `after` holds nothing personal. */
export async function recordUpdate(
  tx: Tx,
  row: Pick<CustomerRow, 'id' | 'version'>,
  action: string,
  after: object,
): Promise<void> {
  await publish(tx, {
    type: 'forecourt.customer.updated.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: { customerId: row.id },
  });
  await recordAudit(tx, { action, subjectType: 'customer', subjectId: row.id, after });
}
