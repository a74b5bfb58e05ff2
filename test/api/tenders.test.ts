// Payments over HTTP that no gateway carries: on invoices, as deposits, given back, and in the books.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { RentalState } from '../../domain/rental.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { type CashDesk, cashDesk, ofShift, taken } from '../support/cash-desk.ts';
import { AGENT, CLASS, hoursFromNow } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { moneyFaults } from '../support/rental-money.ts';

let api: TestApi;
let desk: CashDesk;
let [branchId, customerId] = ['', ''];
const post: CashDesk['post'] = (...call) => desk.post(...call);
const opened: CashDesk['opened'] = (...call) => desk.opened(...call);
const invoiced: CashDesk['invoiced'] = (...call) => desk.invoiced(...call);
const legs: CashDesk['legs'] = (...call) => desk.legs(...call);

beforeAll(async () => {
  api = await testApi();
  desk = await cashDesk(api);
  ({ branchId, customerId } = desk);
});

describe('a payment on an invoice', () => {
  const openOf = async (id: string): Promise<readonly number[]> => {
    const { body } = await api.call('GET', `/api/v1/invoices/${id}`);
    return [body.dueMinor, body.settledMinor, body.openMinor];
  };

  test('lowers what is open, never below nothing, once for its key', async () => {
    const [id, shiftId] = [await invoiced(), await opened()];
    const path = `/invoices/${id}/payments`;
    const cash = { tender: 'cash', shiftId };
    const key = randomUUID();
    const first = await taken(post(path, { ...cash, amountMinor: 5_000 }, { key }));
    expect(await taken(post(path, { ...cash, amountMinor: 5_000 }, { key }))).toEqual(first);
    expect(await openOf(id)).toEqual([12_000, 5_000, 7_000]);
    const over = { ...cash, amountMinor: 7_005 };
    expectProblem(await post(path, over), 422, 'amount-too-high');
    expectProblem(await post(path, { ...cash, amountMinor: 4_999 }), 422, 'value-refused');
    const none = { tender: 'cash', shiftId: uuidv7(), amountMinor: 5 };
    expectProblem(await post(path, none), 409, 'invalid-state');
    const rest = async () => (await post(path, { ...cash, amountMinor: 7_000 })).status;
    expect((await Promise.all([rest(), rest()])).toSorted()).toEqual([201, 422]);
    expect(await openOf(id)).toEqual([12_000, 12_000, 0]);
  });

  test('in cash is rounded to the smallest coin; the rest is on 5430, and goes back at last', async () => {
    const [id, shiftId] = [await invoiced(12_002), await opened()];
    const cash = { tender: 'cash', shiftId, amountMinor: 12_000 };
    const paid = await taken(post(`/invoices/${id}/payments`, cash));
    expect(await openOf(id)).toEqual([12_002, 12_002, 0]);
    expect(await legs(ofShift(shiftId))).toEqual([
      ...['tender.received 1000 12000', 'tender.received 1200 -12002', 'tender.received 5430 2'],
    ]);
    const back = { amountMinor: 6_000, reason: 'goodwill', shiftId };
    for (let n = 0; n < 2; n += 1) await taken(post(`/payments/${paid.id}/refunds`, back));
    expect(await openOf(id)).toEqual([12_002, 0, 12_002]);
  });

  test('by transfer keeps what is too much on account, which pays the next and nets none', async () => {
    const customer = uuidv7();
    const [first, second] = [await invoiced(12_000, customer), await invoiced(10_000, customer)];
    const transfer = { tender: 'bank-transfer', amountMinor: 15_000 };
    const paid = await taken(post(`/invoices/${first}/payments`, transfer));
    expect([paid.appliedMinor, paid.unappliedMinor]).toEqual([12_000, 3_000]);
    const query = `customerId=${customer}`;
    const { items } = await taken(api.call('GET', `/api/v1/receivables/ageing?${query}`));
    expect(items).toMatchObject([
      { openMinor: 10_000, to30Minor: 10_000, over90Minor: 0, onAccountMinor: 3_000 },
    ]);
    const path = `/invoices/${second}/payments`;
    const much = await post(path, { tender: 'account', amountMinor: 3_001 });
    expectProblem(much, 422, 'amount-too-high');
    await taken(post(path, { tender: 'account', amountMinor: 3_000 }));
    const left = await taken(api.call('GET', `/api/v1/receivables?${query}`));
    expect(left.items).toMatchObject([{ invoiceId: second, openMinor: 7_000, days: 0 }]);
    // Nothing of it is on account any more: what goes back is of the document, which is open again.
    const back = { amountMinor: 2_000, reason: 'asked for it' };
    await taken(post(`/payments/${paid.id}/refunds`, back));
    expect(await openOf(first)).toEqual([12_000, 10_000, 2_000]);
  });

  test('goes back in its tender: cash up to 100.00 in all, beyond by bank', async () => {
    const [id, shiftId] = [await invoiced(30_000), await opened()];
    const cash = { tender: 'cash', shiftId, amountMinor: 30_000 };
    const paid = await taken(post(`/invoices/${id}/payments`, cash));
    const path = `/payments/${paid.id}/refunds`;
    const back = { amountMinor: 6_000, reason: 'goodwill', shiftId };
    expectProblem(await post(path, { ...back, shiftId: await opened() }), 422, 'amount-too-high');
    for (let n = 0; n < 2; n += 1) await taken(post(path, back));
    const audit = await taken(api.call('GET', `/api/v1/audit?subjectId=${paid.id}`));
    expect(audit.items[0]).toMatchObject({ reason: 'see accounting.payment_refund' });
    expectProblem(await post(path, { ...back, amountMinor: 18_005 }), 422, 'amount-too-high');
    const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
    const call = { token: await tokenOf(agent), body: back };
    expectProblem(await api.call('POST', `/api/v1${path}`, call), 403, 'limit-exceeded');
    const refunds = sql`e.source = 'tender.refunded' and e.id in (select entry_id
      from accounting.payment_refund where payment_id = ${paid.id})`;
    expect(await legs(refunds)).toEqual([
      ...['tender.refunded 1200 6000', 'tender.refunded 1000 -6000'],
      ...['tender.refunded 1200 6000', 'tender.refunded 1010 -6000'],
    ]);
    expect(await openOf(id)).toEqual([30_000, 18_000, 12_000]);
  });
});

