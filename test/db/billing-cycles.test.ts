// A long rental billed while it is open: documents, ledger and arrears, on a clock moved by hand.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { postPayment } from '../../db/commands/payment-entries.ts';
import { receivePrepayment } from '../../db/commands/prepayments.ts';
import { billedCycles } from '../../db/queries/billing-cycles.ts';
import { localDate, localTime } from '../../domain/calendar.ts';
import { capturePostings } from '../../domain/payments/postings.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { type BillingDesk, billingDesk, onDay } from '../support/billing-desk.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';
import { entryOf } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: BillingDesk['desk'];
let outFor: BillingDesk['outFor'];
let later: BillingDesk['later'];
let bill: BillingDesk['bill'];
let back: BillingDesk['back'];
let amountsOf: BillingDesk['amountsOf'];

beforeAll(async () => {
  t = await testDatabase();
  ({ desk, outFor, later, bill, back, amountsOf } = await billingDesk(t));
});

const DAY = 24;
const idsOf = async ({ id }: RentalState) => {
  const { rows } = await sql<{ id: string }>`select id from accounting.invoice
    where rental_id = ${id} order by id`.execute(t.owner);
  return rows.map((row) => row.id);
};

describe('65 days by 30', () => {
  test('are invoiced 800.00, 800.00 and 110.00, in a row and without a gap', async () => {
    let rental = await outFor(65);
    expect(rental.cycleEndsAt).toBe(onDay(rental, 30));
    rental = await bill(await later(rental, 30));
    rental = await bill(await later(rental, 30));
    rental = await back(await later(rental, 5, -5));
    expect(rental.price.netMinor).toBe(1_710_00);
    expect(await amountsOf(rental)).toEqual([
      [800_00, 160_00, 380],
      [800_00, 160_00, 380],
      [110_00, 22_00, 380],
    ]);
    expect(await entryOf(t.owner, rental, 'rental.cycle-invoice')).toEqual([
      ...['1200 96000', '1200 96000'],
      ...['2200 -16000', '2200 -16000', '4000 -80000', '4000 -80000'],
    ]);
    expect(await entryOf(t.owner, rental, 'rental.final-invoice')).toEqual([
      ...['1200 13200', '2200 -2200', '4000 -11000'],
    ]);
    const cycles = await billedCycles(t.db, 'system:test', rental.id);
    expect(cycles.map(({ serviceTo }) => serviceTo)).toEqual([30, 60].map((n) => onDay(rental, n)));
    const days = [-1, 0].map((hours) => localDate(hoursFromNow(hours), 'Europe/Vienna'));
    expect(days).toContain(cycles[0]?.taxPoint);
  });

  test('extended, keep what was billed: 95 days are 800.00, 800.00, 710.00 and 200.00', async () => {
    let rental = await bill(await later(await outFor(65), 30));
    rental = await desk.after(rental, { type: 'extend', dueAt: onDay(rental, 95) });
    expect(await amountsOf(rental)).toHaveLength(1);
    rental = await bill(await later(rental, 30));
    rental = await bill(await later(rental, 30));
    rental = await back(await later(rental, 5, -5));
    // A(90) = 3 × 700 + 210; A(95) = 3 × 700 + 210 + 4 × 50
    expect(rental.price.netMinor).toBe(2_510_00);
    const nets = (await amountsOf(rental)).map(([net]) => net);
    expect(nets).toEqual([800_00, 800_00, 710_00, 200_00]);
  });
});

test('65 days prepaid: cycles deduct it, nothing is owed, and VAT is due once', async () => {
  let rental = await outFor(65);
  const prepay = (amountMinor: number) => {
    const paid = { id: uuidv7(), rentalId: rental.id, amountMinor, at: hoursFromNow(0) };
    return receivePrepayment(t.db, AGENT, { ...paid, tender: 'bank-transfer' });
  };
  await prepay(1_000_00);
  rental = await bill(await later(rental, 30));
  // 960.00 is billed and 40.00 of the 1,000.00 is left.
  expect(await attempt(prepay(1_052_01))).toBe('amount-too-high');
  await prepay(1_052_00);
  rental = await bill(await later(rental, 30));
  rental = await back(await later(rental, 5, -5));
  expect(await amountsOf(rental)).toEqual([
    ...[
      [expect.anything(), expect.anything(), 386],
      [800_00, 160_00, 380],
    ],
    ...[
      [expect.anything(), expect.anything(), 386],
      [800_00, 160_00, 380],
      [110_00, 22_00, 380],
    ],
  ]);
  const { rows } = await sql`select a.code, sum(l.amount)::int as sum from accounting.entry e
    join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rental.id} group by 1 having sum(l.amount) <> 0 order by 1`.execute(
    t.owner,
  );
  expect(rows).toEqual([
    { code: '1010', sum: 2_052_00 },
    { code: '2200', sum: -342_00 },
    { code: '4000', sum: -1_710_00 },
  ]);
  const { rows: open } = await sql`select from accounting.open_item
    where rental_id = ${rental.id}`.execute(t.owner);
  expect(open).toEqual([]);
});

