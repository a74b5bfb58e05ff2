// A branch with many vehicles and the few ways in which tests of money book and change rentals there.
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, transact } from '../../db/client.ts';
import { issueDamageDocument } from '../../db/commands/damage-documents.ts';
import { askLateCharge } from '../../db/commands/late-charges.ts';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { postCapture } from '../../db/commands/payment-entries.ts';
import { receivePrepayment } from '../../db/commands/prepayments.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { recordConsent } from '../../db/commands/violation-terms.ts';
import type { DB } from '../../db/schema.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import type { RentalCommand, RentalRequest, RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet } from './fleet.ts';
import { type RentalDesk, rentalDesk } from './rental-desk.ts';

export type MoneyDesk = Pick<RentalDesk, 'awaited' | 'read' | 'record'> & {
  readonly branchId: string;
  /** Three days from now on at that branch, unless told otherwise. */
  readonly asked: (more?: Partial<RentalRequest>) => RentalRequest;
  readonly book: (more?: Partial<RentalRequest>) => Promise<RentalState>;
  /** The rental after the command. */
  readonly after: (rental: RentalState, command: RentalCommand) => Promise<RentalState>;
  /** A branch whose rentals have another plan than GOLD-1. */
  readonly pricedBy: (terms: Partial<RatePlan>) => Promise<string>;
};

/** Call it in `beforeAll`. */
export async function moneyDesk(t: TestDatabase): Promise<MoneyDesk> {
  const { customerId, awaited, read, record } = await rentalDesk(t);
  const { branchId } = await plantFleet(t.db, { vehicles: 20 });
  const asked: MoneyDesk['asked'] = (more = {}) => {
    const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(72) };
    return { id: uuidv7(), branchId, classId: CLASS, customerId, ...term, ...more };
  };
  const after: MoneyDesk['after'] = async (rental, command) => {
    await record(rental, command);
    return read(rental.id);
  };
  const pricedBy: MoneyDesk['pricedBy'] = async (terms) => {
    const { branchId: at } = await plantFleet(t.db, { vehicles: 1 });
    const plan = { ...GOLD_1, id: `OF-${at}`, ...terms, branches: [at] };
    await publishRatePlan(t.db, AGENT, plan, hoursFromNow(-1));
    return at;
  };
  const book: MoneyDesk['book'] = (more) => reserveRental(t.db, AGENT, asked(more));
  return { branchId, awaited, read, record, asked, book, after, pricedBy };
}

/** The books as after a capture that no invoice asked for yet. */
export async function heldDeposit(
  db: Db,
  rentalId: string,
  amountMinor: number,
  key = 'test',
): Promise<void> {
  const captured = { key: `${key}/${rentalId}`, rentalId, currency: 'EUR', amountMinor };
  await transact(db, 'rentals_rw', AGENT, (tx) => postCapture(tx, 'renter', captured));
}

/** Account and amount of each leg of the rental's entry of that source, debits first. */
export async function entryOf(
  owner: Kysely<DB>,
  rental: Pick<RentalState, 'id'>,
  source: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly leg: string }>`
    select a.code || ' ' || l.amount as leg from accounting.entry e
    join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rental.id} and e.source = ${source} order by l.amount desc`.execute(
    owner,
  );
  return rows.map(({ leg }) => leg);
}

/** Of each account, by all entries of the rental: debits less credits. */
export async function balancesOf(
  owner: Kysely<DB>,
  { id }: RentalState,
  ...accounts: readonly string[]
): Promise<readonly number[]> {
  const { rows } = await sql<{ sum: number }>`select (select coalesce(sum(l.amount), 0)::bigint
      from accounting.entry e join accounting.line l on l.entry_id = e.id
      join accounting.account a on a.id = l.account_id
      where e.rental_id = ${id} and a.code = c.code) as sum
    from unnest(${accounts}::text[]) with ordinality as c(code, n) order by n`.execute(owner);
  return rows.map(({ sum }) => sum);
}

/** What the renter and others owe by the rental's documents; what receivables and deposits say. */
export async function booksOf(owner: Kysely<DB>, { id, customerId }: RentalState) {
  type Books = Readonly<Record<'renter' | 'other' | 'owed' | 'held' | 'off', number>>;
  const { rows } = await sql<Books>`
    with i as (select customer_id = ${customerId} as theirs, due_minor - settled_minor as open
        from accounting.open_item where rental_id = ${id}),
      l as (select a.code, l.amount from accounting.entry e
        join accounting.line l on l.entry_id = e.id
        join accounting.account a on a.id = l.account_id where e.rental_id = ${id})
    select coalesce((select sum(open) from i where theirs), 0)::bigint as renter,
      coalesce((select sum(open) from i where not theirs), 0)::bigint as other,
      coalesce((select sum(amount) from l where code = '1200'), 0)::bigint as owed,
      coalesce(-(select sum(amount) from l where code = '2120'), 0)::bigint as held,
      (select sum(amount) from l)::bigint as off`.execute(owner);
  return rows[0];
}