test('what names only a rental pays its oldest invoice first, and is taken back from the newest', async () => {
  const rentalId = uuidv7();
  const owed = (totalMinor: number) => invoiced(totalMinor, customerId, rentalId);
  const invoices = [await owed(10_000), await owed(5_000)];
  const moved = async (source: string, amountMinor: number): Promise<readonly number[]> => {
    const leg = (account: string, minor: number) => ({
      ...{ account, currency: 'EUR', amountMinor: minor, baseMinor: minor },
    });
    const payment = {
      ...{ id: uuidv7(), key: randomUUID(), entityId: 'FC-AT', rentalId, currency: 'EUR', source },
      ...{ effectiveAt: hoursFromNow(0) },
      postings: [leg('1020', amountMinor), leg('1200', -amountMinor)],
    };
    await transact(api.database.db, 'rentals_rw', AGENT, (tx) =>
      sql`select accounting.post_payment(${JSON.stringify(payment)})`.execute(tx),
    );
    const { rows } = await transact(api.database.db, 'rentals_rw', AGENT, (tx) =>
      sql<{ open: number }>`select accounting.open_amount(i) as open
        from unnest(${[...invoices]}::uuid[]) i`.execute(tx),
    );
    return rows.map(({ open }) => open);
  };
  expect(await moved('payment.capture', 12_000)).toEqual([0, 3_000]);
  expect(await moved('payment.refund', -4_000)).toEqual([2_000, 5_000]);
});

const booked = (from: number) =>
  reserveRental(api.database.db, AGENT, {
    ...{ id: uuidv7(), branchId, classId: CLASS, customerId },
    ...{ pickUpAt: hoursFromNow(from), dueAt: hoursFromNow(from + 48) },
  });

const cancelled = ({ id: rentalId, version }: RentalState, reason: 'customer' | 'fleet') =>
  recordCommand(api.database.db, AGENT, {
    ...{ commandId: uuidv7(), rentalId, version, command: { type: 'cancel', reason } },
  });

test('a deposit that became a prepayment goes back with it, less the fee', async () => {
  const rental = await booked(100);
  const { id } = rental;
  const paid = { tender: 'bank-transfer', amountMinor: 30_000 };
  const held = await taken(post(`/rentals/${id}/cash-deposit`, paid));
  await taken(post(`/rentals/${id}/prepayments`, { tender: 'deposit', amountMinor: 12_000 }));
  const path = `/payments/${held.id}/refunds`;
  const back = { amountMinor: 18_005, reason: 'returned' };
  expectProblem(await post(path, back), 422, 'amount-too-high');
  await cancelled(rental, 'customer');
  expectProblem(await post(path, { ...back, amountMinor: 25_005 }), 422, 'amount-too-high');
  await taken(post(path, { ...back, amountMinor: 25_000 }));
  const returned = sql`e.rental_id = ${id} and e.source = 'tender.deposit-returned'`;
  const allButTheFee = ['1010 -25000', '2120 13000', '1200 12000'];
  expect((await legs(returned)).map((leg) => leg.slice(24))).toEqual(allButTheFee);
  const { rows } = await sql`select from accounting.entry e
    join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
    where e.rental_id = ${id} and a.code in ('1200', '2100', '2120')
    group by a.code having sum(l.amount) <> 0`.execute(api.database.owner);
  expect(rows).toEqual([]);
});

