// Money that goes back: never more than there is, once, and never out of another payer's pocket.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setPayers } from '../../db/commands/payer-shares.ts';
import type { RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { AGENT, attempt, hoursFromNow } from '../support/fleet.ts';
import { fullRefund, type RefundDesk, refundDesk } from '../support/refund-desk.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import { booksOf, companyOf, moneyFaults, prepay } from '../support/rental-money.ts';
import { someoneWaits } from '../support/waiting.ts';

let at: RefundDesk;
beforeAll(async () => {
  at = await refundDesk();
});

/** Whatever happened here: the accounts are what documents say, and nobody paid another's. */
afterAll(async () => {
  expect(await moneyFaults(at.t.owner)).toEqual([]);
});

const TOO_MUCH = 'amount-too-high';
const outcome = (work: Promise<unknown>) => attempt(work.then(() => 'done'));
/** 180.00; given up now it costs 100.00. */
const soon = { pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) };

describe('while the gateway has not said what became of a refund', () => {
  test('a deposit does not go back a second time, nor is it a prepayment', async () => {
    const rental = await at.money.book();
    const { id } = await at.deposit(rental, 200_00);
    const holdId = await at.captured(rental.id, 200_00);
    await at.owing(rental, rental.customerId, 200_00);
    const key = uuidv7();
    const order = { key, rentalId: rental.id, actor: at.agent, step: fullRefund(holdId, 200_00) };
    await at.pay.beginPayment(order);
    expect(await outcome(at.giveBack(id, 5))).toBe(TOO_MUCH);
    expect(await outcome(at.prepaidOutOfDeposit(rental, 5))).toBe(TOO_MUCH);
    const told = await at.pay.askGateway({ key });
    await at.pay.settlePayment({ actor: at.agent, key, outcome: told });
    const settled = { renter: 0, other: 0, owed: 0, held: 0, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual(settled);
  });

  test('a prepayment does not go back for what the card gets', async () => {
    const rental = await at.money.book(soon);
    const { id } = await prepay(at.t.db, rental.id, 90_00);
    const holdId = await at.captured(rental.id, 90_00);
    await at.prepaidOutOfDeposit(rental, 90_00);
    await at.money.after(rental, { type: 'cancel', reason: 'customer' });
    const order = { rentalId: rental.id, actor: at.agent, step: fullRefund(holdId, 50_00) };
    await at.pay.beginPayment({ ...order, key: uuidv7() });
    expect(await outcome(at.givePrepaidBack(id, 30_05))).toBe(TOO_MUCH);
    await at.givePrepaidBack(id, 30_00);
  });
});

test('a payment goes back as far as it paid its document; the rest of it has paid another', async () => {
  const rental = await at.money.book();
  const { customerId } = rental;
  const first = await at.owing(rental, customerId, 100_00);
  const { id } = await at.paid(first, 300_00);
  await at.paid(await at.owing(rental, customerId, 200_00), 200_00, { tender: 'account' });
  expect(await outcome(at.giveBack(id, 300_00))).toBe(TOO_MUCH);
  await at.giveBack(id, 60_00);
  expect(await outcome(at.giveBack(id, 40_01))).toBe(TOO_MUCH);
  await at.giveBack(id, 40_00);
  const { rows } = await sql<{ open: number }>`select due_minor - settled_minor as open
    from accounting.open_item where rental_id = ${rental.id} order by invoice_id`.execute(
    at.t.owner,
  );
  expect(rows.map(({ open }) => open)).toEqual([100_00, 0]);
});

test('of two refunds that wait for each other one gets what is owed back', async () => {
  const rental = await at.money.book(soon);
  const { id: prepaymentId } = await prepay(at.t.db, rental.id, 90_00);
  const { id: paymentId } = await at.deposit(rental, 90_00);
  await at.prepaidOutOfDeposit(rental, 90_00);
  await at.money.after(rental, { type: 'cancel', reason: 'customer' });
  const both = await at.t.owner.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(
      hashtextextended('rental money ' || ${rental.id}::uuid, 0))`.execute(tx);
    const first = outcome(at.givePrepaidBack(prepaymentId, 80_00));
    await someoneWaits(at.t.owner);
    const second = outcome(at.giveBack(paymentId, 80_00));
    await someoneWaits(at.t.owner, 2);
    return { first, second };
  });
  expect([await both.first, await both.second]).toEqual(['done', TOO_MUCH]);
});

describe('of several payers', () => {
  test('a refund opens the documents of whoever gets it, and one that fails settles them', async () => {
    const rental = await at.money.book();
    const company = await companyOf(at.t.owner, null);
    await at.owing(rental, company, 50_00);
    const holdId = await at.held(rental.id, 100_00, 'renter', CARDS.refundFailed);
    await at.owing(rental, rental.customerId, 100_00);
    await at.order(rental.id, { kind: 'capture', amountMinor: 100_00 });
    await at.paid(await at.owing(rental, company, 500_00), 500_00);
    const over = at.order(rental.id, fullRefund(holdId, 100_01));
    await expect(over).rejects.toMatchObject({ type: TOO_MUCH });
    await at.told();
    await at.order(rental.id, fullRefund(holdId, 40_00));
    const open = { renter: 40_00, other: 50_00, owed: 90_00, held: 0, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual(open);
    await at.told();
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...open, renter: 0, owed: 50_00 });
  });

  test('one that fails when its document is paid otherwise is still theirs, and pays no other’s', async () => {
    const rental = await at.money.book();
    const company = await companyOf(at.t.owner, null);
    const holdId = await at.held(rental.id, 100_00, 'renter', CARDS.refundFailed);
    const theirs = await at.owing(rental, rental.customerId, 100_00);
    await at.order(rental.id, { kind: 'capture', amountMinor: 100_00 });
    await at.told();
    await at.order(rental.id, fullRefund(holdId, 40_00));
    await at.paid(theirs, 40_00);
    await at.owing(rental, company, 50_00);
    await at.told();
    const open = { renter: 0, other: 50_00, owed: 10_00, held: 0, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual(open);
    const kept = sql`select from accounting.rental_money
      where rental_id = ${rental.id} and unapplied_minor = 4000`;
    expect((await kept.execute(at.t.owner)).rows).toHaveLength(1);
    await at.owing(rental, rental.customerId, 25_00);
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...open, owed: 35_00 });
  });

  test('what one was given back of a credit note is gone: another’s pays nothing of theirs', async () => {
    const rental = await at.money.book();
    const { customerId } = rental;
    const holdId = await at.held(rental.id, 100_00);
    const renters = await at.owing(rental, customerId, 100_00);
    await at.order(rental.id, { kind: 'capture', amountMinor: 100_00 });
    const company = await companyOf(at.t.owner, null);
    const theirs = await at.owing(rental, company, 100_00);
    const { id } = await at.paid(theirs, 100_00);
    await at.credited(renters);
    await at.credited(theirs);
    await at.order(rental.id, fullRefund(holdId, 100_00));
    await at.owing(rental, customerId, 60_00);
    const left = { renter: 60_00, other: 0, held: 0, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...left, owed: -40_00 });
    await at.giveBack(id, 100_00);
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...left, owed: 60_00 });
  });

  test('nobody is paid back with what another is owed', async () => {
    const rental = await at.money.book(soon);
    const { id } = await prepay(at.t.db, rental.id, 180_00);
    await at.money.after(rental, { type: 'cancel', reason: 'customer' });
    const theirs = await at.owing(rental, await companyOf(at.t.owner, null), 70_00);
    await at.paid(theirs, 70_00);
    await at.credited(theirs);
    expect(await outcome(at.givePrepaidBack(id, 80_01))).toBe(TOO_MUCH);
    await at.givePrepaidBack(id, 80_00);
  });

  test('a company’s card pays that company’s document alone', async () => {
    const rental = await at.money.book({ coverages: ['cdw'] });
    const kinds = ['insurer', 'corporate', 'voucher'] as const;
    const [insurer = '', employer = '', broker = ''] = await Promise.all(
      kinds.map(() => companyOf(at.t.owner, null)),
    );
    const none = { covers: [], percentBp: 0, voucherNetMinor: null, isPrimary: false } as const;
    const shares = [
      { ...none, kind: 'renter', payerId: rental.customerId, isPrimary: true },
      { ...none, kind: 'insurer', payerId: insurer, covers: ['coverage'] },
      { ...none, kind: 'corporate', payerId: employer, percentBp: 2_500 },
      { ...none, kind: 'voucher', payerId: broker, covers: ['time'], voucherNetMinor: 40_00 },
    ] as const;
    await setPayers(at.t.db, AGENT, { rentalId: rental.id, shares }, null);
    const out = await at.money.after(rental, OUT);
    await at.money.after(out, backOf(out));
    await at.held(rental.id, 900_00, 'insurer');
    await at.order(rental.id, { kind: 'settle' });
    await at.held(rental.id, 900_00, 'corporate');
    await at.order(rental.id, { kind: 'settle' });
    const { rows } = await sql<{ who: string; due: number; settled: number }>`select
        customer_id as who, due_minor as due, settled_minor as settled
      from accounting.open_item where rental_id = ${rental.id} order by invoice_id`.execute(
      at.t.owner,
    );
    expect(rows.map(({ who, due, settled }) => [who, due === settled])).toEqual([
      ...[
        [rental.customerId, false],
        [insurer, true],
        [employer, true],
        [broker, false],
      ],
    ]);
  });
});

describe('a deposit', () => {
  const needs = async () => {
    const branchId = await at.money.pricedBy({ deposit: { percentBp: 5_000 } });
    return at.money.book({ branchId });
  };

  test('waits for a rental that is just ending, and then comes too late; what is held goes back', async () => {
    const rental = await at.money.book();
    const { id } = await at.deposit(rental, 50_00);
    const both = await at.t.owner.transaction().execute(async (tx) => {
      await sql`update rentals.rental set status = 'cancelled', version = version + 1
        where id = ${rental.id}`.execute(tx);
      const coming = outcome(at.deposit(rental, 50_00));
      const going = outcome(at.giveBack(id, 50_00));
      await someoneWaits(at.t.owner, 2);
      return { coming, going };
    });
    expect([await both.coming, await both.going]).toEqual(['invalid-state', 'done']);
  });

  test('that is on its way back secures no keys, whoever comes first', async () => {
    const refused = (holdId: string, rental: RentalState, amountMinor: number) => {
      const order = { key: uuidv7(), rentalId: rental.id, actor: at.agent };
      const asked = at.pay.beginPayment({ ...order, step: fullRefund(holdId, amountMinor) });
      return asked.then(
        () => 'asked',
        ({ type }) => type,
      );
    };
    const rental = await needs();
    const holdId = await at.captured(rental.id, 90_00);
    expect(await refused(holdId, rental, 5)).toBe('asked');
    expect(await outcome(at.money.after(rental, OUT))).toBe('deposit-required');
    const next = await needs();
    const captured = await at.captured(next.id, 90_00);
    const { going } = await at.t.owner.transaction().execute(async (tx) => {
      await sql`select set_config('app.principal', ${AGENT}, true)`.execute(tx);
      await sql`update rentals.rental set status = 'active', deposit_minor = 9000,
          vehicle_id = (select vehicle_id from vehicles.span where ref = ${next.id}),
          checked_out_at = now(), odometer_out_km = 0, fuel_out_eighths = 8,
          version = version + 1 where id = ${next.id}`.execute(tx);
      const waiting = refused(captured, next, 5);
      await someoneWaits(at.t.owner);
      return { going: waiting };
    });
    expect(await going).toBe('deposit-required');
  });

  test('that secures a rental under way does not go back before another does', async () => {
    const rental = await needs();
    const { id } = await at.deposit(rental, 100_00);
    const out = await at.money.after(rental, OUT);
    expect(await outcome(at.giveBack(id, 10_05))).toBe('deposit-required');
    await at.giveBack(id, 10_00);
    await at.held(rental.id, 90_00);
    await at.giveBack(id, 30_00);
    await at.order(rental.id, { kind: 'release' });
    expect(await outcome(at.giveBack(id, 5))).toBe('deposit-required');
    await at.money.after(out, backOf(out));
  });
});
