// Lists and batches: orders and searches by name only, and many requests that are each one's own.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { customerPerson, plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let branchId: string;

let customerId: string;

beforeAll(async () => {
  api = await testApi();
  ({ customerId } = await plantTrade(api.database.db));
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

describe('a rental is found', () => {
  async function reserved(at: string, from: number, to: number, of = customerId) {
    const ids = { id: uuidv7(), branchId: at, classId: CLASS, customerId: of };
    const term = { pickUpAt: hoursFromNow(from), dueAt: hoursFromNow(to) };
    return reserveRental(api.database.db, AGENT, { ...ids, ...term });
  }

  test('by its number, any plate of any vehicle that it has or had, and its customer', async () => {
    const { db, owner } = api.database;
    const { branchId, vehicleIds } = await plantFleet(db, { vehicles: 1 });
    const known = { id: uuidv7(), name: 'Zoë Findable', email: 'Zoe@Find.example' };
    await createCustomer(db, AGENT, { ...known, phone: '+43 699 7777' });
    const rental = await reserved(branchId, 0, 5, known.id);
    const waiting = await reserved(branchId, 90, 99);
    const [plate = ''] = (
      await sql<{ plate: string }>`select plate from vehicles.vehicle
        where id = ${vehicleIds[0]}`.execute(owner)
    ).rows.map((row) => row.plate);
    await sql`update vehicles.vehicle set plate = 'FOUND 1', branch_id = ${branchId}
      where id = ${vehicleIds[0]}`.execute(owner);
    const search = async (q: string, token?: string) => {
      const answer = await api.call('GET', `/api/v1/rentals?${new URLSearchParams({ q })}`, {
        ...(token !== undefined && { token }),
      });
      expect(answer.status, answer.text).toBe(200);
      return answer.body.items.map((one: RentalState) => one.number);
    };
    const both = [rental.number, waiting.number];
    expect(await search(rental.number)).toEqual([rental.number]);
    expect(await search(rental.number.toLowerCase().slice(3))).toEqual([rental.number]);
    expect(await search(plate.toLowerCase().replaceAll('-', ' '))).toEqual(both);
    expect(await search('found1')).toEqual(both);
    for (const q of ['zoë f', 'ZOE@find.example', '+43 699 7777', ' Zoë Findable']) {
      expect([q, await search(q)]).toEqual([q, [rental.number]]);
    }
    for (const q of ['z', 'Zoe@Find', '+43 699', '%', "' or 1=1--", 'FOUND']) {
      expect([q, await search(q)]).toEqual([q, []]);
    }
    const planner = await tokenOf(await plantStaff(owner, { roles: ['fleet-planner'] }));
    expect(await search('Zoë F', planner), 'who may not see customers').toEqual([]);
    expect(await search('found1', planner)).toEqual(both);
    const rights = { roles: ['counter-agent'], branches: ['NONE'] } as const;
    const elsewhere = await tokenOf(await plantStaff(owner, rights));
    expect([await search('Zoë F', elsewhere), await search('found1', elsewhere)]).toEqual([[], []]);
    const own = await tokenOf(await customerPerson(owner, known.id));
    expect([await search('found1', own), await search('Ada', own)]).toEqual([[rental.number], []]);
  });

  test('from wherever its vehicle is by now', async () => {
    const { db, owner } = api.database;
    const here = await plantFleet(db, { vehicles: 1 });
    const there = await plantFleet(db, { vehicles: 0 });
    const rental = await reserved(here.branchId, 0, 5);
    await sql`update vehicles.vehicle set plate = 'GONE-2', branch_id = ${there.branchId}
      where id = ${here.vehicleIds[0]}`.execute(owner);
    const rights = { roles: ['counter-agent'], branches: [here.branchId] } as const;
    const token = await tokenOf(await plantStaff(owner, rights));
    const { body } = await api.call('GET', '/api/v1/rentals?q=GONE2', { token });
    expect(body.items).toMatchObject([{ number: rental.number }]);
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
