// A counter with its customers on the real database: registers, licenses, blocks and reserves for them.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { blockCustomer } from '../../db/commands/blocklist.ts';
import { type CustomerRow, createCustomer, type NewCustomer } from '../../db/commands/customers.ts';
import type { ErasureRequest } from '../../db/commands/erasure.ts';
import { type Licence, setLicence } from '../../db/commands/licences.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type Envelope, openEnvelope } from '../../db/envelope.ts';
import type { RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet } from './fleet.ts';

/** An entry of DATA_KEYS. */
export const dataKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

export const LICENCE: Licence = {
  number: 'AT-77 1234',
  birthDate: '1990-05-03',
  classes: ['B'],
  issuedOn: '2010-01-31',
  validUntil: '2060-01-30',
};

export type CustomerDesk = {
  readonly envelope: Envelope;
  readonly customer: (over?: Partial<NewCustomer>) => Promise<string>;
  /** A licence with a number of its own, at version 2. */
  readonly licensed: (over?: Partial<Licence>, named?: Partial<NewCustomer>) => Promise<string>;
  readonly block: (customerId: string, until?: string | null) => Promise<string>;
  /** At a branch of its own; hours from now. */
  readonly reserve: (customerId: string, from?: number, to?: number) => Promise<RentalState>;
  readonly row: (id: string) => Promise<CustomerRow>;
  readonly eventsOf: (id: string) => Promise<readonly string[]>;
  /** An erasure that a second person approved. */
  readonly approved: (customerId: string) => Promise<ErasureRequest>;
};

export function customerDesk({ db, owner }: TestDatabase, keys = dataKey('d1')): CustomerDesk {
  const envelope = openEnvelope(keys);
  const customer: CustomerDesk['customer'] = async (over = {}) => {
    const id = uuidv7();
    await createCustomer(db, AGENT, { id, name: `Name ${id.slice(-8)}`, ...over });
    return id;
  };
  const licensed: CustomerDesk['licensed'] = async (over = {}, named = {}) => {
    const id = await customer(named);
    await setLicence(db, envelope, AGENT, id, 1, { ...LICENCE, number: id, ...over });
    return id;
  };
  const block: CustomerDesk['block'] = async (customerId, until = null) => {
    const id = uuidv7();
    const why = { cause: 'unpaid', reason: 'Owes for RA-17' } as const;
    await blockCustomer(db, AGENT, { id, customerId, until, ...why });
    return id;
  };
  const reserve: CustomerDesk['reserve'] = async (customerId, from = 0, to = 72) => {
    const { branchId } = await plantFleet(db, { vehicles: 1 });
    const times = { pickUpAt: hoursFromNow(from), dueAt: hoursFromNow(to) };
    const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
    return reserveRental(db, AGENT, { ...ids, ...times });
  };
  const row = (id: string) =>
    owner.selectFrom('rentals.customer').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const eventsOf = async (id: string) => {
    const { rows } = await sql<{ type: string }>`select type from events.outbox
      where aggregate_id = ${id} order by id`.execute(owner);
    return rows.map(({ type }) => type.replace('forecourt.', ''));
  };
  const approved = async (customerId: string) => {
    const approvalId = uuidv7();
    await sql`insert into people.approval (id, kind, subject_type, subject_id, amount, reason,
        requested_by, requested_at, expires_at, status, decided_by, decided_at)
      values (${approvalId}, 'erasure', 'customer', ${customerId}, 0, 'asked', 'staff:first', now(),
        now() + interval '1 day', 'approved', 'staff:second', now())`.execute(owner);
    return { customerId, approvalId };
  };
  return { envelope, customer, licensed, block, reserve, row, eventsOf, approved };
}
