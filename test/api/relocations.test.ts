// The relocation proposal over HTTP: from the calendar as it is to drives that would help.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { book, CLASS, hour, plantFleet } from '../support/fleet.ts';

const PATH = '/api/v1/relocations/proposal';
let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

test('counts who is free and what waits, by day, and sends what nobody needs later', async () => {
  const { db, owner } = api.database;
  const { branchId: here } = await plantFleet(db, { vehicles: 2 });
  const { branchId: there } = await plantFleet(db, { vehicles: 0 });
  await book(db, { branchId: here, from: hour(100), to: hour(110) });
  await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, grip, over_limit_reason)
    select 'rental', uuidv7(), ${CLASS}, ${there}, ${there},
      tstzrange(${hour(50)}::timestamptz + n * interval '7 hours', ${hour(57)}::timestamptz
        + n * interval '7 hours'), 30, 'unassigned', 'overdue'
    -- Three after each other, in a day and into the next: one vehicle serves all.
    from generate_series(0, 2) n`.execute(owner);
  const { status, body } = await api.call('GET', `${PATH}?from=${hour(0)}&days=6`);
  expect(status).toBe(200);
  expect(body.pools).toEqual([
    {
      branchId: here,
      classId: CLASS,
      free: [2, 2, 2, 2, 1, 2],
      movable: [1, 1, 1, 1, 1, 2],
      waiting: [0, 0, 0, 0, 0, 0],
      balance: [2, 2, 2, 2, 1, 2],
    },
    {
      branchId: there,
      classId: CLASS,
      free: [0, 0, 0, 0, 0, 0],
      movable: [0, 0, 0, 0, 0, 0],
      waiting: [0, 0, 1, 0, 0, 0],
      balance: [0, 0, -1, 0, 0, 0],
    },
  ]);
  const move = { fromBranchId: here, toBranchId: there, classId: CLASS, count: 1 };
  expect(body.moves).toEqual([{ ...move, leavesAt: hour(24), neededAt: hour(48) }]);
});

test('looks two to 31 days ahead', async () => {
  expectProblem(await api.call('GET', `${PATH}?days=1`), 422, 'validation-failed');
  expectProblem(await api.call('GET', `${PATH}?days=32`), 422, 'validation-failed');
});
