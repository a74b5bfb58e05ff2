// Deposits that rentals need: held by the rows before keys go out and at the end, settled once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { waiveDeposit } from '../../db/commands/deposit-waivers.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { type PaymentOrders, paymentOrders } from '../support/payment-orders.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import { type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

let at: PaymentOrders;
let money: MoneyDesk;
beforeAll(async () => {
  at = await paymentOrders();
  money = await moneyDesk(at.t);
});

const SETTLE = { kind: 'settle' } as const;

/** Its deposit is half of the total of 180.00. */
async function booked(over: object = {}): Promise<RentalState> {
  const branchId = await money.pricedBy({ deposit: { percentBp: 5_000 } });
  return money.book({ branchId, ...over });
}

function hold(rentalId: string, amountMinor: number, payer: 'renter' | 'corporate' = 'renter') {
  const card = { payer, amountMinor, paymentMethod: CARDS.approve } as const;
  return at.order(rentalId, { kind: 'authorise', ...card });
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

test('check-out says what is missing; an extension too, and changes nothing', async () => {
  const rental = await booked();
  const out = () => money.after(rental, OUT);
  const missing = { holdMinor: 9_000, heldMinor: 0, waivedMinor: 0 };
  await expect(out()).rejects.toMatchObject({ code: 'deposit-required', details: missing });
  await hold(rental.id, 9_000);
  const active = await out();
  expect(active.status).toBe('active');
  const extend: RentalCommand = { type: 'extend', dueAt: hoursFromNow(119) };
  const more = { holdMinor: 12_600, heldMinor: 9_000, waivedMinor: 0 };
  const refused = money.after(active, extend);
  await expect(refused).rejects.toMatchObject({ code: 'deposit-required', details: more });
  expect(await money.read(rental.id)).toEqual(active);
  for (let n = 0; n < 2; n += 1) await at.order(rental.id, { kind: 'raise', amountMinor: 12_600 });
  expect((await money.after(active, extend)).price.totalMinor).toBe(25_200);
  const { rows } = await sql`select from rentals.payment_attempt p join rentals.authorisation a
    on a.id = p.authorisation_id where rental_id = ${rental.id}`.execute(at.t.owner);
  expect(rows).toHaveLength(2);
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
    const payerId = await companyOf(null);
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

async function companyOf(days: number | null): Promise<string> {
  const id = uuidv7();
  await sql`insert into rentals.customer (id, kind, name, payment_terms_days, credit_limit_minor,
      credit_currency)
    values (${id}, 'company', 'Acme', ${days}, ${days && 100_000}, ${days && 'EUR'})`.execute(
    at.t.owner,
  );
  return id;
}

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
