// A worker that dies between COMMIT and completion: the next one finishes, and the effect is one.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import {
  type Company,
  type Counter,
  counter,
  plantCompany,
  plantVehicles,
} from '../support/counter.ts';
import { type Part, type System, testSystem, until } from '../support/system.ts';

const DAY_MS = 86_400_000;
const preload = fileURLToPath(new URL('../support/crash-after-commit.ts', import.meta.url));
const RESERVED = 'insert into "rentals"."rental"';
const HOLD_CHANGED = 'update simulated_gateway.hold';
const COMMANDED = 'insert into "rentals"."command"';
let system: System;
/** Who takes over from the last worker that was killed. A start takes long, so each is used. */
let heir: Part | undefined;
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

/** A worker that never hears of its commits after such a statement, so that nothing follows. */
function hanging(statement: string) {
  return system.start('workers/main.ts', {
    NODE_OPTIONS: `--import ${preload}`,
    HANG_AFTER_COMMIT_OF: statement,
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
    pickUpAt: new Date(now).toISOString(),
    dueAt: new Date(now + DAY_MS).toISOString(),
  };
  heir = await mortal(RESERVED);
  const reserved = await survive(() => mortal(COMMANDED), '/rentals', body, 201);
  const id = reserved.id;
  const none = { invoices: 0, commands: 0 };
  expect(await effects(id)).toEqual({ ...none, rentals: 1, spans: 1, events: 1, audits: 1 });

  const keys = { odometerKm: 1_000, fuelEighths: 8 };
  const out = await survive(() => mortal(COMMANDED), `/rentals/${id}/check-out`, keys);
  expect(out.status).toBe('active');
  const first = { rentals: 1, spans: 1, invoices: 0 };
  expect(await effects(id)).toEqual({ ...first, commands: 1, events: 2, audits: 2 });

  const back = { odometerKm: 1_100, fuelEighths: 8, branchId: 'VIE' };
  const returned = await survive(() => hanging(HOLD_CHANGED), `/rentals/${id}/check-in`, back);
  expect(returned.invoiceNumber).toMatch(/^INV-\d{4}-000001$/);
  const after = await effects(id);
  expect(after).toMatchObject({ rentals: 1, spans: 1, invoices: 1 });
});

/** What became of rentals, their cards and their books; holds by rental, then in order. */
async function money(ids: readonly string[]) {
  const { rows } = await sql<Readonly<Record<string, unknown>>>`select r.status,
      a.state, a.amount_minor::int as held, a.captured_minor::int as captured,
      (select jsonb_agg(jsonb_build_array(h.status, h.amount_minor, h.captured_minor))
        from simulated_gateway.hold h where h.rental_id = r.id::text) as gateway,
      (select count(*)::int from accounting.entry e
        where e.rental_id = r.id and e.source = 'payment.capture') as entries
    from rentals.rental r join rentals.authorisation a on a.rental_id = r.id
    where r.id = any (${sql.val([...ids])}) order by a.created_at`.execute(system.owner);
  return rows;
}

test('killed between the gateway’s answer and our commit: an increase, a capture and a release are one each', {
  timeout: 150_000,
}, async () => {
  const deposit = { percentBp: 10_000 };
  const plan = { ...GOLD_1, id: 'SECURED', classes: ['LCAR'], deposit };
  await publishRatePlan(system.db, 'system:test', plan, '2020-01-01T00:00:00.000Z');
  await plantVehicles(system.db, 'LCAR', 3);
  const worker = heir ?? (await hanging(HOLD_CHANGED));
  const [pickUpAt, dueAt, later] = [0.1, 24, 47].map((h) =>
    new Date(Date.now() + (h / 24) * DAY_MS).toISOString(),
  );
  const ids: string[] = [];
  for (const _ of [1, 2, 3]) {
    const { body } = await desk.post('/rentals', { ...company, classId: 'LCAR', pickUpAt, dueAt });
    const card = { amountMinor: 6_000, paymentMethod: 'sim_approve' };
    expect((await desk.post(`/rentals/${body.id}/deposit`, card)).status).toBe(200);
    ids.push(body.id);
  }
  const [longer = '', back = '', cancelled = ''] = ids;
  const keys = { odometerKm: 1_000, fuelEighths: 8 };
  for (const id of [longer, back]) await desk.post(`/rentals/${id}/check-out`, keys);
  const key = randomUUID();
  const extend = () => desk.post(`/rentals/${longer}/extend`, { dueAt: later }, key);
  const first = extend();
  await desk.post(`/rentals/${back}/check-in`, { ...keys, branchId: 'VIE' });
  await desk.post(`/rentals/${cancelled}/cancel`, { reason: 'fleet' });
  const atGateway = [[['held', 12_000, 0]], [['captured', 6_000, 6_000]], [['released', 6_000, 0]]];
  await until(async () => {
    const reached = (await money(ids)).map(({ gateway }) => gateway);
    return JSON.stringify(reached) === JSON.stringify(atGateway);
  });
  const open = { state: 'open', held: 6_000, captured: 0, entries: 0 };
  expect(await money(ids)).toMatchObject([open, open, open]);
  await worker.stop('SIGKILL');
  await system.start('workers/main.ts');
  let answer = await first;
  for (let n = 0; answer.status === 503 && n < 3; n += 1) answer = await extend();
  expect([answer.status, answer.body.dueAt], answer.text).toEqual([200, later]);
  await until(async () => (await money([back]))[0]?.['status'] === 'closed', 30_000);
  await until(async () => (await money([cancelled]))[0]?.['state'] === 'released', 30_000);
  expect(await money(ids)).toEqual([
    { ...open, status: 'active', held: 12_000, gateway: atGateway[0] },
    {
      ...open,
      status: 'closed',
      state: 'captured',
      captured: 6_000,
      entries: 1,
      gateway: atGateway[1],
    },
    { ...open, status: 'cancelled', state: 'released', gateway: atGateway[2] },
  ]);
});

/**
 * Sends a command to the worker that dies after its commit, then lets the next one finish it. The
 * outcome may stay unknown for longer than a request may last; the same key then asks for it again.
 */
async function survive(next: () => Promise<Part>, path: string, body: object, status = 200) {
  const key = randomUUID();
  const first = desk.post(path, body, key);
  // Killed by a signal it has no exit code.
  expect(await heir?.ended).toBeNull();
  heir = await next();
  let answer = await first;
  for (let n = 0; answer.status === 503 && n < 3; n += 1) answer = await desk.post(path, body, key);
  expect(answer.status, answer.text).toBe(status);
  return answer.body;
}
