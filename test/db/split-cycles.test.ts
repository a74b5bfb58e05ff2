// Long rentals that several pay: documents, terms and credits by payer, cycle by cycle.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { listInvoices } from '../../db/queries/accounting.ts';
import { billedCycles } from '../../db/queries/billing-cycles.ts';
import { localDate } from '../../domain/calendar.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type BillingDesk, billingDesk, onDay } from '../support/billing-desk.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';
import { companyOf, prepay } from '../support/rental-money.ts';

let t: TestDatabase;
let cycles: BillingDesk;
let [insurer, firm] = ['', ''];

beforeAll(async () => {
  t = await testDatabase();
  cycles = await billingDesk(t);
  [insurer, firm] = [await companyOf(t.owner, null), await companyOf(t.owner, null)];
});

const share = (payerId: string, more: Partial<PayerShare>): PayerShare => ({
  ...{ payerId, kind: 'corporate', covers: [], percentBp: 0 },
  ...{ voucherNetMinor: null, isPrimary: false, ...more },
});
const renter = ({ customerId }: RentalState) =>
  share(customerId, { kind: 'renter', isPrimary: true });
const time = (more: Partial<PayerShare> = {}) => share(insurer, { covers: ['time'], ...more });

function split(rental: RentalState, others: readonly PayerShare[], version: number | null = null) {
  const shares = [renter(rental), ...others];
  return setPayers(t.db, AGENT, { rentalId: rental.id, shares }, version, 30);
}

/** Payer, net, kind and the days to pay of its documents, in the order of issue. */
async function documentsOf({ id, customerId }: RentalState) {
  const { rows } = await sql<{ payer: string; net: number; kind: number; days: number | null }>`
    select customer_id as payer, net_minor as net, kind, payable_by - issue_date as days
    from accounting.invoice where rental_id = ${id} order by id`.execute(t.owner);
  const names = new Map([
    [customerId, 'renter'],
    [insurer, 'insurer'],
    [firm, 'firm'],
  ]);
  return rows.map(({ payer, net, kind, days }) => [names.get(payer), net, kind, days]);
}

/** What documents charge less what credit notes take back. */
async function chargedOf({ id }: RentalState): Promise<number | undefined> {
  const { rows } = await sql<{ net: number }>`
    select sum(net_minor * case kind when 381 then -1 else 1 end)::bigint as net
    from accounting.invoice where rental_id = ${id} and kind <> 386`.execute(t.owner);
  return rows[0]?.net;
}

/** One way, which costs 75.00. */
async function away(): Promise<string> {
  return (await plantFleet(t.db, { vehicles: 1 })).branchId;
}

