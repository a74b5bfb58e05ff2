// What is paid in advance: invoiced at once, deducted at the end, and refunded as far as it is left.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { refundPrepayment } from '../../db/commands/prepayment-refunds.ts';
import { type NewPrepayment, receivePrepayment } from '../../db/commands/prepayments.ts';
import { invoiceById } from '../../db/queries/accounting.ts';
import type { Actor } from '../../domain/actor.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hoursFromNow } from '../support/fleet.ts';
import { plantStaff } from '../support/people.ts';
import { OUT } from '../support/rental-desk.ts';
import { balancesOf, entryOf, type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: MoneyDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await moneyDesk(t);
});

const back = () => ({ ...OUT, type: 'checkIn', branchId: desk.branchId }) as const;

async function returned(rental: RentalState): Promise<RentalState> {
  await desk.after(await desk.read(rental.id), OUT);
  return desk.after(await desk.read(rental.id), back());
}

describe('a prepayment', () => {
  let actor: Actor;
  beforeAll(async () => {
    const { id } = await plantStaff(t.owner, { roles: ['counter-agent'] });
    actor = { kind: 'staff', id };
  });

  const prepay = (rental: RentalState, amountMinor: number, more: Partial<NewPrepayment> = {}) =>
    receivePrepayment(t.db, AGENT, {
      ...{
        id: uuidv7(),
        rentalId: rental.id,
        tender: 'bank-transfer',
        amountMinor,
        at: hoursFromNow(0),
      },
      ...more,
    });
  const refund = (prepaymentId: string, amountMinor: number, id = uuidv7()) =>
    refundPrepayment(t.db, AGENT, {
      ...{ id, prepaymentId, actor, amountMinor, reason: 'cancelled', shiftId: null },
      ...{ approvalId: null, limitMinor: 100_000 },
    });

  test('is invoiced at once, and the last invoice deducts it: golden entries', async () => {
    const rental = await desk.book();
    // 150.00 + 30.00
    const id = uuidv7();
    const first = await prepay(rental, 120_00, { id });
    expect(await prepay(rental, 120_00, { id })).toEqual(first);
    expect(first.invoiceNumber).toMatch(/^PRE-/);
    expect(await entryOf(t.owner, rental, 'rental.prepayment')).toEqual([
      '1010 12000',
      '2200 -2000',
      '2100 -10000',
    ]);
    expect(await attempt(prepay(rental, 60_01))).toBe('amount-too-high');
    const { invoiceId } = await returned(rental);
    // One day alone, 50.00 + 10.00: the rest of the prepayment is credited, to be refunded.
    expect(await entryOf(t.owner, rental, 'rental.final-invoice')).toEqual([
      '2100 5000',
      '4000 -5000',
    ]);
    expect(await entryOf(t.owner, rental, 'rental.unused-prepayment')).toEqual([
      '2100 5000',
      '2200 1000',
      '1200 -6000',
    ]);
    expect(await invoiceById(t.db, AGENT, invoiceId ?? '')).toMatchObject({
      ...{ totalMinor: 60_00, prepaidMinor: 60_00 },
    });
    expect(await attempt(refund(first.id, 60_01))).toBe('amount-too-high');
    expect(await refund(first.id, 60_00)).toMatchObject({ refundedMinor: 60_00 });
    expect(await balancesOf(t.owner, rental, '1200', '2100')).toEqual([0, 0]);
  });

  test('of a rental that is cancelled: credit note, fee, and refund once, by its amount', async () => {
    const rental = await desk.book({ pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) });
    const { id } = await prepay(rental, 180_00);
    await desk.after(rental, { type: 'cancel', reason: 'customer' });
    expect(await entryOf(t.owner, rental, 'rental.unused-prepayment')).toEqual([
      '2100 15000',
      '2200 3000',
      '1200 -18000',
    ]);
    expect(await balancesOf(t.owner, rental, '1200')).toEqual([-80_00]);
    const races = await Promise.all([1, 2, 3].map(() => attempt(refund(id, 50_00))));
    expect(races.filter((one) => one === 'amount-too-high')).toHaveLength(2);
    const again = uuidv7();
    await refund(id, 30_00, again);
    expect(await refund(id, 30_00, again)).toMatchObject({ refundedMinor: 80_00 });
    expect(await balancesOf(t.owner, rental, '1200')).toEqual([0]);
    const more = sql`update rentals.prepayment set refunded_minor = 18001, version = version + 1
      where id = ${id}`.execute(t.owner);
    await expect(more).rejects.toMatchObject({ code: '23514' });
  });

  test('that its invoice deducts but for a cent of VAT is credited that cent', async () => {
    const rental = await desk.book({ surcharges: ['vl'] });
    // Of 61.41 the VAT is 10.24; of one day, 51.17, it is 10.23.
    const { id } = await prepay(rental, 61_41);
    await returned(rental);
    expect(await entryOf(t.owner, rental, 'rental.unused-prepayment')).toEqual([
      ...['2200 1', '1200 -1'],
    ]);
    await refund(id, 1);
    expect(await balancesOf(t.owner, rental, '1200', '2100', '2200')).toEqual([0, 0, -10_23]);
  });

  test('takes what was held as a deposit, never more than that', async () => {
    const rental = await desk.book();
    expect(await attempt(prepay(rental, 10_00, { tender: 'deposit' }))).toBe('amount-too-high');
    expect(await attempt(prepay(rental, 10_00, { tender: 'cash' }))).toBe('value-refused');
  });
});
