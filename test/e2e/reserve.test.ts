// Reserving over HTTP against the running system: under pressure, and as an integrator's client does.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Company,
  type Counter,
  counter,
  plantCompany,
  plantVehicles,
  tally,
} from '../support/counter.ts';
import { type System, testSystem, until } from '../support/system.ts';

const DAY_MS = 86_400_000;
/** `npm run check` compiles it against the client that is made from the API's document. */
const drive = fileURLToPath(new URL('../api-client/drive.ts', import.meta.url));
let system: System;
let base: string;
let desk: Counter;
let company: Company;

beforeAll(async () => {
  system = await testSystem('reserve');
  company = await plantCompany(system.db, { turnaroundMinutes: 0 });
  base = system.base(await system.start('api/server.ts'));
  await system.start('workers/main.ts');
  desk = counter(base, await system.token());
});

function request(classId: string, fromMs = Date.now() + DAY_MS, forMs = DAY_MS) {
  return {
    ...company,
    classId,
    pickUpAt: new Date(fromMs).toISOString(),
    dueAt: new Date(fromMs + forMs).toISOString(),
  };
}

describe('64 parallel reservations of one class for the same days', () => {
  test.each([
    { classId: 'EBAR', vehicles: 1, expected: { 201: 1, 409: 63 } },
    { classId: 'ECAR', vehicles: 64, expected: { 201: 64 } },
    { classId: 'EDAR', vehicles: 40, expected: { 201: 40, 409: 24 } },
  ])('with $vehicles vehicles: $expected', async ({ classId, vehicles, expected }) => {
    await plantVehicles(system.db, classId, vehicles);
    const from = Date.now() + DAY_MS;
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => desk.post('/rentals', request(classId, from))),
    );
    expect(tally(answers)).toEqual(expected);
    for (const refused of answers.filter((answer) => answer.status === 409)) {
      expect(refused.body.type).toBe('/problems/vehicle-unavailable');
    }
    const { rows } = await sql<{ rentals: number; spans: number; events: number }>`select
      (select count(*)::int from rentals.rental where class_id = ${classId}) as rentals,
      (select count(*)::int from vehicles.span where class_id = ${classId}) as spans,
      (select count(*)::int from events.outbox where event like ${`%"classId":"${classId}"%`}
        and type = 'forecourt.rental.reserved.v1') as events`.execute(system.owner);
    const won = expected[201];
    expect(rows[0]).toEqual({ rentals: won, spans: won, events: won });
  });
});

test('one key sent 20 times at once makes one rental and one body', async () => {
  await plantVehicles(system.db, 'EDDD', 20);
  const key = randomUUID();
  const body = request('EDDD');
  const send = async () => {
    for (;;) {
      const answer = await desk.post('/rentals', body, key);
      if (answer.body.type !== '/problems/idempotency-in-progress') return answer;
      await delay(50);
    }
  };
  const answers = await Promise.all(Array.from({ length: 20 }, send));
  expect(tally(answers)).toEqual({ 201: 20 });
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  const rentals = await system.owner
    .selectFrom('rentals.rental')
    .select('id')
    .where('class_id', '=', 'EDDD')
    .execute();
  expect(rentals).toHaveLength(1);
});

test('a late vehicle is not handed on: another one, or 409', async () => {
  await system.owner
    .updateTable('vehicles.branch')
    .set({ overdue_grace_minutes: 0 })
    .where('id', '=', 'VIE')
    .execute();
  const [first, second] = await plantVehicles(system.db, 'EEEE', 2);
  const now = Date.now();
  const late = await desk.post('/rentals', request('EEEE', now, 12_000));
  expect(late.status).toBe(201);
  const out = await desk.post(`/rentals/${late.body.id}/check-out`, {
    odometerKm: 1_000,
    fuelEighths: 8,
  });
  expect(out.status).toBe(200);
  // Booked behind it, before anybody knew that it would be late.
  const behind = await desk.post('/rentals', request('EEEE', now + 13_000, 3_600_000));
  expect(behind.body.vehicleId).toBe(out.body.vehicleId);

  await delay(Math.max(0, now + 12_500 - Date.now()));
  await until(async () => (await desk.get(`/rentals/${late.body.id}`)).body.overdue === true);
  const other = out.body.vehicleId === first ? second : first;
  expect((await desk.get(`/rentals/${behind.body.id}`)).body.vehicleId).toBe(other);
  const refused = await desk.post('/rentals', request('EEEE', Date.now() + 1_000, 1_800_000));
  expect(refused.status).toBe(409);
  // Two hours and the turnaround later it may be back.
  const later = await desk.post('/rentals', request('EEEE', Date.now() + DAY_MS, 1_800_000));
  expect(later.status).toBe(201);
});

test('a client that was generated from the document plays a rental', async () => {
  await plantVehicles(system.db, 'CDMR', 1);
  const { stdout } = await promisify(execFile)(process.execPath, [drive], {
    env: {
      ...process.env,
      FORECOURT_URL: base,
      FORECOURT_TOKEN: await system.token(),
      PLACE: JSON.stringify({ ...company, classId: 'CDMR' }),
    },
  });
  expect(stdout).toMatch(/^closed with INV-\d{4}-\d{6}$/m);
});
