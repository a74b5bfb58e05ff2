// Held quotes: they keep a vehicle and a price, never more than there is, and end once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { endQuote, holdQuote } from '../../db/commands/held-quotes.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { setStopSell } from '../../db/commands/stop-sells.ts';
import { heldUntil, type QuoteHold } from '../../domain/held-quote.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  CLASS,
  hour,
  hoursFromNow,
  plantFleet,
  plantTrade,
  spanOf,
  spansOf,
} from '../support/fleet.ts';

const SYSTEM = 'system:test';
let t: TestDatabase;
let customerId: string;
beforeAll(async () => {
  t = await testDatabase();
  ({ customerId } = await plantTrade(t.db));
});

async function pool(vehicles = 1): Promise<string> {
  return (await plantFleet(t.db, { vehicles })).branchId;
}

function wanted(branchId: string, over: Partial<QuoteHold> = {}): QuoteHold {
  const term = { pickUpAt: hour(0), dueAt: hour(24) };
  return {
    id: uuidv7(),
    branchId,
    classId: CLASS,
    customerId: null,
    channel: 'online',
    ...term,
    ...over,
  };
}

const hold = (branchId: string, over: Partial<QuoteHold> = {}) =>
  holdQuote(t.db, SYSTEM, wanted(branchId, over));

function reserve(branchId: string, over: Partial<RentalRequest> = {}) {
  const term = { pickUpAt: hour(0), dueAt: hour(24) };
  const request = { id: uuidv7(), branchId, classId: CLASS, customerId, ...term, ...over };
  return reserveRental(t.db, SYSTEM, request);
}

/** As if its time had passed without anybody noticing. */
async function lapse(id: string): Promise<void> {
  await sql`alter table rentals.held_quote disable trigger held_quote_transition`.execute(t.owner);
  await sql`update rentals.held_quote set held_until = now() - interval '1 minute'
    where id = ${id}`.execute(t.owner);
  await sql`alter table rentals.held_quote enable trigger held_quote_transition`.execute(t.owner);
  await sql`update vehicles.span set held_until = now() - interval '1 minute'
    where kind = 'quote' and ref = ${id}`.execute(t.owner);
}

const FULL = { code: 'vehicle-unavailable' };

describe('how long a quote is held', () => {
  const now = '2027-05-03T10:00:00.000Z';
  const until = (channel: 'online' | 'corporate', pickUpAt: string) =>
    heldUntil({ channel, pickUpAt }, now);

  test('is 15 minutes online and 24 hours for companies', () => {
    expect(until('online', '2027-05-10T10:00:00.000Z')).toBe('2027-05-03T10:15:00.000Z');
    expect(until('corporate', '2027-05-10T10:00:00.000Z')).toBe('2027-05-04T10:00:00.000Z');
  });

  test('is never past two hours before pick-up, and then not at all', () => {
    expect(until('corporate', '2027-05-03T20:00:00.000Z')).toBe('2027-05-03T18:00:00.000Z');
    expect(() => until('online', '2027-05-03T12:00:00.000Z')).toThrow(
      expect.objectContaining({ code: 'pick-up-too-soon' }),
    );
  });
});

describe('a held quote', () => {
  test('keeps a vehicle from everybody else', async () => {
    const branchId = await pool();
    const held = await hold(branchId);
    expect(held).toMatchObject({ status: 'held', version: 1, price: { totalMinor: 6_000 } });
    expect(await spansOf(t.owner, branchId)).toMatchObject([{ ref: held.id, grip: 'tentative' }]);
    await expect(reserve(branchId)).rejects.toMatchObject(FULL);
    await expect(hold(branchId)).rejects.toMatchObject(FULL);
  });

  test('is never overbooked, though a rental would be', async () => {
    const branchId = await pool();
    const measure = { percent: null, absolute: 1, fromDate: null, toDate: null };
    await setOverbookingLimit(t.db, SYSTEM, { id: uuidv7(), branchId, classId: CLASS, ...measure });
    await hold(branchId);
    await expect(hold(branchId)).rejects.toMatchObject(FULL);
    expect((await reserve(branchId)).vehicleId).toBeNull();
  });

  test('asked for again is the same one', async () => {
    const branchId = await pool();
    const asked = wanted(branchId);
    const held = await holdQuote(t.db, SYSTEM, asked);
    expect(await holdQuote(t.db, SYSTEM, asked)).toEqual(held);
  });

  test('is not held for what is stopped, too soon or unknown', async () => {
    const branchId = await pool();
    const soon = { pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(25) };
    await expect(hold(branchId, soon)).rejects.toMatchObject({ code: 'pick-up-too-soon' });
    const nobody = { customerId: uuidv7() };
    await expect(hold(branchId, nobody)).rejects.toMatchObject({ code: 'not-found' });
    const dates = { fromDate: hour(0).slice(0, 10), toDate: hour(48).slice(0, 10) };
    const all = { classId: null, channel: 'online', kind: 'stay', reason: 'Fair' } as const;
    await setStopSell(t.db, SYSTEM, { id: uuidv7(), branchId, ...all, ...dates });
    await expect(hold(branchId)).rejects.toMatchObject({ code: 'stop-sell' });
    expect((await hold(branchId, { channel: 'corporate' })).status).toBe('held');
  });

  test('that is released or has expired gives its vehicle back, once', async () => {
    const branchId = await pool();
    const { id } = await hold(branchId);
    const ended = await endQuote(t.db, SYSTEM, id, 'released');
    expect(ended.quote).toMatchObject({ status: 'released', version: 2 });
    expect(await endQuote(t.db, SYSTEM, id, 'expired')).toEqual(ended);
    expect((await reserve(branchId)).status).toBe('reserved');
  });

  test('gives its vehicle to a rental that waits, in the same commit', async () => {
    const branchId = await pool();
    const measure = { percent: null, absolute: 1, fromDate: null, toDate: null };
    await setOverbookingLimit(t.db, SYSTEM, { id: uuidv7(), branchId, classId: CLASS, ...measure });
    const { id } = await hold(branchId);
    const waiting = await reserve(branchId);
    const { reassigned } = await endQuote(t.db, SYSTEM, id, 'expired');
    expect(reassigned).toMatchObject([{ rentalId: waiting.id, vehicleId: expect.any(String) }]);
    expect(await spanOf(t.owner, waiting.id)).toMatchObject({ grip: 'tentative' });
  });
});

