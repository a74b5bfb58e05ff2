// Deposits that rentals need: held by the rows before keys go out and at the end, settled once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { waiveDeposit } from '../../db/commands/deposit-waivers.ts';
import { refundPrepayment } from '../../db/commands/prepayment-refunds.ts';
import { receiveDeposit } from '../../db/commands/tenders.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { type PaymentOrders, paymentOrders } from '../support/payment-orders.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import {
  booksOf,
  companyOf,
  damaged,
  heldDeposit,
  type MoneyDesk,
  moneyDesk,
  prepay,
  splitWith,
} from '../support/rental-money.ts';

let at: PaymentOrders;
let money: MoneyDesk;
beforeAll(async () => {
  at = await paymentOrders();
  money = await moneyDesk(at.t);
});

const SETTLE = { kind: 'settle' } as const;
const CARD = { kind: 'authorise', payer: 'renter', paymentMethod: CARDS.approve } as const;

/** Its deposit is half of the total of 180.00. */
async function booked(over: object = {}): Promise<RentalState> {
  const branchId = await money.pricedBy({ deposit: { percentBp: 5_000 } });
  return money.book({ branchId, ...over });
}

function hold(rentalId: string, amountMinor: number, payer: 'renter' | 'corporate' = 'renter') {
  return at.order(rentalId, { ...CARD, payer, amountMinor });
}

/** The guard of that name refuses the change of a rental, and nothing else does. */
function refusedBy(guard: string, id: string, to: ReturnType<typeof sql>) {
  return tried(at.t.owner, (tx) => {
    const change = sql`update rentals.rental set ${to}, version = version + 1 where id = ${id}`;
    const without = sql`alter table rentals.rental disable trigger ${sql.id(guard)}`;
    return guarded(tx, () => change.execute(tx), without);
  });
}

async function states(rentalId: string) {
  const { rows } = await sql<{ state: string; captured: number }>`select state,
      captured_minor as captured from rentals.authorisation where rental_id = ${rentalId}
    order by created_at`.execute(at.t.owner);
  return rows.map(({ state, captured }) => `${state} ${captured}`);
}

describe('the rows refuse', () => {
  test('keys, and a longer rental, without the deposit; a shorter one and a waiver pass', async () => {
    const { id } = await at.rentals.handedOut();
    const needed = sql`deposit_minor = 9000`;
    const guard = 'rental_deposit_held';
    expect(await refusedBy(guard, id, needed)).toEqual([guard, 'accepted']);
    await hold(id, 8_999);
    expect(await refusedBy(guard, id, needed)).toEqual([guard, 'accepted']);
    await sql`insert into rentals.deposit_waiver (id, rental_id, amount_minor, reason, waived_by)
      values (${uuidv7()}, ${id}, 1, 'goodwill', 'staff:a')`.execute(at.t.owner);
    expect(await refusedBy(guard, id, needed)).toEqual(['accepted', 'accepted']);
  });

  test('to close while a card is held', async () => {
    const rental = await at.rentals.handedOut();
    await hold(rental.id, 5_000);
    await at.rentals.record(rental, backOf(rental));
    const guard = 'rental_closed_settled';
    expect(await refusedBy(guard, rental.id, sql`status = 'closed'`)).toEqual([guard, 'accepted']);
    const back = await at.rentals.read(rental.id);
    const close = () => at.rentals.record(back, { type: 'close' });
    await expect(close()).rejects.toMatchObject({ code: 'deposit-open' });
    await at.order(rental.id, SETTLE);
    expect((await close()).type).toBe('closed');
  });
});

