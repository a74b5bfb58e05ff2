// The blocklist: blocking and unblocking customers, and what a refused rental is told of it.
import { type Selectable, sql } from 'kysely';
import type { BlockCause } from '../../domain/customer.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalsCustomerBlock } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce } from './master-data.ts';

export type BlockRow = Selectable<RentalsCustomerBlock>;
export type NewBlock = {
  readonly id: string;
  readonly customerId: string;
  readonly cause: BlockCause;
  /** Free text. */
  readonly reason: string;
  /** Null: until it is lifted. */
  readonly until: string | null;
};

/** Rentals that are reserved already stay, and are not handed out. Throws `not-found`. */
export function blockCustomer(db: Db, acting: Acting, block: NewBlock): Promise<BlockRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { row, created } = await insertOnce<BlockRow>(tx, 'rentals.customer_block', {
      id: block.id,
      customer_id: await survivorOf(tx, block.customerId),
      cause: block.cause,
      reason: block.reason,
      until: block.until,
      blocked_by: rowAccess(acting).principal,
    });
    if (created) await record(tx, 'set', row);
    return row;
  });
}

/** One that is lifted already stays so. Throws `not-found`. */
export function liftBlock(db: Db, acting: Acting, id: string, reason: string): Promise<BlockRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const lifted = await sql<BlockRow>`update rentals.customer_block
      set lifted_at = now(), lifted_by = ${rowAccess(acting).principal}, lift_reason = ${reason},
        version = version + 1
      where id = ${id} and lifted_at is null returning *`.execute(tx);
    if (lifted.rows[0] !== undefined) {
      await record(tx, 'lifted', lifted.rows[0]);
      return lifted.rows[0];
    }
    const known = await sql<BlockRow>`select * from rentals.customer_block
      where id = ${id}`.execute(tx);
    if (known.rows[0] !== undefined) return known.rows[0];
    throw new DomainError('not-found', 'There is no such block.');
  });
}

/** The record that stands for a customer; a merge moves blocks there. Throws `not-found`. */
async function survivorOf(tx: Tx, id: string): Promise<string> {
  const { rows } = await sql<{ id: string }>`select coalesce(merged_into, id) as id
    from rentals.customer where id = ${id} for share`.execute(tx);
  if (rows[0] === undefined) throw new DomainError('not-found', 'There is no such customer.');
  return rows[0].id;
}

/** Neither the event nor the audit row repeats the reason, which is free text about a person. */
async function record(tx: Tx, done: 'set' | 'lifted', row: BlockRow): Promise<void> {
  const fact = { blockId: row.id, customerId: row.customer_id, until: row.until };
  await publish(tx, {
    type: `forecourt.customer-block.${done}.v1`,
    aggregateId: row.id,
    sequence: row.version,
    data: fact,
  });
  const subject = { subjectType: 'customer_block', subjectId: row.id } as const;
  const after = { ...fact, cause: row.cause };
  await recordAudit(tx, { action: `customer-block.${done}`, ...subject, after });
}

/**
 * What the database refused about a rental's customer or driver, in our words: `customer-blocked`
 * without the reason, which only some may read, and `customer-merged`. Other errors as they are.
 */
export function customerRefusal(error: unknown): unknown {
  const { constraint, detail = '' } = error as {
    readonly constraint?: string;
    readonly detail?: string;
  };
  if (constraint === 'rental_customer_blocked') {
    const message = 'Nothing is rented to this customer. A manager can say why, or lift the block.';
    return new DomainError('customer-blocked', message, { customerId: detail });
  }
  if (constraint === 'rental_driver_erased') {
    const message = 'The details of this driver were erased. Name another one.';
    return new DomainError('not-found', message, { of: 'customer', customerId: detail });
  }
  if (constraint === 'rental_customer_merged') {
    const message = 'This customer was merged into another. Use that one.';
    return new DomainError('customer-merged', message, { survivorId: detail });
  }
  return error;
}
