// Importing vehicles, applied: every row or none, once, whoever comes between.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, plantFleet } from '../support/fleet.ts';
import { csvOf, goodRows, importDesk, problemsOf } from '../support/imports.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let branchId: string;
const { upload, apply, read, registered } = importDesk(() => api);

beforeAll(async () => {
  api = await testApi();
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 0 }));
});

test('a repeat of either request has one effect; two that apply at once are told the same', async () => {
  const { prefix, rows } = goodRows(branchId, 20);
  const body = csvOf(rows);
  const key = 'import-key-1';
  const [first, second] = [await upload(body, { key }), await upload(body, { key })];
  expect(second.text).toBe(first.text);
  expectProblem(await upload(`${body}\n`, { key }), 422, 'idempotency-key-reused');
  const { id } = first.body;
  const answers = await Promise.all([
    apply(id),
    apply(id),
    apply(id, { key: 'k2' }),
    apply(id, { key: 'k3' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect((await apply(id)).body).toEqual(answers[0]?.body);
  expect(await registered(prefix)).toBe(20);
});

test('what the register takes in between makes a new report, and nothing is registered', async () => {
  const { prefix, rows } = goodRows(branchId, 5);
  const checked = await upload(csvOf(rows));
  const plate = `${prefix}-4`;
  const id = '01990000-0000-7000-8000-00000000bbbb';
  const other = { plate, classId: CLASS, branchId, make: 'A', model: 'B', modelYear: 2026 };
  await registerVehicle(api.database.db, AGENT, { id, ...other, odometerKm: 1 });
  expectProblem(await apply(checked.body.id), 409, 'import-refused');
  expect(await registered(prefix)).toBe(1);
  const report = await read(checked.body.id);
  expect(report.body).toMatchObject({ status: 'refused', version: 2 });
  expect(problemsOf(report)).toEqual([[6, 'plate', `${plate} is taken.`]]);
  expectProblem(await apply(checked.body.id), 409, 'import-refused');
});

test('a manager imports for his branches, and sees his own imports only', async () => {
  const { branchId: other } = await plantFleet(api.database.db, { vehicles: 0 });
  const { owner } = api.database;
  const manager = await plantStaff(owner, { roles: ['branch-manager'], branches: [branchId] });
  const token = await tokenOf(manager);
  const { rows } = goodRows(branchId, 2);
  (rows[1] as (string | number)[])[2] = other;
  const mixed = await upload(csvOf(rows), { token });
  expect(problemsOf(mixed)).toEqual([[3, 'branchId', 'You do not work at this branch.']]);
  const own = await upload(csvOf(goodRows(branchId, 2).rows), { token });
  const applied = await apply(own.body.id, { token });
  expect([applied.status, applied.body.status], applied.text).toEqual([200, 'applied']);
  const foreign = await upload(csvOf(goodRows(branchId, 1).rows));
  expectProblem(await read(foreign.body.id, { token }), 404, 'not-found');
  expectProblem(await apply(foreign.body.id, { token }), 404, 'not-found');
});

test('a failure at the last row but one leaves none of 1,000', { timeout: 120_000 }, async () => {
  const { prefix, rows } = goodRows(branchId, 1_000);
  const checked = await upload(csvOf(rows));
  expect([checked.status, checked.body.errors], checked.text).toEqual([201, 0]);
  // Planted behind the dry run's back: the database refuses the last row but one.
  await sql
    .raw(`create function vehicles.refuse_test() returns trigger language plpgsql as $$
    begin raise exception 'no' using errcode = 'check_violation'; end $$;
    create trigger refuse_test before insert on vehicles.vehicle for each row
    when (new.plate = '${prefix}-998') execute function vehicles.refuse_test()`)
    .execute(api.database.owner);
  const failing = await apply(checked.body.id);
  expectProblem(failing, 422, 'value-refused');
  expect(await registered(prefix)).toBe(0);
  await sql`drop trigger refuse_test on vehicles.vehicle`.execute(api.database.owner);
  const applied = await apply(checked.body.id);
  expect([applied.status, applied.body.status], applied.text).toEqual([200, 'applied']);
  expect(await registered(prefix)).toBe(1_000);
});
