// Workers that die between COMMIT and completion of each command of a transfer: one effect each.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { registerBranch } from '../../db/commands/branches.ts';
import { openClient } from '../../temporal-config/connection.ts';
import { parsePayloadKeys } from '../../temporal-config/payload-codec.ts';
import { fleetProofStartOptions } from '../../temporal-config/starts.ts';
import type { fleetProof } from '../../workflows/fleet-proof.ts';
import { type Counter, counter, plantCompany, plantVehicles } from '../support/counter.ts';
import { type Part, type System, testSystem } from '../support/system.ts';

const HOUR_MS = 3_600_000;
const preload = fileURLToPath(new URL('../support/crash-after-commit.ts', import.meta.url));
let system: System;
let desk: Counter;
let vehicles: readonly string[];
/** Dies at its next commit after the statement that it was started for. */
let worker: Part;

beforeAll(async () => {
  system = await testSystem('transfers-killed');
  await plantCompany(system.db);
  const branch = { name: 'Graz', timeZone: 'Europe/Vienna', entityId: 'FC-AT' };
  await registerBranch(system.db, 'system:test', { id: 'GRZ', ...branch });
  vehicles = await plantVehicles(system.db, 'CDMR', 2);
  const api = await system.start('api/server.ts');
  desk = counter(system.base(api), await system.token());
  worker = await mortal('insert into vehicles.transfer (');
}, 120_000);

function mortal(statement: string): Promise<Part> {
  const crash = { NODE_OPTIONS: `--import ${preload}`, CRASH_AFTER_COMMIT_OF: statement };
  return system.start('workers/main.ts', crash);
}

/** The worker dies of the command; the next one, which dies of `following`, completes it. */
async function survive(path: string, body: object, following: string | null) {
  const key = randomUUID();
  const first = desk.post(path, body, key);
  await worker.ended;
  worker = await (following === null ? system.start('workers/main.ts') : mortal(following));
  let answer = await first;
  for (let n = 0; answer.status === 503 && n < 3; n += 1) answer = await desk.post(path, body, key);
  expect([200, 201], answer.text).toContain(answer.status);
  return answer.body;
}

async function effects(id: string) {
  const { rows } = await sql<Readonly<Record<string, unknown>>>`select
    (select count(*)::int from vehicles.transfer where id = ${id}) as tickets,
    (select array_agg(grip) from vehicles.span where ref = ${id}) as spans,
    (select count(*)::int from vehicles.transfer_command where transfer_id = ${id}) as commands,
    (select array_agg(right(type, -len) order by outbox.id) from events.outbox,
      length('forecourt.transfer.') as len where aggregate_id = ${id}) as events,
    (select count(*)::int from people.audit_entry where subject_id = ${id}) as audits,
    (select count(*)::int from vehicles.reading r join vehicles.meter m on m.id = r.meter_id
      join vehicles.transfer t on t.vehicle_id = m.vehicle_id
      where t.id = ${id} and m.kind = 'odometer') as readings`.execute(system.owner);
  return rows[0];
}

function plan(n: number) {
  const departsAt = new Date(Date.now() + HOUR_MS).toISOString();
  return { vehicleId: vehicles[n] ?? '', toBranchId: 'GRZ', departsAt };
}

const DASH = { odometerKm: 1_100, fuelEighths: 8 };

test('planned, departed, arrived and cancelled happen once each, and nothing differs after', {
  timeout: 180_000,
}, async () => {
  const { id } = await survive('/transfers', plan(0), `status = 'under_way'`);
  const told = ['planned.v1'];
  const once = { tickets: 1, commands: 1, audits: 1, readings: 0 };
  expect(await effects(id)).toEqual({ ...once, spans: ['tentative'], events: told });

  await survive(`/transfers/${id}/depart`, DASH, `status = 'arrived'`);
  told.push('departed.v1');
  const twice = { tickets: 1, commands: 2, audits: 2, readings: 1 };
  expect(await effects(id)).toEqual({ ...twice, spans: ['out'], events: told });

  const there = { odometerKm: 1_300, fuelEighths: 6 };
  const arrived = await survive(`/transfers/${id}/arrive`, there, `status = 'cancelled'`);
  expect(arrived).toMatchObject({ status: 'arrived', km: 200 });
  told.push('arrived.v1');
  const thrice = { tickets: 1, commands: 3, audits: 3, readings: 2 };
  expect(await effects(id)).toEqual({ ...thrice, spans: ['firm'], events: told });

  const other = (await desk.post('/transfers', plan(1))).body.id;
  const reason = { reason: 'driver' };
  const cancelled = await survive(`/transfers/${other}/cancel`, reason, null);
  expect(cancelled).toMatchObject({ status: 'cancelled', version: 2 });
  const both = { spans: ['released'], events: ['planned.v1', 'cancelled.v1'] };
  expect(await effects(other)).toEqual({ ...twice, ...both, readings: 0 });

  await desk.post('/transfers', plan(1));
  expect(await prove()).toMatchObject({ vehicles: 2, differences: 0 });
  const { rows } = await sql`select transfers from vehicles.fleet_proof`.execute(system.owner);
  // The arrived one's turnaround goes on.
  expect(rows).toEqual([{ transfers: 2 }]);
});

async function prove() {
  const { TEMPORAL_ADDRESS: address = '', PAYLOAD_KEYS: keys } = system.env;
  const settings = { address, namespace: system.namespace, keys: parsePayloadKeys(keys) };
  const temporal = openClient(settings);
  try {
    const options = fleetProofStartOptions({ proofId: uuidv7(), graceSeconds: 2 });
    return await temporal.workflow.execute<typeof fleetProof>('fleetProof', options);
  } finally {
    await temporal.connection.close();
  }
}
