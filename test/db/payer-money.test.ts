// Whose money it is: credit is checked wherever more is owed, and nobody pays another's documents.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { receiveDeposit } from '../../db/commands/tenders.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { Amend, RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { ABOVE, type ExchangeDesk, exchange, exchangeDesk } from '../support/exchange-desk.ts';
import { AGENT, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import { booksOf, damaged, heldDeposit, prepay } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: ExchangeDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await exchangeDesk(t);
});

async function company(limitMinor: number | null = null): Promise<string> {
  const id = uuidv7();
  const credit = { credit_limit_minor: limitMinor, credit_currency: limitMinor && 'EUR' };
  await t.owner
    .insertInto('rentals.customer')
    .values({ id, name: 'Acme', kind: 'company', ...credit } as never)
    .execute();
  return id;
}

type Part = Partial<PayerShare> & Pick<PayerShare, 'payerId'>;

function split({ id: rentalId }: RentalState, ...[primary, ...others]: readonly Part[]) {
  const none = { covers: [], percentBp: 0, voucherNetMinor: null } as const;
  const shares = [
    { ...none, kind: 'corporate' as const, isPrimary: true, payerId: '', ...primary },
    ...others.map((one) => ({ ...none, kind: 'renter' as const, isPrimary: false, ...one })),
  ];
  return setPayers(t.db, AGENT, { rentalId, shares }, null);
}

async function returned(rental: RentalState): Promise<RentalState> {
  const out = await desk.after(await desk.read(rental.id), OUT);
  return desk.after(out, { ...backOf(out), ...{ odometerKm: 2_000, fuelEighths: 8 } });
}

const refused = { code: 'credit-limit' };
// 150.00 + 30.00, or one day of it: 50.00 + 10.00.
const days = (n: number) => ({ pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(10 + n * 24) });
const amend = (rental: RentalState, more: Partial<Amend>) =>
  desk.record(rental, { type: 'amend', ...more });

describe('credit is checked', () => {
  test('when an amendment names the payer, or makes it dearer; less may always be booked', async () => {
    const payerId = await company(100_00);
    const rental = await desk.book(days(3));
    await expect(amend(rental, { payerId })).rejects.toMatchObject(refused);
    const short = await desk.book({ ...days(1), payerId });
    await expect(amend(short, days(3))).rejects.toMatchObject(refused);
    const lower = sql`update rentals.customer set credit_limit_minor = 1, version = version + 1
      where id = ${payerId}`;
    await lower.execute(t.owner);
    await amend(short, { promotion: null });
  });

  test('when a no-show is taken back', async () => {
    const payerId = await company(200_00);
    const gone = await desk.awaited();
    await sql`update rentals.rental set payer_id = ${payerId}, version = version + 1
      where id = ${gone.id}`.execute(t.owner);
    const absent = await desk.after(await desk.read(gone.id), { type: 'noShow' });
    await desk.book({ ...days(1), payerId });
    const again = desk.record(absent, { type: 'reinstate' });
    await expect(again).rejects.toMatchObject(refused);
  });

  test('when an exchange costs more, which has to be secured, too', async () => {
    const branchId = await desk.pricedBy({ deposit: { percentBp: 5_000 } });
    await desk.plantOf(branchId, ABOVE);
    await desk.pricedAbove(branchId);
    // 180.00, and 60.00 + 12.00 for the better class.
    const payerId = await company(252_00);
    const booked = await desk.book({ branchId, payerId });
    await heldDeposit(t.db, booked.id, 90_00);
    const rental = await desk.after(booked, OUT);
    const better = exchange(rental, { reason: 'upgrade', paidUpgrade: true });
    const missing = { code: 'deposit-required', details: { paidMinor: 90_00, holdMinor: 36_00 } };
    await expect(desk.record(rental, better)).rejects.toMatchObject(missing);
    await heldDeposit(t.db, booked.id, 36_00, 'more');
    const limit = (minor: number) =>
      sql`update rentals.customer set credit_limit_minor = ${minor}, version = version + 1
        where id = ${payerId}`.execute(t.owner);
    await limit(251_99);
    await expect(desk.record(rental, better)).rejects.toMatchObject(refused);
    await limit(252_00);
    expect((await desk.after(rental, better)).price.totalMinor).toBe(252_00);
  });

  test('for each payer of a split, by what that payer’s document would be', async () => {
    const [one, two] = [await company(100_00), await company(110_00)];
    const rental = await desk.book({ ...days(3), coverages: ['cdw'] });
    // 180.00 for the time, 43.20 for the cover.
    await expect(split(rental, { payerId: one })).rejects.toMatchObject({
      details: { exposureMinor: 223_20, bookedMinor: 223_20 },
    });
    const { customerId } = rental;
    const half = { kind: 'corporate', percentBp: 5_000 } as const;
    const cover = { kind: 'insurer', covers: ['coverage'] } as const;
    const time = { payerId: customerId };
    await split(rental, time, { payerId: one, ...half }, { payerId: two, ...cover });
    const more = desk.book({ ...days(1), payerId: one });
    await expect(more).rejects.toMatchObject({ details: { exposureMinor: 150_00 } });
    await desk.book({ ...days(1), payerId: two, branchId: await yard() });
  });

  test('with what a record owes that was merged into the payer’s', async () => {
    const [payerId, twin] = [await company(130_00), await company()];
    await returned(await desk.book({ payerId: twin }));
    await desk.book({ ...days(1), payerId: twin });
    await mergeCustomers(t.db, AGENT, { survivorId: payerId, duplicateId: twin });
    const figures = { owedMinor: 60_00, bookedMinor: 120_00, exposureMinor: 180_00 };
    await expect(desk.book({ ...days(1), payerId })).rejects.toMatchObject({ details: figures });
  });
});