describe('accepting', () => {
  test('turns the very span into the rental, at the price that was held', async () => {
    const branchId = await pool();
    const held = await hold(branchId);
    const dearer = {
      ...GOLD_1,
      id: 'DEAR',
      lines: [{ code: 'day', priceMinor: 9_000, coversDays: 1 }],
    } as const;
    await publishRatePlan(t.db, SYSTEM, dearer);
    const rental = await reserve(branchId, { quoteId: held.id });
    expect(rental.price).toEqual(held.price);
    expect(await spansOf(t.owner, branchId)).toMatchObject([
      { ref: rental.id, grip: 'tentative', vehicleId: rental.vehicleId },
    ]);
    const { rows } = await sql`select status, rental_id from rentals.held_quote
      where id = ${held.id}`.execute(t.owner);
    expect(rows).toEqual([{ status: 'accepted', rental_id: rental.id }]);
    expect(await reserve(branchId, { id: rental.id, quoteId: held.id })).toEqual(rental);
    const another = reserve(branchId, { quoteId: held.id });
    await expect(another).rejects.toMatchObject({ code: 'invalid-state' });
    const { quote } = await endQuote(t.db, SYSTEM, held.id, 'expired');
    expect(quote.status).toBe('accepted');
  });

  test('what is not held any more is refused with a fresh quote, and whether one is free', async () => {
    const branchId = await pool();
    const held = await hold(branchId);
    await lapse(held.id);
    const refused = { code: 'quote-expired' };
    await expect(reserve(branchId, { quoteId: held.id })).rejects.toMatchObject({
      ...refused,
      // The dearer plan of the test before is in force.
      details: {
        quoteId: held.id,
        free: true,
        totalMinor: 10_800,
        lines: [{ code: 'time.day', quantity: 1, netMinor: 9_000 }],
      },
    });
    await endQuote(t.db, SYSTEM, held.id, 'expired');
    await reserve(branchId);
    await expect(reserve(branchId, { quoteId: held.id })).rejects.toMatchObject({
      ...refused,
      details: { free: false },
    });
  });

  test('something else than was held is refused, naming what differs', async () => {
    const branchId = await pool();
    const { id: quoteId } = await hold(branchId, { customerId });
    const later = { quoteId, dueAt: hour(48) };
    await expect(reserve(branchId, later)).rejects.toMatchObject({
      code: 'value-refused',
      details: { field: 'dueAt' },
    });
    const unknown = { quoteId: uuidv7() };
    await expect(reserve(branchId, unknown)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('by two rentals at once is for one of them', async () => {
    const branchId = await pool();
    const { id: quoteId } = await hold(branchId);
    const both = await Promise.allSettled([1, 2].map(() => reserve(branchId, { quoteId })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

test('the row itself ends once, and its promise does not change', async () => {
  const { id } = await hold(await pool());
  const change = (set: string) =>
    sql`update rentals.held_quote set ${sql.raw(set)} where id = ${id}`.execute(t.owner);
  const refused = { constraint: 'held_quote_transition' };
  await expect(change("version = 2, total_minor = 1, price = '{}'")).rejects.toMatchObject(refused);
  await expect(change("status = 'released'")).rejects.toMatchObject(refused);
  await change("version = 2, status = 'released'");
  await expect(change("version = 3, status = 'held'")).rejects.toMatchObject(refused);
  await expect(change("version = 3, status = 'accepted'")).rejects.toMatchObject(refused);
});