/** Rentals whose books are not what their documents say, or in which somebody paid another's. */
export async function moneyFaults(owner: Kysely<DB>): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly fault: string }>`
    with r as (select rental_id as id, coalesce(sum(l.amount) filter (where a.code = '1200'), 0)
          as owed, coalesce(sum(l.amount) filter (where a.code = '2120'), 0) as deposits
        from accounting.entry e join accounting.line l on l.entry_id = e.id
        join accounting.account a on a.id = l.account_id
        where rental_id is not null group by 1),
      c as (select r.id, c.left_minor from r, accounting.own_credits(r.id) c)
    select 'on 1200 of ' || r.id as fault from r where owed
      <> coalesce((select sum(due_minor - settled_minor) from accounting.open_item o
        where o.rental_id = r.id), 0) - coalesce((select sum(left_minor) from c where c.id = r.id), 0)
    union all select 'deposits below zero of ' || id from r where deposits > 0
    union all select 'credit below zero of ' || id from c where left_minor < 0
    union all select 'another’s credit on ' || o.invoice_id from accounting.application p
      join accounting.open_item o using (invoice_id)
      join accounting.invoice n on n.entry_id = p.entry_id and n.customer_id <> o.customer_id
    union all select 'another’s card on ' || o.invoice_id from accounting.application p
      join accounting.open_item o using (invoice_id)
      join rentals.payment_attempt t on t.entry_id = p.entry_id
      join rentals.authorisation h on h.id = t.authorisation_id
      join rentals.rental of on of.id = h.rental_id
      where (h.payer = 'renter') <> (o.customer_id = of.customer_id)`.execute(owner);
  return rows.map(({ fault }) => fault);
}

/** The renter's damage document, without VAT. */
export async function damaged(db: Db, rental: RentalState, totalMinor: number): Promise<void> {
  const { id: rentalId, entityId, branchId, customerId } = rental;
  const [from, at] = [hoursFromNow(-1), hoursFromNow(0)];
  const party = { caseId: uuidv7(), rentalId, entityId, branchId, customerId, currency: 'EUR' };
  const line = { code: 'damage.repair', netMinor: totalMinor, vatRateBp: 0 } as const;
  const taxes = [{ rateBp: 0, baseMinor: totalMinor, vatMinor: 0 }];
  const amounts = { netMinor: totalMinor, vatMinor: 0, totalMinor };
  const charge = { lines: [line], taxes, ...amounts, limitedBy: 'nothing' } as const;
  await transact(db, 'rentals_rw', AGENT, (tx) =>
    issueDamageDocument(tx, { ...party, from, at }, charge),
  );
}

/** A damage document that the renter agreed to have charged to the card; answers its id. */
export async function lateDocument(
  { db, owner }: TestDatabase,
  rental: RentalState,
  totalMinor: number,
): Promise<string> {
  const { id: rentalId, customerId, branchId, entityId } = rental;
  await recordConsent(db, AGENT, rentalId, hoursFromNow(-1));
  await damaged(db, rental, totalMinor);
  const { rows } = await sql<{ id: string }>`select id from accounting.invoice
    where rental_id = ${rentalId} order by id desc limit 1`.execute(owner);
  const invoiceId = rows[0]?.id ?? '';
  const source = { source: 'damage', sourceId: uuidv7(), currency: 'EUR' } as const;
  const document = { invoiceId, rentalId, customerId, branchId, entityId, ...source };
  await transact(db, 'rentals_rw', AGENT, (tx) => askLateCharge(tx, document));
  return invoiceId;
}

/** The renter is the primary payer, beside one more. */
export async function splitWith(
  db: Db,
  { id: rentalId, customerId }: RentalState,
  over: Partial<PayerShare> & Pick<PayerShare, 'payerId'>,
): Promise<void> {
  const none = { covers: [], percentBp: 0, voucherNetMinor: null, isPrimary: false } as const;
  const renter = { ...none, kind: 'renter', payerId: customerId, isPrimary: true } as const;
  const other = { ...none, kind: 'corporate', ...over } as const;
  await setPayers(db, AGENT, { rentalId, shares: [renter, other] }, null);
}

/** Now, by bank transfer unless told otherwise. */
export function prepay(
  db: Db,
  rentalId: string,
  amountMinor: number,
  tender: 'bank-transfer' | 'deposit' = 'bank-transfer',
) {
  const paid = { id: uuidv7(), rentalId, amountMinor, tender };
  return receivePrepayment(db, AGENT, { ...paid, at: hoursFromNow(0) });
}

/** It pays on account within so many days; null for one that does not. */
export async function companyOf(owner: Kysely<DB>, days: number | null): Promise<string> {
  const id = uuidv7();
  await sql`insert into rentals.customer (id, kind, name, payment_terms_days, credit_limit_minor,
      credit_currency)
    values (${id}, 'company', 'Acme', ${days}, ${days && 100_000}, ${days && 'EUR'})`.execute(
    owner,
  );
  return id;
}
