// The proof of the fleet on the whole system: silent after crashes, loud about everything planted.
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerBranch } from '../../db/commands/branches.ts';
import { DIFFERENCES } from '../../domain/reconciliation.ts';
import { openClient } from '../../temporal-config/connection.ts';
import {
  rentalWorkflowId,
  searchAttributes,
  transferWorkflowId,
} from '../../temporal-config/names.ts';
import { parsePayloadKeys } from '../../temporal-config/payload-codec.ts';
import { fleetProofStartOptions } from '../../temporal-config/starts.ts';
import type { fleetProof } from '../../workflows/fleet-proof.ts';
import {
  type Company,
  type Counter,
  counter,
  plantCompany,
  plantVehicles,
} from '../support/counter.ts';
import { type System, testSystem, until } from '../support/system.ts';

const DAY_MS = 86_400_000;
let system: System;
let desk: Counter;
let company: Company;
let vehicles: readonly string[];
let temporal: Client;

beforeAll(async () => {
  system = await testSystem('proof');
  company = await plantCompany(system.db);
  const branch = { name: 'Graz', timeZone: 'Europe/Vienna', entityId: 'FC-AT' };
  await registerBranch(system.db, 'system:test', { id: 'GRZ', ...branch });
  vehicles = await plantVehicles(system.db, 'CDMR', 12);
  const api = await system.start('api/server.ts');
  desk = counter(system.base(api), await system.token());
  const { TEMPORAL_ADDRESS: address = '', PAYLOAD_KEYS: keys } = system.env;
  const settings = { address, namespace: system.namespace, keys: parsePayloadKeys(keys) };
  temporal = openClient(settings);
}, 120_000);
afterAll(() => temporal.connection.close());

function startWorker() {
  // Made already for this run: a worker that bundles for itself takes seconds to start.
  return system.start('workers/main.ts');
}

/** While no worker runs the outcome may stay unknown (503): the same key then asks again. */
async function insist(path: string, body: object) {
  const key = randomUUID();
  let answer = await desk.post(path, body, key);
  for (let n = 0; answer.status === 503 && n < 4; n += 1) answer = await desk.post(path, body, key);
  return answer;
}

function reserve(days = 1) {
  const from = Date.now() + days * DAY_MS;
  const [pickUpAt, dueAt] = [from, from + DAY_MS].map((at) => new Date(at).toISOString());
  return insist('/rentals', { ...company, classId: 'CDMR', pickUpAt, dueAt });
}

const KEYS = { odometerKm: 1_000, fuelEighths: 8 };
const BACK = { ...KEYS, odometerKm: 1_100, branchId: 'VIE' };

/** The id of a drive to Graz, by one of the vehicles that nothing else is planted on. */
async function transfer(n: number): Promise<string> {
  const departsAt = new Date(Date.now() + 100 * DAY_MS).toISOString();
  const plan = { vehicleId: vehicles[n], toBranchId: 'GRZ', departsAt };
  return (await insist('/transfers', plan)).body.id;
}

/** By the workflow itself, so that it need not wait two minutes for stores to agree. */
async function prove() {
  const proofId = uuidv7();
  const options = fleetProofStartOptions({ proofId, graceSeconds: 2 });
  return temporal.workflow.execute<typeof fleetProof>('fleetProof', options);
}

test('after workers were killed in the middle of commands, nothing differs', {
  timeout: 240_000,
}, async () => {
  const dying = await startWorker();
  const first = await Promise.all([reserve(0), reserve(1), reserve(0), reserve(3)]);
  const [a, b, c] = first.map(({ body }) => body.id as string);
  const busy = [
    insist(`/rentals/${a}/check-out`, KEYS),
    insist(`/rentals/${b}/cancel`, { reason: 'customer' }),
    reserve(4),
    reserve(5),
    reserve(1),
  ];
  await dying.stop('SIGKILL');
  const second = await startWorker();
  const answers = await Promise.all(busy);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 201, 201]);
  const back = [insist(`/rentals/${a}/check-in`, BACK), insist(`/rentals/${c}/check-out`, KEYS)];
  await second.stop('SIGKILL');
  await startWorker();
  expect((await Promise.all(back)).map(({ status }) => status)).toEqual([200, 200]);
  const report = await prove();
  const { rows } = await sql`select kind, sides from vehicles.fleet_difference`.execute(
    system.owner,
  );
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ rentals: 5, workflows: 5, vehicles: 12, differences: 0 });
});

/** Past every trigger and policy, as only a fault could. */
async function plant(...statements: readonly RawBuilder<unknown>[]): Promise<void> {
  await system.owner.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    for (const statement of statements) await statement.execute(tx);
  });
}

async function open(): Promise<readonly { kind: string; subjectId: string; owner: string }[]> {
  const { body } = await desk.get('/fleet/differences?open=true');
  return body.items;
}

async function attentionOf(id: string): Promise<boolean | undefined> {
  const workflowId = id.includes('/') ? id : rentalWorkflowId(id);
  const { typedSearchAttributes } = await temporal.workflow.getHandle(workflowId).describe();
  return typedSearchAttributes.get(searchAttributes.needsAttention);
}

