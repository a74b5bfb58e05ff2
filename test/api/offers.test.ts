// What a counter asks before it books: what is free, and what it would cost.
import { beforeAll, expect, test } from 'vitest';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { book, hour, plantFleet } from '../support/fleet.ts';

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