test('what cycles charged too much is credited, and the last of their invoices stands', async () => {
  const { branchId: returnBranchId } = await plantFleet(t.db, { vehicles: 1 });
  let rental = await bill(await later(await outFor(65, { returnBranchId }), 30));
  // Back a quarter of an hour later, where it began: the way there of 75.00 was not driven.
  rental = await back(await later(rental, 0, 15));
  expect(rental.price.netMinor).toBe(800_00);
  expect(await amountsOf(rental)).toEqual([
    [875_00, 175_00, 380],
    [75_00, 15_00, 381],
  ]);
  expect(rental.invoiceId).toBe((await idsOf(rental))[0]);
  expect(await entryOf(t.owner, rental, 'rental.final-credit')).toEqual([
    ...['4000 7500', '2200 1500', '1200 -9000'],
  ]);
});

test('another place of supply is one credit note and one invoice of the whole', async () => {
  const branchId = await desk.pricedBy({ longTermVatRateBp: 1_000 });
  let rental = await outFor(31, { branchId, billing: '28-days' });
  expect(rental.price.vatMinor).toBe(85_00);
  rental = await bill(await later(rental, 28));
  // Two days early it is a short hire after all: A(29) = 750.00, with 20 %.
  rental = await back(await later(rental, 1, -5));
  expect(await amountsOf(rental)).toEqual([
    [700_00, 70_00, 380],
    [700_00, 70_00, 381],
    [750_00, 150_00, 380],
  ]);
});

test('nothing more is invoiced when the last cycle charged all of it', async () => {
  const billed = await bill(await later(await outFor(65), 30));
  const rental = await back(await later(billed, 0, 20));
  expect(await amountsOf(rental)).toHaveLength(1);
  expect(rental.invoiceId).toBe((await idsOf(rental))[0]);
});

test('a cycle that costs nothing is over without a document', async () => {
  const rental = await outFor(65);
  const nothing = { ...rental.price, lines: [], netMinor: 0, vat: [], vatMinor: 0, totalMinor: 0 };
  await sql`update rentals.rental set price = ${JSON.stringify(nothing)}, total_minor = 0,
    version = version + 1 where id = ${rental.id}`.execute(t.owner);
  const billed = await bill(await later(rental, 30));
  expect(billed.cycleEndsAt).toBe(onDay(billed, 60));
  expect(await amountsOf(billed)).toEqual([]);
});

test('the cycle is the booking’s, else the plan’s, else there is none', async () => {
  const monthly = () => desk.pricedBy({ billing: { cycle: 'month' } });
  const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(65 * DAY) };
  const cycleOf = async (more: Partial<RentalRequest>) => {
    const rental = await desk.book({ ...term, ...more });
    const out = await desk.after(rental, OUT);
    return [out.billingCycle, out.cycleEndsAt && localTime(out.cycleEndsAt, 'Europe/Vienna')];
  };
  const [month, first] = await cycleOf({ branchId: await monthly() });
  expect(month).toBe('month');
  expect(first).toMatch(/-01T00:00:00/);
  expect(await cycleOf({ branchId: await monthly(), billing: 'none' })).toEqual([null, null]);
  expect((await cycleOf({ billing: '28-days' }))[0]).toBe('28-days');
  expect(await cycleOf({})).toEqual([null, null]);
});

describe('an unpaid invoice', () => {
  const look = (rental: RentalState) => desk.after(rental, { type: 'checkArrears' });
  const extend = (rental: RentalState) =>
    attempt(desk.record(rental, { type: 'extend', dueAt: onDay(rental, 90) }));
  const facts = async ({ id }: RentalState) => {
    const { rows } = await sql<{ arrears: boolean; open: number }>`
      select (event::jsonb #>> '{data,arrears}')::boolean as arrears,
        (event::jsonb #>> '{data,openMinor}')::int as open
      from events.outbox where aggregate_id = ${id}
        and type = 'forecourt.rental.arrears-changed.v1' order by seq`.execute(t.owner);
    return rows;
  };

  test('past its terms stops extensions until it is paid', async () => {
    let rental = await bill(await later(await outFor(65), 30));
    rental = await later(rental, 13);
    const looked = await desk.record(rental, { type: 'checkArrears' });
    expect(looked).toMatchObject({ arrears: false, version: rental.version });
    // The fourteenth day ends at midnight: until then it is not overdue.
    expect('nextCheckAt' in looked && localTime(looked.nextCheckAt ?? '', 'Europe/Vienna')).toMatch(
      /T00:00:00/,
    );
    rental = await look(await later(rental, 2));
    expect(rental.arrears).toBe(true);
    expect(await extend(rental)).toBe('arrears');
    await pay(rental, 960_00 - 1);
    expect(await extend(rental)).toBe('arrears');
    await pay(rental, 1);
    expect(await extend(rental)).toMatchObject({ type: 'extended' });
    rental = await look(await desk.read(rental.id));
    expect(rental.arrears).toBe(false);
    expect(await facts(rental)).toEqual([
      { arrears: true, open: 960_00 },
      { arrears: false, open: 0 },
    ]);
  });

  async function pay({ id: rentalId }: RentalState, amountMinor: number): Promise<void> {
    const postings = capturePostings({ currency: 'EUR', amountMinor, owedMinor: amountMinor });
    const entry = { key: `test/${rentalId}/${amountMinor}`, rentalId, currency: 'EUR' };
    await transact(t.db, 'rentals_rw', AGENT, (tx) =>
      postPayment(tx, { ...entry, source: 'payment.capture', postings }),
    );
  }
});