test('nobody of the sandbox pays for a live rental, neither alone nor beside others', async () => {
  const payerId = uuidv7();
  await sql`insert into rentals.customer (id, kind, name, is_sandbox)
    values (${payerId}, 'company', 'Acme', true)`.execute(t.owner);
  const rental = await desk.book(days(1));
  const refusal = { code: 'not-found' };
  await expect(amend(rental, { payerId })).rejects.toMatchObject(refusal);
  await expect(split(rental, { payerId })).rejects.toMatchObject(refusal);
});

async function yard(): Promise<string> {
  return (await plantFleet(t.db, { vehicles: 1 })).branchId;
}

async function documentsOf({ id }: RentalState) {
  const { rows } = await sql<{ kind: number; payer: string; total: number; prepaid: number }>`
    select kind, customer_id as payer, total_minor as total,
      (prepaid_net_minor + prepaid_vat_minor)::bigint as prepaid
    from accounting.invoice where rental_id = ${id} order by id`.execute(t.owner);
  return rows.map(({ kind, payer, total, prepaid }) => [kind, payer, total, prepaid]);
}

describe('of several payers', () => {
  const one = { branchId: '' };
  beforeAll(async () => {
    one.branchId = (await plantFleet(t.db, { vehicles: 9 })).branchId;
  });

  test('a prepayment and a fee are the primary payer’s', async () => {
    const corporate = await company();
    const rental = await desk.book({ ...days(3), coverages: ['cdw'], ...one });
    const { customerId } = rental;
    await split(rental, { payerId: corporate }, { payerId: customerId, covers: ['coverage'] });
    await prepay(t.db, rental.id, 120_00);
    await desk.after(rental, { type: 'cancel', reason: 'customer' });
    expect(await documentsOf(rental)).toEqual([
      [386, corporate, 120_00, 0],
      [380, corporate, 100_00, 0],
      [381, corporate, 120_00, 0],
    ]);
  });

  test('an invoice deducts what its own customer prepaid; the rest goes back to who paid', async () => {
    const corporate = await company();
    const rental = await desk.book(one);
    const { customerId } = rental;
    await prepay(t.db, rental.id, 30_00);
    await split(rental, { payerId: corporate }, { payerId: customerId, covers: ['coverage'] });
    await prepay(t.db, rental.id, 20_00);
    await returned(rental);
    expect(await documentsOf(rental)).toEqual([
      [386, customerId, 30_00, 0],
      [386, corporate, 20_00, 0],
      [380, corporate, 60_00, 20_00],
      [381, customerId, 30_00, 0],
    ]);
    const steal = sql`insert into accounting.prepayment_deduction
      select i.id, p.id, 2000, 1, 0 from accounting.invoice i, accounting.invoice p
      where i.rental_id = ${rental.id} and i.kind = 380 and p.rental_id = i.rental_id
        and p.customer_id = ${customerId} and p.kind = 386`;
    await expect(steal.execute(t.owner)).rejects.toMatchObject({ code: 'FC001' });
  });

  test('the renter’s deposit pays nothing that a company owes', async () => {
    const payerId = await company();
    const rental = await desk.book({ payerId, ...one });
    const deposited = async ({ id, customerId, branchId }: RentalState) =>
      receiveDeposit(t.db, AGENT, {
        ...{ id: uuidv7(), tender: 'bank-transfer', amountMinor: 200_00 },
        rental: { id, entityId: 'FC-AT', branchId, customerId, currency: 'EUR' },
      });
    await deposited(rental);
    const spent = prepay(t.db, rental.id, 10_00, 'deposit');
    await expect(spent).rejects.toMatchObject({ code: 'invalid-state' });
    await returned(rental);
    const open = { renter: 0, other: 60_00, owed: 60_00, held: 200_00, off: 0 };
    expect(await booksOf(t.owner, rental)).toEqual(open);
    const never = await desk.book({ ...days(3), payerId, ...one });
    await deposited(never);
    await desk.after(never, { type: 'cancel', reason: 'customer' });
    expect(await booksOf(t.owner, never)).toEqual({ ...open, other: 100_00, owed: 100_00 });
  });

  test('what names nobody pays nobody’s document, and waits to be seen', async () => {
    const rental = await desk.book(one);
    await damaged(t.db, rental, 30_00);
    await damaged(t.db, { ...rental, customerId: await company() }, 20_00);
    const leg = (account: string, amountMinor: number) => ({
      ...{ account, currency: 'EUR', amountMinor, baseMinor: amountMinor },
    });
    const entry = {
      ...{ id: uuidv7(), key: uuidv7(), entityId: 'FC-AT', rentalId: rental.id, currency: 'EUR' },
      ...{ source: 'payment.capture', effectiveAt: hoursFromNow(0) },
      postings: [leg('1020', 25_00), leg('1200', -25_00)],
    };
    await transact(t.db, 'rentals_rw', AGENT, (tx) =>
      sql`select accounting.post_payment(${JSON.stringify(entry)})`.execute(tx),
    );
    const open = { renter: 30_00, other: 20_00, owed: 25_00, held: 0, off: 0 };
    expect(await booksOf(t.owner, rental)).toEqual(open);
    const kept = sql`select from accounting.rental_money
      where rental_id = ${rental.id} and unapplied_minor = 2500`;
    expect((await kept.execute(t.owner)).rows).toHaveLength(1);
  });
});
