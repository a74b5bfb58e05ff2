// Who pays, and when: documents by payer, vouchers, and credit that is spent once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { setPayers } from '../../db/commands/payer-shares.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';
import { balancesOf, entryOf, type MoneyDesk, moneyDesk } from '../support/rental-money.ts';

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
  expect(await balancesOf(t.owner, shared, '1200', '2200', '4000')).toEqual([14_40, -2_40, -12_00]);
});