test('check-out says what is missing; an extension too; killed between, each is done once', async () => {
  const rental = await booked();
  const out = () => money.after(rental, OUT);
  const missing = { holdMinor: 9_000, heldMinor: 0, waivedMinor: 0 };
  await expect(out()).rejects.toMatchObject({ code: 'deposit-required', details: missing });
  await at.lost(rental.id, { ...CARD, amountMinor: 9_000 });
  const active = await out();
  const extend: RentalCommand = { type: 'extend', dueAt: hoursFromNow(119) };
  const more = { holdMinor: 12_600, heldMinor: 9_000, waivedMinor: 0 };
  const refused = money.after(active, extend);
  await expect(refused).rejects.toMatchObject({ code: 'deposit-required', details: more });
  expect(await money.read(rental.id)).toEqual(active);
  await at.lost(rental.id, { kind: 'raise', amountMinor: 12_600 });
  const record = () => money.record(active, extend, { commandId: rental.id });
  expect(await record()).toMatchObject({ ...(await record()), price: { totalMinor: 25_200 } });
  const { rows } = await sql`select h.amount_minor::int as held, (select count(*)::int
      from rentals.payment_attempt join rentals.authorisation a on a.id = authorisation_id
      where a.rental_id = ${rental.id}) as orders
    from simulated_gateway.hold h where h.rental_id = ${rental.id}`.execute(at.t.owner);
  expect(rows).toEqual([{ held: 12_600, orders: 2 }]);
});

test('money that is held secures as well as a card, and the card holds so much less', async () => {
  const rental = await booked();
  const { branchId, customerId } = rental;
  const pay = (amountMinor: number) =>
    receiveDeposit(at.t.db, AGENT, {
      ...{ id: uuidv7(), tender: 'bank-transfer', amountMinor },
      rental: { id: rental.id, entityId: 'FC-AT', branchId, customerId, currency: 'EUR' },
    });
  await pay(5_000);
  const missing = { holdMinor: 4_000, heldMinor: 0, waivedMinor: 0, paidMinor: 5_000 };
  const out = () => money.after(rental, OUT);
  await expect(out()).rejects.toMatchObject({ code: 'deposit-required', details: missing });
  await pay(4_000);
  expect((await out()).status).toBe('active');
});

describe('settled', () => {
  test('the renter’s card pays what is owed, as far as it holds; the rest goes back', async () => {
    const rental = await at.rentals.handedOut();
    await hold(rental.id, 1_000);
    await at.rentals.record(rental, backOf(rental));
    await at.order(rental.id, SETTLE);
    await hold(rental.id, 90_000);
    const { price } = await at.rentals.read(rental.id);
    await at.order(rental.id, SETTLE);
    await hold(rental.id, 90_000);
    await at.order(rental.id, SETTLE);
    const rest = price.totalMinor - 1_000;
    expect(await states(rental.id)).toEqual(['captured 1000', `captured ${rest}`, 'released 0']);
    // Nothing is held any more, so nothing is asked.
    expect((await at.order(rental.id, SETTLE)).declined).toBeNull();
  });

  test('nobody’s card pays what another owes', async () => {
    const payerId = await companyOf(at.t.owner, null);
    const rental = await money.after(await money.book({ payerId }), OUT);
    await hold(rental.id, 90_000);
    await money.after(rental, backOf(rental));
    await at.order(rental.id, SETTLE);
    await hold(rental.id, 90_000, 'corporate');
    await at.order(rental.id, SETTLE);
    const { price } = await money.read(rental.id);
    expect(await states(rental.id)).toEqual(['released 0', `captured ${price.totalMinor}`]);
  });
});

