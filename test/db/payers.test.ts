// Who pays, and when: documents by payer, vouchers, prepayments, and credit that is spent once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { refundPrepayment } from '../../db/commands/prepayment-refunds.ts';
import { type NewPrepayment, receivePrepayment } from '../../db/commands/prepayments.ts';
import { invoiceById } from '../../db/queries/accounting.ts';
import type { Actor } from '../../domain/actor.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { plantStaff } from '../support/people.ts';
import { OUT } from '../support/rental-desk.ts';
import { entryOf, type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: MoneyDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await moneyDesk(t);
});

async function company(limitMinor: number | null = null): Promise<string> {
  const id = uuidv7();
  await t.owner
    .insertInto('rentals.customer')
    .values({
      ...{ id, name: 'Acme', kind: 'company', credit_limit_minor: limitMinor },
      credit_currency: limitMinor === null ? null : 'EUR',
    })
    .execute();
  return id;
}

const share = (payerId: string, more: Partial<PayerShare> = {}): PayerShare => ({
  ...{ payerId, kind: 'renter', covers: [], percentBp: 0 },
  ...{ voucherNetMinor: null, isPrimary: false, ...more },
});
const primary = ({ customerId }: RentalState) => share(customerId, { isPrimary: true });

function split(rental: RentalState, shares: readonly PayerShare[], version: number | null = null) {
  return setPayers(t.db, AGENT, { rentalId: rental.id, shares }, version);
}

const back = () => ({ ...OUT, type: 'checkIn', branchId: desk.branchId }) as const;

async function returned(rental: RentalState): Promise<RentalState> {
  await desk.after(await desk.read(rental.id), OUT);
  return desk.after(await desk.read(rental.id), back());
}

async function documentsOf({ id }: RentalState) {
  const { rows } = await sql<{ payer: string; codes: string[]; net: number; total: number }>`
    select i.customer_id as payer, i.net_minor as net, i.total_minor as total,
      (select array_agg(l.code order by l.line_no) from accounting.invoice_line l
        where l.invoice_id = i.id) as codes
    from accounting.invoice i where i.rental_id = ${id} order by i.id`.execute(t.owner);
  return rows;
}

describe('at the return', () => {
  test('a voucher is invoiced to the broker at its net rate, the local cover to the renter', async () => {
    const rental = await desk.book({ coverages: ['cdw'] });
    const broker = await company();
    const voucher = { kind: 'voucher', covers: ['time'], voucherNetMinor: 40_00 } as const;
    await split(rental, [primary(rental), share(broker, voucher)]);
    const { invoiceNumber } = await returned(rental);
    // One day: 50.00 at the counter's price, 40.00 at the broker's, and 12.00 for the cover.
    expect(await documentsOf(rental)).toEqual([
      { payer: rental.customerId, codes: ['coverage.cdw'], net: 12_00, total: 14_40 },
      { payer: broker, codes: ['voucher'], net: 40_00, total: 48_00 },
    ]);
    expect(await entryOf(t.owner, rental, 'rental.final-invoice')).toEqual([
      '1200 4800',
      '1200 1440',
      '2200 -240',
      '2200 -800',
      '4000 -1200',
      '4000 -4000',
    ]);
    expect(invoiceNumber).toMatch(/^INV-/);
  });

  test('shares of the rest go to each payer, and no other rental’s documents change', async () => {
    const rental = await desk.book({ coverages: ['cdw'] });
    const [insurer, employer] = [await company(), await company()];
    const whole = { kind: 'insurer', covers: ['coverage'] } as const;
    const part = { kind: 'corporate', percentBp: 2_500 } as const;
    await split(rental, [share(insurer, whole), share(employer, part), primary(rental)]);
    await returned(rental);
    expect((await documentsOf(rental)).map(({ payer, net }) => [payer, net])).toEqual([
      [rental.customerId, 37_50],
      [insurer, 12_00],
      [employer, 12_50],
    ]);
    const late = split(rental, [primary(rental)], 1);
    expect(await attempt(late)).toBe('invalid-state');
    const raw = sql`update rentals.payer_share set percent_bp = 1 where payer_id = ${employer}`;
    await expect(raw.execute(t.owner)).rejects.toMatchObject({
      constraint: 'payer_share_before_return',
    });
  });

  test('shares above the whole, without a rest, or of nobody are refused; versions count', async () => {
    const rental = await desk.book();
    const [one, two] = [await company(), await company()];
    const most = { kind: 'corporate', percentBp: 6_000 } as const;
    const rest = primary(rental);
    expect(await attempt(split(rental, [share(one, most), share(two, most), rest]))).toBe(
      'value-refused',
    );
    expect(await attempt(split(rental, [share(one, most)]))).toBe('value-refused');
    expect(await attempt(split(rental, [share(uuidv7(), most), rest]))).toBe('not-found');
    expect((await split(rental, [rest, share(one, most)])).version).toBe(1);
    expect(await attempt(split(rental, [rest]))).toBe('version-conflict');
    expect((await split(rental, [rest], 1)).version).toBe(2);
  });
});

