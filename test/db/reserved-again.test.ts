// No-shows and rentals that are reserved once more, on the real database: grace, fee and deposit.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { issueCreditNote } from '../../db/commands/credit-notes.ts';
import { creditPrepayments } from '../../db/commands/prepayments.ts';
import { walkUp } from '../../db/commands/walk-ups.ts';
import { shownNoShow } from '../../db/kept-until.ts';
import { instantAt, localDate } from '../../domain/calendar.ts';
import { dateAfter } from '../../domain/opening-hours.ts';
import type { RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { AGENT, attempt, book, hoursFromNow, spanOf } from '../support/fleet.ts';
import { type PaymentOrders, paymentOrders } from '../support/payment-orders.ts';
import { OUT, type RentalDesk } from '../support/rental-desk.ts';
import {
  companyOf,
  entryOf,
  type MoneyDesk,
  moneyDesk,
  prepay,
  splitWith,
} from '../support/rental-money.ts';

let at: PaymentOrders;
let t: PaymentOrders['t'];
let desk: RentalDesk;
let money: MoneyDesk;
beforeAll(async () => {
  at = await paymentOrders();
  ({ t, rentals: desk } = at);
  money = await moneyDesk(t);
});

const SETTLE = { kind: 'settle' } as const;
const undo = {
  type: 'undoCheckOut',
  odometerKm: 2_005,
  fuelEighths: 7,
  reason: 'typing',
} as const;

const earlier: RentalDesk['earlier'] = (...passed) => desk.earlier(...passed);

/** The same leg on the other side. */
function turned(leg: string): string {
  const [account, amount] = leg.split(' ');
  return `${account} ${-Number(amount)}`;
}

/** Its deposit is half of the total of 180.00. */
async function booked(): Promise<RentalState> {
  const branchId = await money.pricedBy({ deposit: { percentBp: 5_000 } });
  return money.book({ branchId });
}

function hold(rentalId: string, amountMinor: number) {
  const card = { payer: 'renter', amountMinor, paymentMethod: CARDS.approve } as const;
  return at.order(rentalId, { kind: 'authorise', ...card });
}

test('an undone check-out gives back what an announced return took: the calendar ends with the rental again', async () => {
  const reserved = await desk.reserved(hoursFromNow(0), hoursFromNow(20));
  await desk.record(reserved, OUT);
  const rental = await desk.read(reserved.id);
  const [from, to] = [hoursFromNow(25), hoursFromNow(40)];
  const behind = await book(t.db, { branchId: rental.branchId, from, to });
  await desk.record(rental, { type: 'announceReturn', at: hoursFromNow(30) });
  const undone = await desk.record(await desk.read(rental.id), undo);
  const { until } = await spanOf(t.owner, rental.id);
  expect(Date.parse(until)).toBe(Date.parse(rental.dueAt) + 30 * 60_000);
  const { vehicleId } = rental;
  expect(undone.reassigned).toMatchObject([{ rentalId: behind.rentalId, vehicleId }]);
});

test('an undone check-out gives time to come that a later change of the booking does not take', async () => {
  const booked = await earlier(await desk.reserved(), 1);
  await desk.record(booked, OUT);
  await desk.record(await desk.read(booked.id), undo);
  const kept = await desk.read(booked.id);
  expect(Date.parse(kept.noShowAt)).toBeGreaterThan(Date.parse(booked.noShowAt));
  await desk.record(kept, { type: 'amend', dueAt: hoursFromNow(60) });
  const amended = await desk.read(booked.id);
  expect([amended.dueAt, amended.noShowAt]).not.toContain(kept.dueAt);
  expect(amended.noShowAt).toBe(kept.noShowAt);
});

test('a no-show is reserved again also when people credited the fee before', async () => {
  const booked = await earlier(await desk.reserved(), 4);
  await desk.record(booked, { type: 'noShow' });
  const gone = await desk.read(booked.id);
  const asked = { key: `test/${gone.id}`, invoiceId: gone.invoiceId ?? '', at: hoursFromNow(0) };
  await transact(t.db, 'rentals_rw', AGENT, (tx) => issueCreditNote(tx, asked));
  await desk.record(gone, { type: 'reinstate' });
  expect(await desk.read(gone.id)).toMatchObject({ status: 'reserved', invoiceId: null });
  expect(await entryOf(t.owner, gone, 'rental.no-show-reinstated')).toEqual([]);
});

test('a walk-up that needs a deposit says how to come by it', async () => {
  const branchId = await money.pricedBy({ deposit: { percentBp: 5_000 } });
  const asked = walkUp(at.t.db, AGENT, { ...money.asked({ branchId }), keys: OUT });
  await expect(asked).rejects.toMatchObject({
    code: 'deposit-required',
    message: expect.stringContaining('book it, then authorise'),
  });
});

test('a hold that is being given back secures no keys', async () => {
  const rental = await booked();
  await hold(rental.id, 9_000);
  await sql`insert into rentals.payment_attempt (id, authorisation_id, kind)
    select ${`test/${rental.id}`}, id, 'release' from rentals.authorisation
    where rental_id = ${rental.id}`.execute(at.t.owner);
  await expect(money.after(rental, OUT)).rejects.toMatchObject({
    code: 'deposit-required',
    details: { holdMinor: 9_000, heldMinor: 0 },
  });
  const { id } = await at.rentals.handedOut();
  await hold(id, 9_000);
  const change = () =>
    sql`update rentals.rental set deposit_minor = 9000, version = version + 1
      where id = ${id}`.execute(t.owner);
  await sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor)
    select ${`test/${id}`}, id, 'capture', 1 from rentals.authorisation
    where rental_id = ${id}`.execute(at.t.owner);
  await expect(change()).rejects.toMatchObject({ constraint: 'rental_deposit_held' });
  await sql`delete from rentals.payment_attempt where id = ${`test/${id}`}`.execute(t.owner);
  await change();
});

test('a deposit is not settled while the rental is still to come, or under way', async () => {
  const rental = await booked();
  await hold(rental.id, 9_000);
  await at.order(rental.id, SETTLE);
  await money.after(rental, OUT);
  await at.order(rental.id, SETTLE);
  expect((await at.pay.readDeposit({ rentalId: rental.id })).current).toMatchObject({
    state: 'open',
  });
});

describe('a no-show who came after all', () => {
  async function noShow(): Promise<RentalState> {
    const rental = await earlier(await desk.reserved(), 4);
    await desk.record(rental, { type: 'noShow' });
    return desk.read(rental.id);
  }

  test('is reserved again, with a vehicle and time to pick it up; its fee is credited', async () => {
    const gone = await noShow();
    expect(gone).toMatchObject({ status: 'no_show', vehicleId: null });
    expect(gone.feeMinor).toBeGreaterThan(0);
    await desk.record(gone, { type: 'reinstate' });
    const back = await desk.read(gone.id);
    expect(back).toMatchObject({ status: 'reserved', feeMinor: null, invoiceId: null });
    expect(back.vehicleId).not.toBeNull();
    expect(Date.parse(back.noShowAt)).toBeGreaterThan(Date.now());
    expect(await spanOf(t.owner, gone.id)).toMatchObject({ grip: 'tentative' });
    const credited = await entryOf(t.owner, gone, 'rental.no-show-reinstated');
    expect(credited).toEqual(
      (await entryOf(t.owner, gone, 'rental.no-show-fee')).map(turned).reverse(),
    );
    const again = await earlier(back, 4);
    await desk.record(again, { type: 'noShow' });
    const twice = await desk.read(gone.id);
    expect(twice.feeMinor).toBe(gone.feeMinor);
    expect(twice.invoiceNumber).not.toBe(gone.invoiceNumber);
  });

  test('is refused, and stays a no-show, when no vehicle is free', async () => {
    const gone = await noShow();
    const { branchId } = gone;
    await book(t.db, { branchId, from: hoursFromNow(0), to: hoursFromNow(90) });
    expect(await attempt(desk.record(gone, { type: 'reinstate' }))).toBe('vehicle-unavailable');
    expect(await desk.read(gone.id)).toEqual(gone);
  });
});

describe('who has paid and does not come', () => {
  test.each([
    ['a prepayment', (rental: RentalState) => prepay(t.db, rental.id, 30_00)],
    ['a voucher', voucher],
  ])('waits, with %s, until the branch closes', async (_, paid) => {
    const rental = await desk.awaited();
    // Whenever this runs it is open, and closes on the next day.
    const week = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({
      weekday,
      opens: '12:00',
      closes: '11:00',
    }));
    await sql`update vehicles.branch set opening_weekly = ${JSON.stringify(week)}
      where id = ${rental.branchId}`.execute(t.owner);
    await paid(rental);
    const day = dateAfter(localDate(rental.pickUpAt, 'Europe/Vienna'), 1);
    const details = { noShowAt: instantAt(`${day}T11:00`, 'Europe/Vienna', 'last') };
    const early = desk.record(rental, { type: 'noShow' });
    await expect(early).rejects.toMatchObject({ code: 'invalid-state', details });
    expect(await shownNoShow(t.db, AGENT, rental)).toBe(details.noShowAt);
  });

  test('waits no longer once the prepayment went back', async () => {
    const rental = await desk.awaited();
    await prepay(t.db, rental.id, 30_00);
    await transact(t.db, 'rentals_rw', AGENT, (tx) =>
      creditPrepayments(tx, rental.id, rental.noShowAt),
    );
    expect((await desk.record(rental, { type: 'noShow' })).type).toBe('noShow');
  });
});

async function voucher(rental: RentalState): Promise<void> {
  const payerId = await companyOf(t.owner, null);
  await splitWith(t.db, rental, {
    payerId,
    kind: 'voucher',
    covers: ['time'],
    voucherNetMinor: 9_00,
  });
}