describe('of several payers', () => {
  const DAYS = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(120), coverages: ['cdw'] };
  const brokers = { kind: 'voucher', covers: ['time'], voucherNetMinor: 180_00 } as const;

  const split = async (rental: RentalState, over: Partial<PayerShare>) =>
    splitWith(at.t.db, rental, { ...over, payerId: await companyOf(at.t.owner, null) });
  const returned = async (rental: RentalState) => {
    const out = await money.after(rental, OUT);
    return money.after(out, { ...backOf(out), ...{ odometerKm: 2_000, fuelEighths: 8 } });
  };
  const prepaid = (rental: RentalState, amountMinor: number) =>
    prepay(at.t.db, rental.id, amountMinor);
  const refund = (prepaymentId: string, amountMinor: number) =>
    refundPrepayment(at.t.db, AGENT, {
      ...{ id: uuidv7(), prepaymentId, amountMinor, actor: at.agent, reason: 'overpaid' },
      ...{ shiftId: null, approvalId: null, limitMinor: 100_000 },
    });

  test('a prepayment is no more than the primary’s document', async () => {
    const rental = await money.book(DAYS);
    expect(rental.price.totalMinor).toBe(324_00);
    await split(rental, brokers);
    const refused = { code: 'amount-too-high', details: { limitMinor: 72_00 } };
    for (const amount of [324_00, 72_01]) {
      await expect(prepaid(rental, amount)).rejects.toMatchObject(refused);
    }
    expect((await prepaid(rental, 72_00)).amountMinor).toBe(72_00);
  });

  test('the renter’s leftover pays no other’s document, and goes back to the renter', async () => {
    const rental = await money.book(DAYS);
    const { id } = await prepaid(rental, 324_00);
    await split(rental, brokers);
    await returned(rental);
    // One day's cover: 14.40 of 324.00.
    const before = { renter: 0, other: 216_00, owed: 216_00 - 309_60, held: 0, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual(before);
    await expect(refund(id, 309_61)).rejects.toMatchObject({ code: 'amount-too-high' });
    await refund(id, 309_60);
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...before, owed: 216_00 });
    await expect(refund(id, 1)).rejects.toMatchObject({ code: 'amount-too-high' });
  });

  test('a leftover pays the renter’s later document before any deposit does', async () => {
    const rental = await money.book(DAYS);
    await prepaid(rental, 324_00);
    await heldDeposit(at.t.db, rental.id, 500_00);
    await split(rental, brokers);
    await damaged(at.t.db, await returned(rental), 400_00);
    expect(await booksOf(at.t.owner, rental)).toEqual({
      ...{ renter: 0, other: 216_00, owed: 216_00, off: 0 },
      held: 500_00 - (400_00 - 309_60),
    });
  });

  test('the renter’s deposit and captures pay what the renter owes alone', async () => {
    const rental = await money.book(DAYS);
    await heldDeposit(at.t.db, rental.id, 500_00);
    await split(rental, { covers: ['time'] });
    const back = await returned(rental);
    const paid = { renter: 0, other: 60_00, owed: 60_00, off: 0 };
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...paid, held: 485_60 });
    await damaged(at.t.db, back, 100_00);
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...paid, held: 385_60 });
    await hold(rental.id, 50_00);
    await at.order(rental.id, { kind: 'capture', amountMinor: 50_00 });
    expect(await booksOf(at.t.owner, rental)).toEqual({ ...paid, held: 435_60 });
  });
});

test('an order waits for a rental that is just ending, and then comes too late', async () => {
  const { id } = await booked();
  const ending = at.t.owner.transaction().execute(async (tx) => {
    await sql`update rentals.rental set status = 'cancelled', version = version + 1
      where id = ${id}`.execute(tx);
    const asked = hold(id, 9_000).catch((error: unknown) => error);
    await sql`select pg_sleep(0.1)`.execute(tx);
    return { asked };
  });
  expect(await (await ending).asked).toMatchObject({ type: 'invalid-state' });
});

test('a waiver is within the limit, for no more than is needed, and once', async () => {
  const { id: rentalId, branchId } = await booked();
  const acting = { principal: `staff:${at.agent.id}`, scope: `branches:${branchId}` };
  const over = { actor: at.agent, reason: 'goodwill', approvalId: null } as const;
  const waive = (id: string, amountMinor: number, limitMinor = 50_000) =>
    waiveDeposit(at.t.db, acting, { id, rentalId, amountMinor, limitMinor, ...over });
  await expect(waive(uuidv7(), 9_001)).rejects.toMatchObject({ code: 'amount-too-high' });
  await expect(waive(uuidv7(), 9_000, 8_999)).rejects.toMatchObject({ code: 'limit-exceeded' });
  const id = uuidv7();
  for (let n = 0; n < 2; n += 1) await waive(id, 9_000);
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${id}`.execute(at.t.owner);
  expect(rows).toEqual([{ type: 'forecourt.deposit-waiver.recorded.v1' }]);
  const abroad = { ...acting, scope: 'branches:NONE' };
  const elsewhere = waiveDeposit(at.t.db, abroad, {
    ...{ id: uuidv7(), rentalId, amountMinor: 1, limitMinor: 1 },
    ...over,
  });
  await expect(elsewhere).rejects.toMatchObject({ code: 'not-found' });
});
