// Travel times over HTTP: set once for both ways, or for each; unknown branches refused.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantFleet } from '../support/fleet.ts';

const PATH = '/api/v1/travel-times';
let api: TestApi;
let a: string;
let b: string;
beforeAll(async () => {
  api = await testApi();
  ({ branchId: a } = await plantFleet(api.database.db, { vehicles: 0 }));
  ({ branchId: b } = await plantFleet(api.database.db, { vehicles: 0 }));
});

const put = (fromBranchId: string, toBranchId: string, minutes: number) =>
  api.call('PUT', PATH, { body: { fromBranchId, toBranchId, minutes } });

async function minutes(from: string, to: string): Promise<number | undefined> {
  const { rows } = await sql<{ m: number }>`select vehicles.travel_minutes(${from}, ${to})
    as m`.execute(api.database.owner);
  return rows[0]?.m;
}

test('holds both ways until the way back has one of its own; each change counts', async () => {
  expect(await minutes(a, b)).toBe(180);
  const first = await put(a, b, 90);
  expect([first.status, first.body.version]).toEqual([200, 1]);
  expect([await minutes(a, b), await minutes(b, a)]).toEqual([90, 90]);
  expect((await put(a, b, 90)).body.version).toBe(1);
  expect((await put(a, b, 100)).body.version).toBe(2);
  await put(b, a, 120);
  expect([await minutes(a, b), await minutes(b, a)]).toEqual([100, 120]);
  expect((await api.call('GET', `${PATH}?branchId=${a}`)).body.items).toHaveLength(2);
  const { rows } = await sql<{ n: number }>`select count(*) as n from people.audit_entry
    where action = 'travel-time.set'`.execute(api.database.owner);
  expect(rows[0]?.n).toBe(3);
});

test('is between two branches that exist', async () => {
  expectProblem(await put(a, a, 10), 422, 'validation-failed');
  expectProblem(await put(a, 'NOWHERE', 10), 422, 'unknown-reference');
});
