// The same vehicle again under another contract: only the later one is long-term, the first one stays.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { back, type ExchangeDesk, exchange, exchangeDesk } from '../support/exchange-desk.ts';
import { AGENT, hoursFromNow, plantTrade, plantVehicles } from '../support/fleet.ts';
import { OUT } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: ExchangeDesk;

beforeAll(async () => {
  t = await testDatabase();
  desk = await exchangeDesk(t);
});

const DAYS = 24;
const ratesOf = ({ price }: RentalState) => price.vat.map(({ rateBp }) => rateBp);

/** Back so many hours ago, after 20 days, in the one vehicle of a branch whose plan taxes long hire. */
async function first(gapHours = 47) {
  const branchId = await desk.pricedBy({ longTermVatRateBp: 1_900 });
  const rental = await desk.after(await desk.book({ branchId }), OUT);
  const closed = await desk.after(rental, back(rental, 2_000));
  await sql`update rentals.rental set version = version + 1,
      checked_out_at = ${hoursFromNow(-gapHours - 20 * DAYS)},
      checked_in_at = ${hoursFromNow(-gapHours)} where id = ${rental.id}`.execute(t.owner);
  await sql`update vehicles.span set grip = 'released' where ref = ${rental.id}`.execute(t.owner);
  return { branchId, closed: await desk.read(closed.id), vehicleId: rental.vehicleId ?? '' };
}

const second = (branchId: string, more: { readonly customerId?: string } = {}) =>
  desk.book({ branchId, dueAt: hoursFromNow(15 * DAYS), ...more });

test('goes on as one hire, and the first contract stays as it was invoiced', async () => {
  const { branchId, closed, vehicleId } = await first();
  const booked = await second(branchId);
  expect([booked.vehicleId, ratesOf(booked)]).toEqual([vehicleId, [2_000]]);
  const commandId = uuidv7();
  const outcome = await desk.record(booked, OUT, { commandId });
  const out = await desk.read(booked.id);
  expect(ratesOf(out)).toEqual([1_900]);
  expect(out.price.chosen?.longTerm).toEqual({ vatRateBp: 1_900, precedingMinutes: 20 * 1_440 });
  // The workflow is told the price that the row has, again as the first time.
  expect(outcome).toMatchObject({ type: 'checkedOut', price: out.price });
  expect(await desk.record(booked, OUT, { commandId })).toEqual(outcome);
  expect(out.price.netMinor).toBe(booked.price.netMinor);
  const longer = await desk.after(out, { type: 'extend', dueAt: hoursFromNow(16 * DAYS) });
  expect(ratesOf(longer)).toEqual([1_900]);
  expect(await desk.read(closed.id)).toEqual(closed);
  const { rows } = await sql`select i.kind, x.rate_bp from accounting.invoice i
    join accounting.invoice_tax x on x.invoice_id = i.id where i.rental_id = ${closed.id}`.execute(
    t.owner,
  );
  expect(rows).toEqual([{ kind: 380, rate_bp: 2_000 }]);
});

test.each([
  ['more than 48 hours later', async () => second((await first(48.1)).branchId)],
  [
    'with another customer',
    async () => {
      const { customerId } = await plantTrade(t.db);
      return second((await first()).branchId, { customerId });
    },
  ],
])('is a short hire of its own %s', async (_name, booked) => {
  expect(ratesOf(await desk.after(await booked(), OUT))).toEqual([2_000]);
});

test('is a short hire of its own with another car, until it is exchanged for that one', async () => {
  const { branchId, vehicleId } = await first();
  const [other = ''] = await plantVehicles(t.db, branchId, 1);
  const out = await desk.after(await second(branchId), { ...OUT, vehicleId: other });
  expect(ratesOf(out)).toEqual([2_000]);
  const now = await desk.after(out, exchange(out, { taken: { vehicleId } }));
  expect(ratesOf(now)).toEqual([1_900]);
});

test('is a short hire again once its check-out was undone, until the same car goes out', async () => {
  const { branchId, vehicleId } = await first();
  const booked = await second(branchId);
  const [other = ''] = await plantVehicles(t.db, branchId, 1);
  const out = await desk.after(booked, { ...OUT, vehicleId });
  expect(ratesOf(out)).toEqual([1_900]);
  const keys = { odometerKm: out.odometerOutKm ?? 0, fuelEighths: 8 } as const;
  const undone = await desk.after(out, { type: 'undoCheckOut', ...keys, reason: 'wrong-vehicle' });
  expect(undone.price).toMatchObject({ ...booked.price, chosen: undone.price.chosen });
  const away = await desk.after(undone, { ...OUT, vehicleId: other });
  expect([ratesOf(undone), ratesOf(away)]).toEqual([[2_000], [2_000]]);
});

test('is one hire under whatever record of the customer', async () => {
  const { branchId, closed } = await first();
  const { customerId } = await plantTrade(t.db);
  const booked = await second(branchId, { customerId });
  const pair = { survivorId: customerId, duplicateId: closed.customerId };
  await mergeCustomers(t.db, AGENT, pair);
  expect(ratesOf(await desk.after(booked, OUT))).toEqual([1_900]);
});