test('every kind of planted difference is found, owned and shown, and goes when it is mended', {
  timeout: 240_000,
}, async () => {
  const made = await Promise.all(Array.from({ length: 5 }, (_, n) => reserve(10 + n)));
  const [spanless, moved, unwatched, ended, ahead] = made.map(({ body }) => body.id as string);
  const [sold = '', elsewhere = '', kept = ''] = vehicles.slice(-3);
  const [orphan, quote, trip, drive] = [uuidv7(), uuidv7(), randomUUID(), uuidv7()];
  const [placeless, alone, over] = await Promise.all([5, 6, 7].map(transfer));
  const span = (kind: string, ref: string, vehicle: string, grip: string, days: number) => sql`
    insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during, vehicle_id,
      turnaround_minutes, grip, held_until)
    values (${kind}, ${ref}, 'CDMR', 'VIE', 'VIE', tstzrange(now() + ${days} * interval '1 day',
      now() + ${days + 1} * interval '1 day'), ${vehicle}, 30, ${grip},
      case when ${kind} = 'quote' then now() - interval '1 hour' end)`;
  await temporal.workflow.getHandle(rentalWorkflowId(unwatched ?? '')).terminate();
  await temporal.workflow.getHandle(transferWorkflowId(alone ?? '')).terminate();
  await plant(
    sql`update vehicles.span set grip = 'released' where ref = ${spanless}`,
    sql`update vehicles.span set branch_in = 'GRZ' where ref = ${moved}`,
    sql`update rentals.rental set status = 'cancelled', version = 2 where id = ${ended}`,
    sql`update vehicles.span set grip = 'released' where ref = ${ended}`,
    sql`update rentals.rental set version = version + 1 where id = ${ahead}`,
    span('rental', orphan, kept, 'tentative', 40),
    span('quote', quote, kept, 'tentative', 50),
    span('maintenance', trip, sold, 'firm', 60),
    sql`update vehicles.vehicle set status = 'sold' where id = ${sold}`,
    span('transfer', randomUUID(), elsewhere, 'firm', -1),
    sql`update vehicles.vehicle set branch_id = 'GRZ' where id = ${elsewhere}`,
    sql`update vehicles.span set grip = 'released' where ref in (${placeless}, ${over})`,
    sql`update vehicles.transfer set status = 'cancelled', cancel_reason = 'other', version = 2
      where id = ${over}`,
    span('transfer', drive, kept, 'tentative', 70),
  );
  const report = await prove();
  const found = await open();
  const expected = [
    ['rental-without-span', spanless],
    ['span-differs', moved],
    ['rental-without-workflow', unwatched],
    ['workflow-without-rental', ended],
    ['workflow-differs', ahead],
    ['span-without-rental', orphan],
    ['quote-not-released', quote],
    ['vehicle-status', sold],
    ['vehicle-place', elsewhere],
    ['transfer-without-span', placeless],
    ['transfer-without-workflow', alone],
    ['workflow-without-transfer', over],
    ['span-without-transfer', drive],
  ] as const;
  const pairs = found.map(({ kind, subjectId }) => `${kind} ${subjectId}`);
  // One whose span is gone tells its workflow no vehicle either.
  const also = `workflow-differs ${spanless}`;
  expect(pairs.filter((pair) => pair !== also).toSorted()).toEqual(
    expected.map((pair) => pair.join(' ')).toSorted(),
  );
  expect(report.differences).toBe(found.length);
  for (const { kind, owner } of found) {
    expect(owner).toBe(DIFFERENCES[kind as keyof typeof DIFFERENCES]);
  }
  expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(Object.keys(DIFFERENCES)));
  await until(async () => (await attentionOf(ahead ?? '')) === true);
  const driven = transferWorkflowId(placeless ?? '');
  await until(async () => (await attentionOf(driven)) === true);

  await plant(
    sql`update rentals.rental set version = version - 1, updated_at = now() where id = ${ahead}`,
    sql`delete from vehicles.span where ref = ${orphan}`,
  );
  await prove();
  const left = (await open()).map(({ kind }) => kind);
  expect(left).not.toContain('span-without-rental');
  expect(left).toContain('vehicle-status');
  await until(async () => (await attentionOf(ahead ?? '')) === false);
  const latest = await desk.get('/fleet/proofs/latest');
  expect([latest.status, latest.body.differences]).toEqual([200, left.length]);
  const resolved = await desk.get('/fleet/differences?open=false');
  expect(resolved.body.items.map(({ kind }: { kind: string }) => kind).toSorted()).toEqual([
    'span-without-rental',
    'workflow-differs',
  ]);
});

test('a proof is started by hand, once a key', { timeout: 60_000 }, async () => {
  const key = randomUUID();
  const answers = [
    await desk.post('/fleet/proofs', {}, key),
    await desk.post('/fleet/proofs', {}, key),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(answers[1]?.body).toEqual(answers[0]?.body);
  await until(async () => {
    const { body } = await desk.get('/fleet/proofs/latest');
    return body.id === answers[0]?.body.id;
  });
});