describe('65 days by 30', () => {
  test('are invoiced to each payer by that one’s terms, and change hands from then on', async () => {
    let rental = await cycles.outFor(65, { returnBranchId: await away() });
    await split(rental, [time({ paymentDays: 30 })]);
    rental = await cycles.bill(await cycles.later(rental, 30));
    const [first] = await billedCycles(t.db, 'system:test', rental.id);
    expect(first).toMatchObject({ netMinor: 875_00, openMinor: 1_050_00 });
    expect(first?.documents.map(({ payerId }) => payerId)).toEqual([rental.customerId, insurer]);
    const theirs = { principal: 'customer', scope: `customer:${rental.customerId}` };
    const [seen] = await billedCycles(t.db, theirs, rental.id);
    expect([seen?.totalMinor, seen?.documents.length]).toEqual([90_00, 1]);
    // The plan says nothing, so the renter has 14 days; his document is the first to be due.
    const midnight = localDate(first?.payableBy ?? '', 'Europe/Vienna');
    expect(midnight).toBe(localDate(hoursFromNow(15 * 24), 'Europe/Vienna'));
    await split(rental, [share(firm, { percentBp: 3_333 })], 1);
    rental = await cycles.bill(await cycles.later(rental, 30));
    rental = await cycles.desk.after(await cycles.later(rental, 5, -5), {
      ...{ ...OUT, type: 'checkIn' },
      branchId: rental.returnBranchId ?? '',
    });
    expect(await documentsOf(rental)).toEqual([
      ['renter', 75_00, 380, 14],
      ['insurer', 800_00, 380, 30],
      // 800.00, of which 33.33 %, and 110.00.
      ['renter', 533_36, 380, 14],
      ['firm', 266_64, 380, 14],
      ['renter', 73_34, 380, 0],
      ['firm', 36_66, 380, 0],
    ]);
    expect([rental.price.netMinor, await chargedOf(rental)]).toEqual([1_785_00, 1_785_00]);
    const { rows } = await sql`select from accounting.series s where s.next - 1 <>
      (select count(*) from accounting.invoice i
        where (i.entity_id, i.series, i.year) = (s.entity_id, s.series, s.year))`.execute(t.owner);
    expect(rows).toEqual([]);
  });

  test('prepaid by the primary payer: its documents deduct it, and no other’s', async () => {
    let rental = await cycles.outFor(65, { coverages: ['cdw'] });
    await split(rental, [time()]);
    const cover = rental.price.lines.find(({ code }) => code === 'coverage.cdw')?.netMinor ?? 0;
    rental = await cycles.bill(await cycles.later(rental, 30));
    const cycle = (await documentsOf(rental))[0]?.[1] as number;
    const rest = ((cover - cycle) * 120) / 100;
    expect(await attempt(prepay(t.db, rental.id, rest + 1))).toBe('amount-too-high');
    await prepay(t.db, rental.id, rest);
    rental = await cycles.bill(await cycles.later(rental, 30));
    rental = await cycles.back(await cycles.later(rental, 5, -5));
    const { rows } = await sql`select customer_id as payer, sum(due_minor)::bigint as due
      from accounting.open_item where rental_id = ${rental.id} group by 1 order by 2`.execute(
      t.owner,
    );
    expect(rows).toEqual([
      { payer: rental.customerId, due: (cycle * 120) / 100 },
      { payer: insurer, due: 1_710_00 * 1.2 },
    ]);
    expect(await chargedOf(rental)).toBe(rental.price.netMinor);
  });
});

test('early, each is given back what that one’s documents charge too much', async () => {
  let rental = await cycles.outFor(65, { returnBranchId: await away() });
  const way = share(rental.customerId, { kind: 'renter', covers: ['one-way'] });
  const shares = [way, share(insurer, { kind: 'insurer', isPrimary: true })];
  await setPayers(t.db, AGENT, { rentalId: rental.id, shares }, null);
  rental = await cycles.bill(await cycles.later(rental, 30));
  rental = await cycles.back(await cycles.later(rental, 0, 15));
  expect(await documentsOf(rental)).toEqual([
    ['insurer', 800_00, 380, 14],
    ['renter', 75_00, 380, 14],
    ['renter', 75_00, 381, null],
  ]);
  expect(await chargedOf(rental)).toBe(rental.price.netMinor);
  expect(rental.invoiceId).not.toBeNull();
});

test('another place of supply is credited and charged anew to whoever was charged', async () => {
  const branchId = await cycles.desk.pricedBy({ longTermVatRateBp: 1_000 });
  let rental = await cycles.outFor(31, { branchId, billing: '28-days' });
  await split(rental, [time()]);
  rental = await cycles.bill(await cycles.later(rental, 28));
  await split(rental, [share(firm, { covers: ['time'] })], 1);
  // Two days early it is a short hire after all: A(29) = 750.00, with 20 %.
  rental = await cycles.back(await cycles.later(rental, 1, -5));
  expect(await documentsOf(rental)).toEqual([
    ['insurer', 700_00, 380, 14],
    ['insurer', 700_00, 381, null],
    ['firm', 50_00, 380, 0],
    ['insurer', 700_00, 380, 0],
  ]);
  expect((await cycles.amountsOf(rental)).map(([, vat]) => vat)).toEqual([
    ...[70_00, 70_00],
    ...[10_00, 140_00],
  ]);
});