describe('credit', () => {
  // Three days: 150.00 + 30.00.
  const term = { pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) };

  test('of bookings that race for the last of it one wins, the others are told the figures', async () => {
    const payerId = await company(200_00);
    // At branches of their own, so that they do not wait for each other's vehicles.
    const branches = [1, 2, 3].map(() => plantFleet(t.db, { vehicles: 1 }));
    const places = await Promise.all(branches);
    const races = await Promise.allSettled(
      places.map(({ branchId }) => desk.book({ ...term, payerId, branchId })),
    );
    const refused = races.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    const details = { limitMinor: 200_00, exposureMinor: 360_00, bookedMinor: 360_00 };
    const told = { code: 'credit-limit', details: { ...details, owedMinor: 0, heldMinor: 0 } };
    expect(refused).toMatchObject([told, told]);
    const { rows } = await sql`select from rentals.rental where payer_id = ${payerId}`.execute(
      t.owner,
    );
    expect(rows).toHaveLength(1);
  });

  test('counts open documents once the rental is over, and what an extension adds', async () => {
    const payerId = await company(200_00);
    const rental = await desk.book({ payerId });
    await returned(rental);
    // 60.00 is open: 180.00 more would be 240.00.
    const over = desk.book({ ...term, payerId });
    await expect(over).rejects.toMatchObject({ details: { owedMinor: 60_00 } });
    const short = { pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(34) };
    const next = await desk.book({ ...short, payerId });
    const longer = desk.record(next, { type: 'extend', dueAt: hoursFromNow(82) });
    await expect(longer).rejects.toMatchObject({ code: 'credit-limit' });
  });
});

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
    expect(await balanceOf(rental, '1200')).toBe(0);
    expect(await balanceOf(rental, '2100')).toBe(0);
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
    expect(await balanceOf(rental, '1200')).toBe(-80_00);
    const races = await Promise.all([1, 2, 3].map(() => attempt(refund(id, 50_00))));
    expect(races.filter((one) => one === 'amount-too-high')).toHaveLength(2);
    const again = uuidv7();
    await refund(id, 30_00, again);
    expect(await refund(id, 30_00, again)).toMatchObject({ refundedMinor: 80_00 });
    expect(await balanceOf(rental, '1200')).toBe(0);
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
    expect(await balances(rental, '1200', '2100', '2200')).toEqual([0, 0, -10_23]);
  });

  test('takes what was held as a deposit, never more than that', async () => {
    const rental = await desk.book();
    expect(await attempt(prepay(rental, 10_00, { tender: 'deposit' }))).toBe('amount-too-high');
    expect(await attempt(prepay(rental, 10_00, { tender: 'cash' }))).toBe('value-refused');
  });
});

async function balances(rental: RentalState, ...accounts: readonly string[]) {
  return Promise.all(accounts.map((account) => balanceOf(rental, account)));
}

test('what costs nothing comes back and is closed without a document; the rest is another’s', async () => {
  const day = (offset: number) => hoursFromNow(offset * 24).slice(0, 10);
  const term = { pickUpFrom: day(-9), pickUpTo: day(9), withRate: false };
  const free = { ...term, code: 'free', discountBp: 10_000 };
  const at = async () => desk.pricedBy({ promotions: [free] });
  const through = async (rental: RentalState) => {
    const out = await desk.after(await desk.read(rental.id), OUT);
    const { branchId } = rental;
    const home = await desk.after(out, { ...OUT, type: 'checkIn', branchId });
    return desk.after(home, { type: 'close' });
  };
  const closed = await through(await desk.book({ branchId: await at(), promotion: 'free' }));
  expect(closed).toMatchObject({ status: 'closed', invoiceId: null, price: { totalMinor: 0 } });
  expect(await documentsOf(closed)).toEqual([]);
  const more = { promotion: 'free', coverages: ['cdw'] };
  const shared = await desk.book({ branchId: await at(), ...more });
  await split(shared, [primary(shared), share(await company(), { covers: ['time'] })]);
  await through(shared);
  expect(await documentsOf(shared)).toMatchObject([{ payer: shared.customerId, total: 14_40 }]);
  expect(await balances(shared, '1200', '2200', '4000')).toEqual([14_40, -2_40, -12_00]);
});

async function balanceOf({ id }: RentalState, account: string): Promise<number> {
  const { rows } = await sql<{ sum: number }>`select coalesce(sum(l.amount), 0)::bigint as sum
    from accounting.entry e join accounting.line l on l.entry_id = e.id
    join accounting.account a on a.id = l.account_id
    where e.rental_id = ${id} and a.code = ${account}`.execute(t.owner);
  return rows[0]?.sum ?? 0;
}
