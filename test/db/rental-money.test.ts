// What a rental comes to: what was taken with it, what was used, and what it costs when given up.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { holdQuote } from '../../db/commands/held-quotes.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { RentalCommand, RentalRequest, RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hour, hoursFromNow, plantFleet, spanOf } from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';
import { entryOf, heldDeposit, type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: MoneyDesk;
let elsewhere: string;

beforeAll(async () => {
  t = await testDatabase();
  desk = await moneyDesk(t);
  ({ branchId: elsewhere } = await plantFleet(t.db, { vehicles: 1 }));
});

const DAY = 24;

const back = (more: object = {}): RentalCommand => ({
  ...OUT,
  type: 'checkIn',
  branchId: desk.branchId,
  ...more,
});

const codesOf = ({ price }: Pick<RentalState, 'price'>) => price.lines.map(({ code }) => code);

describe('a booking', () => {
  test('keeps what was taken with it, and its invoice charges that too', async () => {
    const rental = await desk.book({ coverages: ['cdw'], extras: [{ code: 'item', count: 2 }] });
    // 150 + 3 × 12 + 6 × 8 = 234.00, VAT 46.80
    expect([rental.price.netMinor, rental.price.totalMinor]).toEqual([234_00, 280_80]);
    await desk.after(rental, OUT);
    const returned = await desk.after(await desk.read(rental.id), back());
    // Back within the first day: 50 + 12 + 16 = 78.00
    expect(returned.price).toMatchObject({ netMinor: 78_00, totalMinor: 93_60 });
    expect(codesOf(returned)).toEqual(['time.day', 'coverage.cdw', 'extra.item']);
  });

  test.each([
    [{ extras: [{ code: 'boat', count: 1 }] }, 'extras'],
    [{ coverages: ['none'] }, 'coverages'],
    [{ rate: 'ACME' }, 'rate'],
    [{ promotion: 'SPRING' }, 'promotion'],
    [{ surcharges: ['moon'] }, 'surcharges'],
  ])(
    'with %o, which the plan lacks, is refused by that name and leaves nothing',
    async (more, field) => {
      const request = desk.asked(more);
      await expect(reserveRental(t.db, AGENT, request)).rejects.toMatchObject({
        code: 'value-refused',
        details: { field },
      });
      const { rows } = await sql`select from vehicles.span where ref = ${request.id}`.execute(
        t.owner,
      );
      expect(rows).toEqual([]);
    },
  );

  test('with a promotion that ended yesterday is refused, with one of today it is cheaper', async () => {
    const day = (offset: number) => hoursFromNow(offset * DAY).slice(0, 10);
    const promotion = { pickUpFrom: day(-9), pickUpTo: day(9), withRate: false, discountBp: 1_000 };
    const at = await desk.pricedBy({
      promotions: [
        { ...promotion, code: 'now' },
        { ...promotion, code: 'past', bookUntil: day(-2) },
      ],
    });
    const past = desk.book({ branchId: at, promotion: 'past' });
    await expect(past).rejects.toMatchObject({ code: 'value-refused', details: { code: 'past' } });
    expect((await desk.book({ branchId: at, promotion: 'now' })).price.netMinor).toBe(135_00);
  });

  test('is invoiced to its payer, who must exist', async () => {
    const unknown = await attempt(desk.book({ payerId: uuidv7() }));
    expect(unknown).toBe('not-found');
    const { customerId: payerId } = await otherCustomer();
    const rental = await desk.book({ payerId });
    await desk.after(rental, OUT);
    await desk.after(await desk.read(rental.id), back());
    const { rows } = await sql`select customer_id from accounting.invoice
      where rental_id = ${rental.id}`.execute(t.owner);
    expect(rows).toEqual([{ customer_id: payerId }]);
  });

  test('accepts a held quote with all that was quoted', async () => {
    const {
      id: _id,
      customerId,
      ...wanted
    } = desk.asked({
      pickUpAt: hour(0),
      dueAt: hour(3 * DAY),
      coverages: ['cdw'],
    });
    const hold = { ...wanted, id: uuidv7(), customerId: null, channel: 'online' } as const;
    const quote = await holdQuote(t.db, AGENT, hold);
    const { coverages: _taken, ...plain } = wanted;
    const rental = await desk.book({ ...plain, customerId, quoteId: quote.id });
    expect(rental.price).toEqual(quote.price);
    expect(rental.price.netMinor).toBe(186_00);
  });
});

async function otherCustomer() {
  const customerId = uuidv7();
  await t.owner
    .insertInto('rentals.customer')
    .values({ id: customerId, name: 'Acme', phone: '+43 1 1' })
    .execute();
  return { customerId };
}

describe('a return', () => {
  const handedOut = async (more: Partial<RentalRequest> = {}) => {
    const rental = await desk.book(more);
    return desk.after(rental, OUT);
  };

  test('charges the distance beyond the pool and the missing fuel on the invoice', async () => {
    const rental = await handedOut();
    const returned = await desk.after(rental, back({ odometerKm: 2_312, fuelEighths: 5 }));
    // 50 + 112 × 0.25 = 28 + 3 × 12.60 = 37.80: 115.80, VAT 23.16
    expect(returned.price).toMatchObject({ netMinor: 115_80, vatMinor: 23_16, totalMinor: 138_96 });
    expect(codesOf(returned)).toEqual(['time.day', 'mileage.over', 'fuel.used']);
    expect(await entryOf(t.owner, rental, 'rental.final-invoice')).toEqual([
      '1200 13896',
      '2200 -2316',
      '4000 -11580',
    ]);
  });

  test('fuller than before, and within the pool, costs nothing more', async () => {
    const rental = await desk.after(await desk.book(), { ...OUT, fuelEighths: 4 });
    const returned = await desk.after(rental, back({ odometerKm: 2_200 }));
    expect(returned.price.netMinor).toBe(50_00);
  });

  test('charges by the tank of this very vehicle', async () => {
    const rental = await handedOut();
    await sql`update vehicles.vehicle set energy = 'diesel', tank_litres = 60
      where id = ${rental.vehicleId}`.execute(t.owner);
    const returned = await desk.after(rental, back({ fuelEighths: 7 }));
    // An eighth of 60 l is 7.5 l × 2.10 = 15.75
    expect(returned.price.netMinor).toBe(65_75);
  });

  test('elsewhere costs the way there, and the vehicle is there from then on', async () => {
    const rental = await handedOut();
    const returned = await desk.after(rental, back({ branchId: elsewhere }));
    expect(returned).toMatchObject({ returnBranchId: elsewhere, price: { netMinor: 125_00 } });
    expect(codesOf(returned)).toEqual(['time.day', 'one-way']);
    const { rows } = await sql`select branch_id from vehicles.vehicle
      where id = ${rental.vehicleId}`.execute(t.owner);
    expect(rows).toEqual([{ branch_id: elsewhere }]);
  });

  test('to where the plan offers no way is refused by name, and the vehicle is still out', async () => {
    const at = await desk.pricedBy({ oneWay: { defaultMinor: null, pairs: [] } });
    const rental = await handedOut({ branchId: at });
    await expect(desk.record(rental, back({ branchId: elsewhere }))).rejects.toMatchObject({
      code: 'value-refused',
      details: { field: 'returnBranchId' },
    });
    expect((await desk.read(rental.id)).status).toBe('active');
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ grip: 'out' });
  });
});

