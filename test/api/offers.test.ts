// What a counter asks before it books: what is free, and what it would cost.
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { driversOf } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { AGENT, book, hour, PERSON, plantFleet } from '../support/fleet.ts';

let api: TestApi;
let branchId: string;
beforeAll(async () => {
  api = await testApi();
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 3 }));
  await api.database.owner
    .insertInto('rentals.rate_plan')
    .values({
      id: GOLD_1.id,
      version: GOLD_1.version,
      valid_from: '2020-01-01T00:00:00Z',
      terms: JSON.stringify(GOLD_1),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
});

function availability(
  from: string,
  to: string,
  more = '',
): Promise<{ status: number; body: never }> {
  const query = `branchId=${branchId}&from=${from}&to=${to}${more}`;
  return api.call('GET', `/api/v1/availability?${query}`) as never;
}

test('availability counts what is free in each class, turnaround included', async () => {
  const whole = { branchId, from: hour(0), to: hour(24) };
  expect((await availability(hour(0), hour(24))).body).toEqual({
    ...whole,
    classes: [{ classId: 'CDMR', free: 3 }],
  });
  await book(api.database.db, whole);
  const free = async (from: string, to: string) =>
    ((await availability(from, to, '&classId=CDMR')).body as { classes: { free: number }[] })
      .classes[0]?.free;
  expect(await free(hour(0), hour(24))).toBe(2);
  expect(await free(hour(24), hour(30))).toBe(2);
  expect(await free(hour(24.5), hour(30))).toBe(3);
});

test('availability of a branch that does not exist is 404, of a class none', async () => {
  const times = `from=${hour(0)}&to=${hour(1)}`;
  const answer = await api.call('GET', `/api/v1/availability?branchId=NONE&${times}`);
  expect([answer.status, answer.body.type]).toEqual([404, '/problems/not-found']);
  expect((await availability(hour(0), hour(1), '&classId=XXXX')).body).toMatchObject({
    classes: [],
  });
});

test('availability takes offsets and answers in UTC; an end before its beginning is 422', async () => {
  const local = encodeURIComponent('2099-05-03T10:00:00+02:00');
  const answer = await availability(local, encodeURIComponent('2099-05-04T10:00:00+02:00'));
  expect(answer.body).toMatchObject({
    from: '2099-05-03T08:00:00.000Z',
    to: '2099-05-04T08:00:00.000Z',
  });
  expect((await availability(hour(2), hour(1))).status).toBe(422);
});

test('a quote explains its lines, which sum to its total', async () => {
  const request = { branchId, classId: 'CDMR', pickUpAt: hour(0), dueAt: hour(5 * 24) };
  const answer = await api.call('POST', '/api/v1/quotes', { body: request, key: false });
  expect([answer.status, answer.body.type]).toEqual([200, undefined]);
  const { price, ...asked } = answer.body;
  expect(asked).toEqual(request);
  // GOLD-1, five days: 210.00 net, 252.00 with 20 % VAT.
  expect(price).toMatchObject({ currency: 'EUR', netMinor: 21_000, totalMinor: 25_200 });
  const lines: { netMinor: number }[] = price.lines;
  expect(lines.reduce((sum, line) => sum + line.netMinor, 0)).toBe(price.netMinor);
});

test('a quote for a branch or class that does not exist is 422 unknown-reference', async () => {
  for (const wrong of [{ branchId: 'NONE' }, { classId: 'XXXX' }]) {
    const body = { branchId, classId: 'CDMR', pickUpAt: hour(0), dueAt: hour(24), ...wrong };
    const answer = await api.call('POST', '/api/v1/quotes', { body });
    expect([answer.status, answer.body.type]).toEqual([422, '/problems/unknown-reference']);
  }
});

test('what is quoted is what is booked, whatever is taken with it', async () => {
  const { db } = api.database;
  const { branchId: at } = await plantFleet(db, { vehicles: 12 });
  const { branchId: there } = await plantFleet(db, { vehicles: 1 });
  const { id: customerId } = await createCustomer(db, AGENT, { id: uuidv7(), ...PERSON });
  const from = { pickUpFrom: '2020-01-01', pickUpTo: '2099-01-01' };
  const plan: RatePlan = {
    ...GOLD_1,
    id: 'WIDE',
    branches: [at],
    rates: [{ code: 'acme', kind: 'corporate', discountBp: 700 }],
    promotions: [{ ...from, code: 'spring', amountMinor: 333, withRate: true }],
    surcharges: [{ code: 'airport', dailyMinor: 250, branches: [at] }],
  };
  await publishRatePlan(db, AGENT, plan, hour(-1_000));
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const taken = fc.record({
    returnBranchId: maybe(fc.constant(there)),
    extras: maybe(fc.constant([{ code: 'item', count: 2 }])),
    coverages: maybe(fc.constant(['cdw'])),
    driverAges: maybe(fc.constantFrom([41], [19, 50], [22, 23])),
    rate: maybe(fc.constant('acme')),
    promotion: maybe(fc.constant('spring')),
    surcharges: maybe(fc.constant(['lf'])),
    distance: maybe(fc.integer({ min: 0, max: 3_000 })),
    hours: fc.integer({ min: 1, max: 700 }),
  });
  await fc.assert(
    fc.asyncProperty(taken, async ({ hours, ...choices }) => {
      const term = { pickUpAt: hour(0), dueAt: hour(hours) };
      const wanted = { branchId: at, classId: 'CDMR', ...term, ...choices };
      const quoted = await api.call('POST', '/api/v1/quotes', { body: wanted, key: false });
      const { driverAges, ...rest } = wanted;
      const drivers = driverAges && driversOf(driverAges, plan);
      const booked = await reserveRental(db, AGENT, { ...rest, drivers, id: uuidv7(), customerId });
      expect(JSON.parse(JSON.stringify(booked.price))).toEqual(quoted.body.price);
    }),
    { numRuns: 12 },
  );
});
