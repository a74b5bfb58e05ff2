// Vouchers of brokers: what they cover of rentals that change, come back late or are billed in cycles.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { payersOf, setPayers } from '../../db/commands/payer-shares.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type BillingDesk, billingDesk, onDay } from '../support/billing-desk.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { companyOf } from '../support/rental-money.ts';

let t: TestDatabase;
let cycles: BillingDesk;
let [firm, other] = ['', ''];

beforeAll(async () => {
  t = await testDatabase();
  cycles = await billingDesk(t);
  [firm, other] = [await companyOf(t.owner, null), await companyOf(t.owner, null)];
});

const share = (payerId: string, more: Partial<PayerShare>): PayerShare => ({
  ...{ payerId, kind: 'corporate', covers: [], percentBp: 0 },
  ...{ voucherNetMinor: null, isPrimary: false, ...more },
});
const voucherOf = (payerId: string, voucherNetMinor: number, ...covers: readonly string[]) =>
  share(payerId, { kind: 'voucher', covers, voucherNetMinor });

function split(rental: RentalState, others: readonly PayerShare[], version: number | null = null) {
  const renter = share(rental.customerId, { kind: 'renter', isPrimary: true });
  return setPayers(t.db, AGENT, { rentalId: rental.id, shares: [renter, ...others] }, version);
}

/** Payer, net, kind and the days to pay of its documents, in the order of issue. */
async function documentsOf({ id, customerId }: RentalState) {
  const { rows } = await sql<{ payer: string; net: number; kind: number; days: number | null }>`
    select customer_id as payer, net_minor as net, kind, payable_by - issue_date as days
    from accounting.invoice where rental_id = ${id} order by id`.execute(t.owner);
  const names = new Map([
    [customerId, 'renter'],
    [firm, 'firm'],
  ]);
  return rows.map(({ payer, net, kind, days }) => [names.get(payer), net, kind, days]);
}
const netsOf = async (rental: RentalState) =>
  (await documentsOf(rental)).map(([payer, net]) => [payer, net]);

const extended = async (rental: RentalState, days: number) => {
  const command = { type: 'extend', dueAt: onDay(rental, days) } as const;
  return cycles.desk.after(await cycles.desk.read(rental.id), command);
};

test('days that the renter adds are the renter’s, with their cover', async () => {
  let rental = await cycles.outFor(5, { coverages: ['cdw'], billing: 'none' });
  await split(rental, [voucherOf(firm, 180_00, 'time')]);
  rental = await extended(rental, 12);
  // Set again as it was, it covers what it did.
  await split(rental, [voucherOf(firm, 180_00, 'time')], 1);
  rental = await cycles.back(await cycles.later(rental, 12, -5));
  // 420.00 of time, of which 210.00 were agreed, and 144.00 of cover.
  expect(await netsOf(rental)).toEqual([
    ['renter', 354_00],
    ['firm', 180_00],
  ]);
});

test('so are late days, and each cycle beyond what was agreed', async () => {
  let late = await cycles.outFor(5, { billing: 'none' });
  await split(late, [voucherOf(firm, 180_00, 'time')]);
  late = await cycles.back(await cycles.later(late, 8, -5));
  expect(await netsOf(late)).toEqual([
    ['renter', 50_00],
    ['firm', 180_00],
  ]);
  let long = await cycles.outFor(25);
  const agreed = long.price.netMinor;
  await split(long, [voucherOf(firm, 600_00, 'time')]);
  long = await extended(long, 60);
  long = await cycles.bill(await cycles.later(long, 30));
  const [first] = await netsOf(long);
  // A(30) = 800.00.
  expect(first).toEqual(['renter', 800_00 - agreed]);
  long = await cycles.back(await cycles.later(long, 30, -5));
  const nets = await netsOf(long);
  const rest = long.price.netMinor - 800_00;
  expect(nets).toEqual([first, ['renter', rest], ['firm', 600_00]]);
});

test('a partner’s change renews its own voucher, by what that covers by now, and no other', async () => {
  const lines = [{ code: 'day', priceMinor: 3_600, coversDays: 1 }] as const;
  const rate = { code: 'broker', kind: 'agent', lines } as const;
  const branchId = await cycles.desk.pricedBy({ rates: [rate] });
  const term = { pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(130) };
  const voucher = { payerId: firm, rate: 'broker', covers: ['time'] } as const;
  const chosen = { coverages: ['cdw'], extras: [{ code: 'item', count: 1 }] };
  const rental = await cycles.desk.book({ branchId, ...term, ...chosen, voucher });
  const shown = async () =>
    (await payersOf(t.db, AGENT, rental.id))?.shares.map((one) => [
      ...[one.payerId, one.voucherNetMinor, one.coveredMinor],
    ]);
  const renter = [rental.customerId, null, null];
  expect(await shown()).toEqual([renter, [firm, 180_00, 210_00]]);
  const desks = [voucherOf(firm, 200_00, 'time', 'coverage'), voucherOf(other, 10_00, 'extra')];
  await split(rental, desks, 1);
  expect(await shown()).toEqual([renter, [firm, 200_00, 270_00], [other, 10_00, 40_00]]);
  await cycles.desk.after(rental, { type: 'amend', dueAt: hoursFromNow(82), voucher });
  // Three days at 36.00 and 12.00; public 50.00 and 12.00.
  expect(await shown()).toEqual([renter, [firm, 144_00, 186_00], [other, 10_00, 40_00]]);
  const strangers = { ...voucher, payerId: await companyOf(t.owner, null) };
  const { id } = rental;
  const now = await cycles.desk.read(id);
  await cycles.desk.after(now, { type: 'amend', dueAt: hoursFromNow(106), voucher: strangers });
  expect((await shown())?.[1]).toEqual([firm, 144_00, 186_00]);
});

test('a voucher is invoiced at the return, whatever cycles it covers', async () => {
  let rental = await cycles.outFor(31, { coverages: ['cdw'] });
  const voucher = { kind: 'voucher', covers: ['time'], voucherNetMinor: 600_00 } as const;
  await split(rental, [share(firm, voucher)]);
  rental = await cycles.bill(await cycles.later(rental, 30));
  rental = await cycles.back(await cycles.later(rental, 1, -5));
  const told = (await documentsOf(rental)).map(([payer, net]) => [payer, net]);
  expect(told.filter(([payer]) => payer === 'firm')).toEqual([['firm', 600_00]]);
  expect(told).toHaveLength(3);
  // Charged at one rate as any payer, it has both at another one: what was charged, and its voucher.
  const branchId = await cycles.desk.pricedBy({ longTermVatRateBp: 1_000 });
  let short = await cycles.outFor(31, { branchId, billing: '28-days' });
  await split(short, [share(firm, { covers: ['time'] })]);
  short = await cycles.bill(await cycles.later(short, 28));
  await split(short, [share(firm, voucher)], 1);
  short = await cycles.back(await cycles.later(short, 1, -5));
  expect(await documentsOf(short)).toEqual([
    ['firm', 700_00, 380, 14],
    ['firm', 700_00, 381, null],
    ['firm', 700_00, 380, 0],
    ['firm', 600_00, 380, 0],
  ]);
});