describe('a rental that does not take place', () => {
  const cancel = (reason: 'customer' | 'fleet'): RentalCommand => ({ type: 'cancel', reason });
  const days = (n: number, from: number) => ({
    pickUpAt: hoursFromNow(from),
    dueAt: hoursFromNow(from + n * DAY),
  });

  test('costs 100.00 less than a day ahead: income 83.33, VAT 16.67', async () => {
    const cancelled = await desk.after(await desk.book(days(5, 10)), cancel('customer'));
    expect(cancelled).toMatchObject({ status: 'cancelled', feeMinor: 100_00 });
    expect(cancelled.invoiceNumber).toMatch(/^INV-/);
    expect(await entryOf(t.owner, cancelled, 'rental.cancellation-fee')).toEqual([
      '1200 10000',
      '2200 -1667',
      '4400 -8333',
    ]);
  });

  test('costs 50.00 earlier, never more than was booked', async () => {
    const early = await desk.after(await desk.book(days(5, 30)), cancel('customer'));
    const short = await desk.after(await desk.book(days(1, 10)), cancel('customer'));
    expect([early.feeMinor, short.feeMinor]).toEqual([50_00, 60_00]);
  });

  test('costs one day when nobody comes', async () => {
    const early = desk.record(await desk.book(days(5, 0)), { type: 'noShow' });
    await expect(early).rejects.toMatchObject({ code: 'invalid-state' });
    const rental = await desk.after(await desk.awaited(), { type: 'noShow' });
    expect(rental).toMatchObject({ status: 'no_show', feeMinor: 60_00 });
    expect(await entryOf(t.owner, rental, 'rental.no-show-fee')).toEqual([
      '1200 6000',
      '2200 -1000',
      '4400 -5000',
    ]);
  });

  test('is paid out of the deposit that is held', async () => {
    const rental = await desk.book(days(5, 10));
    await heldDeposit(t.db, rental.id, 300_00);
    await desk.record(rental, cancel('customer'));
    const forfeit = await entryOf(t.owner, rental, 'payment.forfeit');
    expect(forfeit).toEqual(['2120 10000', '1200 -10000']);
  });

  test('costs nothing when it was not the renter, and posts nothing', async () => {
    const rental = await desk.after(await desk.book(days(5, 10)), cancel('fleet'));
    expect(rental).toMatchObject({ status: 'cancelled', feeMinor: null, invoiceId: null });
    expect(await entryOf(t.owner, rental, 'rental.cancellation-fee')).toEqual([]);
  });

  test('is outside VAT where the entity calls its fee compensation', async () => {
    await sql`update accounting.legal_entity set cancellation_vat = 'compensation'`.execute(
      t.owner,
    );
    const rental = await desk.after(await desk.book(days(5, 10)), cancel('customer'));
    await sql`update accounting.legal_entity set cancellation_vat = 'consideration'`.execute(
      t.owner,
    );
    expect(await entryOf(t.owner, rental, 'rental.cancellation-fee')).toEqual([
      '1200 10000',
      '4400 -10000',
    ]);
  });

  test('is never charged above its total, or without an invoice, by SQL either', async () => {
    const { id } = await desk.book(days(1, 10));
    const charge = (fee: number, invoice: string | null, status: string) =>
      sql`update rentals.rental set version = version + 1, status = ${status}, fee_minor = ${fee},
        invoice_id = ${invoice} where id = ${id}`.execute(t.owner);
    await expect(charge(60_01, uuidv7(), 'cancelled')).rejects.toThrow('rental_fee_within_total');
    await expect(charge(1, null, 'cancelled')).rejects.toThrow('rental_fee_is_invoiced');
    await expect(charge(1, uuidv7(), 'reserved')).rejects.toThrow('rental_fee_did_not_take_place');
  });
});