test('what cycles charged a payer counts once against that one’s credit', async () => {
  // 683.93 of 1,000.00, of which 319.97 are billed.
  const limited = await companyOf(t.owner, 14);
  const short = await cycles.outFor(29);
  await split(short, [share(limited, { percentBp: 3_333 })]);
  const extended = { type: 'extend', dueAt: onDay(short, 65) } as const;
  let rental = await cycles.desk.after(await cycles.desk.read(short.id), extended);
  rental = await cycles.bill(await cycles.later(rental, 30));
  expect(await split(rental, [share(limited, { percentBp: 3_333 })], 1)).toMatchObject({
    version: 2,
  });
  expect(await attempt(split(rental, [share(limited, { covers: ['time.day'] })], 2))).toBe(
    'value-refused',
  );
  const much = split(rental, [share(limited, { percentBp: 9_000 })], 2);
  expect(await attempt(much)).toBe('credit-limit');
});

describe('what a payer does not pay in time', () => {
  const look = (rental: RentalState) => cycles.desk.after(rental, { type: 'checkArrears' });
  const overdue = async ({ id }: RentalState, is: boolean) => {
    const asked = { limit: 9, rentalId: id, overdue: is };
    return (await listInvoices(t.db, 'system:test', asked)).rows.map((one) => one.customerId);
  };

  test('stops extensions only once it is due, each by its own terms', async () => {
    let rental = await cycles.outFor(65, { returnBranchId: await away() });
    await split(rental, [time({ paymentDays: 7 })]);
    rental = await cycles.bill(await cycles.later(rental, 30));
    await t.owner.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`update accounting.open_item set payable_by = payable_by - 8,
        issue_date = issue_date - 8 where rental_id = ${rental.id}`.execute(tx);
    });
    expect(await overdue(rental, true)).toEqual([insurer]);
    expect(await overdue(rental, false)).toEqual([rental.customerId]);
    // The seventh day is not over yet.
    rental = await look(await cycles.later(rental, 7));
    expect(rental.arrears).toBe(false);
    rental = await look(await cycles.later(rental, 1));
    expect(rental.arrears).toBe(true);
    const extend = cycles.desk.record(rental, { type: 'extend', dueAt: onDay(rental, 90) });
    expect(await attempt(extend)).toBe('arrears');
  });

  test('is granted within a limit, and as it was granted before', async () => {
    const rental = await cycles.desk.book();
    const own = await companyOf(t.owner, 45);
    const asked = (days: number, payerId: string, version: number | null, limit?: number) => {
      const shares = [renter(rental), share(payerId, { percentBp: 1, paymentDays: days })];
      return attempt(setPayers(t.db, AGENT, { rentalId: rental.id, shares }, version, limit));
    };
    expect(await asked(1, firm, null)).toBe('limit-exceeded');
    expect(await asked(14, firm, null, 14)).toMatchObject({ version: 1 });
    expect(await asked(14, firm, 1)).toMatchObject({ version: 2 });
    expect(await asked(15, firm, 2)).toBe('limit-exceeded');
    expect(await asked(45, own, 2)).toMatchObject({ version: 3 });
    expect(await asked(46, own, 3)).toBe('limit-exceeded');
  });
});

describe('the tables refuse', () => {
  test('a cycle that is not its documents, and another past', async () => {
    const rental = await cycles.bill(await cycles.later(await cycles.outFor(65), 30));
    const change = (statement: string) =>
      t.owner.transaction().execute((tx) => sql.raw(statement).execute(tx));
    const more = change(`insert into rentals.cycle_document select rental_id, cycle,
      '${insurer}', lines, vat, 1, uuidv7(), 'X', payable_by from rentals.cycle_document
      where rental_id = '${rental.id}'`);
    await expect(more).rejects.toMatchObject({ constraint: 'billed_cycle_is_its_documents' });
    const past = change('delete from rentals.cycle_document');
    await expect(past).rejects.toMatchObject({ constraint: 'billed_cycle_stays' });
    const days = `update rentals.payer_share set payment_days = 91
      where rental_id = '${rental.id}'`;
    await split(rental, [time()]);
    await expect(change(days)).rejects.toMatchObject({ constraint: 'payer_share_payment_days' });
  });
});