test('a prepayment in cash goes back by the entity’s terms: coins, and much of it by bank', async () => {
  const rental = await booked(100);
  const { id } = rental;
  const shiftId = await opened();
  const cash = { tender: 'cash', shiftId, amountMinor: 5_000 };
  const prepaid = await taken(post(`/rentals/${id}/prepayments`, cash));
  await cancelled(rental, 'fleet');
  const terms = (minor: number) =>
    sql`update accounting.cash_terms set cash_refund_minor = ${minor}`.execute(api.database.owner);
  await terms(2_000);
  const back = (amountMinor: number) =>
    post(`/prepayments/${prepaid.id}/refund`, { amountMinor, reason: 'cancelled', shiftId });
  expectProblem(await back(1_998), 422, 'value-refused');
  for (const amountMinor of [2_000, 1_000, 2_000]) await taken(back(amountMinor));
  await terms(10_000);
  expect(await legs(sql`e.rental_id = ${id} and e.source = 'payment.refund'`)).toEqual([
    ...['payment.refund 1200 2000', 'payment.refund 1000 -2000'],
    ...['payment.refund 1200 1000', 'payment.refund 1010 -1000'],
    ...['payment.refund 1200 2000', 'payment.refund 1010 -2000'],
  ]);
});

test('a prepayment is cash or a slip like any: coins, the law’s limit, an open shift, counted', async () => {
  const { id } = await booked(100);
  const shiftId = await opened();
  const path = `/rentals/${id}/prepayments`;
  const cash = { tender: 'cash', shiftId, amountMinor: 5_000 };
  expectProblem(await post(path, { ...cash, amountMinor: 5_001 }), 422, 'value-refused');
  await taken(post(path, cash));
  const deposit = `/rentals/${id}/cash-deposit`;
  expectProblem(await post(deposit, { ...cash, amountMinor: 995_005 }), 422, 'amount-too-high');
  await taken(post(deposit, { ...cash, amountMinor: 995_000 }));
  expectProblem(await post(path, { ...cash, amountMinor: 5 }), 422, 'amount-too-high');
  const slip = { tender: 'card', shiftId, terminalBatch: 'P-1', amountMinor: 2_000 };
  expectProblem(await post(path, { ...slip, shiftId: uuidv7() }), 409, 'invalid-state');
  await taken(post(path, slip));
  await taken(post(`/drawer-shifts/${shiftId}/counting`, undefined, { version: 1 }));
  expectProblem(await post(path, slip), 409, 'invalid-state');
  const count = { denominations: [], terminals: [{ batch: 'P-1', slips: 1, amountMinor: 2_000 }] };
  await taken(post(`/drawer-shifts/${shiftId}/count`, count, { version: 2 }));
  const { terminals } = await taken(api.call('GET', `/api/v1/drawer-shifts/${shiftId}`));
  expect(terminals).toMatchObject([{ batch: 'P-1', bookedSlips: 1, bookedMinor: 2_000 }]);
});

test('a deposit in cash is held, pays no more cash than the law allows, and goes back', async () => {
  const rental = await booked(1);
  const shiftId = await opened();
  const path = `/rentals/${rental.id}/cash-deposit`;
  const cash = { tender: 'cash', shiftId, amountMinor: 20_000 };
  const held = await taken(post(path, cash));
  expectProblem(await post(path, { ...cash, amountMinor: 980_005 }), 422, 'amount-too-high');
  const back = { amountMinor: 15_000, reason: 'returned', shiftId };
  expect((await taken(post(`/payments/${held.id}/refunds`, back))).refundedMinor).toBe(15_000);
  const rest = { ...back, amountMinor: 5_000 };
  await taken(post(`/payments/${held.id}/refunds`, rest));
  expect(await legs(sql`e.rental_id = ${rental.id}`)).toEqual([
    ...['tender.deposit 1000 20000', 'tender.deposit 2120 -20000'],
    ...['tender.deposit-returned 1010 -15000', 'tender.deposit-returned 2120 15000'],
    ...['tender.deposit-returned 1000 -5000', 'tender.deposit-returned 2120 5000'],
  ]);
});

test('the accounts are what the rows of drawers, safes and open documents say', async () => {
  const { rows } = await sql<{ code: string; booked: number; kept: number }>`
    select a.code, sum(l.amount)::bigint as booked, case a.code
      when '1000' then (select sum(amount_minor) from accounting.cash_movement)
      when '1005' then (select sum(amount_minor) from accounting.branch_safe)
      when '2120' then -(select sum(deposit_minor) from accounting.rental_money)
      when '2160' then -(select sum(amount_minor) from accounting.money_on_account)
      else (select sum(due_minor - settled_minor) from accounting.open_item) end::bigint as kept
    from accounting.line l join accounting.account a on a.id = l.account_id
    where a.code in ('1000', '1005', '1200', '2120', '2160') group by a.code order by 1`.execute(
    api.database.owner,
  );
  expect(rows.map(({ code }) => code)).toEqual(['1000', '1005', '1200', '2120', '2160']);
  for (const { code, booked, kept } of rows) expect([code, booked]).toEqual([code, kept]);
  expect(await moneyFaults(api.database.owner)).toEqual([]);
});
