// Lists and batches: orders and searches by name only, and many requests that are each one's own.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../support/api.ts';
import { CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';

let api: TestApi;
let branchId: string;

beforeAll(async () => {
  api = await testApi();
  await plantTrade(api.database.db);
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 0 }));
  for (const name of ['Zora Sorted', 'adam Sorted', 'Berta Sorted', 'Berta Sorted', 'O_Sorted%']) {
    await api.call('POST', '/api/v1/customers', { body: { name } });
  }
});

async function names(query: string): Promise<readonly string[]> {
  const { body } = await api.call('GET', `/api/v1/customers?${query}`);
  return body.items.map((item: { name: string }) => item.name);
}

describe('a list', () => {
  test('is sorted by what is offered, page by page, forwards and backwards', async () => {
    for (const sort of ['name', '-name']) {
      const whole = await names(`sort=${sort}&limit=200`);
      const paged: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = `sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`;
        const { body } = await api.call('GET', `/api/v1/customers?${query}`);
        paged.push(...body.items.map((item: { name: string }) => item.name));
        cursor = body.nextCursor;
      }
      expect(paged).toEqual(whole);
      const inOrder = whole.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
      expect(whole).toEqual(sort === 'name' ? inOrder : inOrder.toReversed());
    }
  });

  test.each(['password_hash', 'id;drop table x--', 'email', '--name', ''])(
    'is not sorted by %j',
    async (sort) => {
      const query = new URLSearchParams({ sort });
      const answer = await api.call('GET', `/api/v1/customers?${query}`);
      expect(answer.status).toBe(422);
      expect(answer.body.type).toBe('/problems/validation-failed');
    },
  );

  test.each([
    ['berta', 2],
    ['O_', 1],
    ['_', 0],
    ['%', 0],
    ["' OR 1=1--", 0],
    ['\\', 0],
  ])('is searched for %j literally', async (q, count) => {
    expect(await names(new URLSearchParams({ q }).toString())).toHaveLength(count);
  });

  test('of rentals and vehicles are sorted and searched too', async () => {
    for (const path of [
      'rentals?sort=-dueAt&q=R-',
      'rentals?sort=pickUpAt',
      'vehicles?sort=-odometerKm&q=w',
      'vehicles?sort=plate',
    ]) {
      expect(await api.call('GET', `/api/v1/${path}`)).toMatchObject({ status: 200 });
    }
  });
});

describe('a batch', () => {
  const term = () => ({ pickUpAt: hoursFromNow(24), dueAt: hoursFromNow(48) });

  test('of quotes answers one result an item, in order', async () => {
    const good = { branchId, classId: CLASS, ...term() };
    const body = { items: [good, { ...good, classId: 'ZZZZ' }, good] };
    const answer = await api.call('POST', '/api/v1/quotes/batch', { body });
    expect(answer.status).toBe(200);
    expect(answer.body.results).toMatchObject([
      { status: 200, item: { price: { currency: 'EUR' } } },
      { status: 422, problem: { type: '/problems/unknown-reference', status: 422 } },
      { status: 200 },
    ]);
  });

  test('of vehicles registers each once, however often it is repeated', async () => {
    const vehicle = (plate: string) => ({
      plate,
      classId: CLASS,
      branchId,
      make: 'Skoda',
      model: 'Octavia',
      modelYear: 2026,
      odometerKm: 10,
    });
    const body = { items: [vehicle('BATCH-1'), vehicle('BATCH-1'), vehicle('BATCH-2')] };
    const key = randomUUID();
    const first = await api.call('POST', '/api/v1/vehicles/batch', { body, key });
    const statuses = first.body.results.map((result: { status: number }) => result.status);
    expect(statuses).toEqual([201, 409, 201]);
    const again = await api.call('POST', '/api/v1/vehicles/batch', { body, key });
    expect(again.body).toEqual(first.body);
    const { body: listed } = await api.call('GET', '/api/v1/vehicles?q=batch-');
    expect(listed.items).toHaveLength(2);
  });

  test.each([0, 101])('of %i items is refused whole', async (count) => {
    const good = { branchId, classId: CLASS, ...term() };
    const body = { items: Array.from({ length: count }, () => good) };
    expect((await api.call('POST', '/api/v1/quotes/batch', { body })).status).toBe(422);
  });
});
