// A worker that dies between COMMIT and completion: the next one finishes, and the effect is one.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import {
  type Company,
  type Counter,
  counter,
  plantCompany,
  plantVehicles,
} from '../support/counter.ts';
import { type System, testSystem } from '../support/system.ts';

const DAY_MS = 86_400_000;
const preload = fileURLToPath(new URL('../support/crash-after-commit.ts', import.meta.url));
let system: System;
let desk: Counter;
let company: Company;

beforeAll(async () => {
  system = await testSystem('crash');
  company = await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', 3);
  const api = await system.start('api/server.ts');
  desk = counter(system.base(api), await system.token());
});

/** A worker that dies at its first commit after a statement that holds `statement`. */
function mortal(statement: string) {
  return system.start('workers/main.ts', {
    NODE_OPTIONS: `--import ${preload}`,
    CRASH_AFTER_COMMIT_OF: statement,
  });
}

async function effects(rentalId: string) {
  const { rows } = await sql<Readonly<Record<string, number>>>`select
    (select count(*)::int from rentals.rental where id = ${rentalId}) as rentals,
    (select count(*)::int from vehicles.span where ref = ${rentalId}) as spans,
    (select count(*)::int from rentals.command where rental_id = ${rentalId}) as commands,
    (select count(*)::int from events.outbox where aggregate_id = ${rentalId}) as events,
    (select count(*)::int from accounting.invoice where rental_id = ${rentalId}) as invoices,
    (select count(*)::int from people.audit_entry where subject_id = ${rentalId}) as audits`.execute(
    system.owner,
  );
  return rows[0];
}

test('a reservation, a check-out and a check-in happen once each', {
  timeout: 150_000,
}, async () => {
  const now = Date.now();
  const body = {
    ...company,
    classId: 'CDMR',
    pickUpAt: new Date(now + DAY_MS).toISOString(),
    dueAt: new Date(now + 2 * DAY_MS).toISOString(),
  };
  const reserved = await survive('insert into "rentals"."rental"', '/rentals', body, 201);
  const id = reserved.id;
  const none = { invoices: 0, commands: 0 };
  expect(await effects(id)).toEqual({ ...none, rentals: 1, spans: 1, events: 1, audits: 1 });

  const keys = { odometerKm: 1_000, fuelEighths: 8 };
  const out = await survive('insert into "rentals"."command"', `/rentals/${id}/check-out`, keys);
  expect(out.status).toBe('active');
  const first = { rentals: 1, spans: 1, invoices: 0 };
  expect(await effects(id)).toEqual({ ...first, commands: 1, events: 2, audits: 2 });

  const back = { odometerKm: 1_100, fuelEighths: 8, branchId: 'VIE' };
  const returned = await survive(
    'insert into "rentals"."command"',
    `/rentals/${id}/check-in`,
    back,
  );
  expect(returned.invoiceNumber).toMatch(/^INV-\d{4}-000001$/);
  const after = await effects(id);
  expect(after).toMatchObject({ rentals: 1, spans: 1, invoices: 1 });
});

/**
 * Sends a command to a worker that dies after its commit, then lets another worker finish it. The
 * outcome may stay unknown for longer than a request may last; the same key then asks for it again.
 */
async function survive(statement: string, path: string, body: object, status = 200) {
  const dying = await mortal(statement);
  const key = randomUUID();
  const first = desk.post(path, body, key);
  await dying.ended;
  const heir = await system.start('workers/main.ts');
  let answer = await first;
  for (let n = 0; answer.status === 503 && n < 3; n += 1) answer = await desk.post(path, body, key);
  expect(answer.status, answer.text).toBe(status);
  await heir.stop('SIGKILL');
  return answer.body;
}
