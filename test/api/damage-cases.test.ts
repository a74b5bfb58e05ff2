// Damages over HTTP: from the inspections of a rental to the document, with workers that die of it.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { filesToRemove } from '../../db/queries/file-removals.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CHIP, DENT, damageBooks } from '../support/damage-desk.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { rentalDesk } from '../support/rental-desk.ts';
import { type System, testSystem } from '../support/system.ts';
import { photo } from '../support/vehicle-files.ts';

const preload = fileURLToPath(new URL('../support/crash-after-commit.ts', import.meta.url));
let system: System;
let api: TestApi;

beforeAll(async () => {
  system = await testSystem('damages');
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
}, 120_000);

/** Dies right after the commit of the damage document, before anybody hears of it. */
function mortalWorker() {
  const crash = { NODE_OPTIONS: `--import ${preload}` };
  const statement = { CRASH_AFTER_COMMIT_OF: 'accounting.issue_invoice' };
  return system.start('workers/main.ts', { ...crash, ...statement });
}

test('a dent is seen at the return, agreed and charged once, whoever dies; others never see it', {
  timeout: 120_000,
}, async () => {
  const worker = await mortalWorker();
  const rental = await (await rentalDesk(system)).handedOut();
  const post = (path: string, body?: unknown, key: string = randomUUID()) =>
    api.call('POST', `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });
  const inspect = async (kind: string, marks: readonly object[]) => {
    const body = { kind, odometerKm: 2_000, fuelEighths: 8, marks };
    const { body: draft } = await post(`/rentals/${rental.id}/inspections`, body);
    return `/inspections/${draft.id}`;
  };
  const out = await inspect('out', [CHIP]);
  const png = await photo('png');
  const send = (query: string, body: unknown = png) =>
    api.call('POST', `/api/v1${out}/files?${query}`, {
      body,
      headers: { 'content-type': 'image/png' },
    });
  const signed = await send('kind=signature');
  expect(signed.status, signed.text).toBe(201);
  expectProblem(await send('kind=signature', await photo('png', 32)), 409, 'duplicate');
  const jpeg = await send('kind=photo&panel=roof', await photo('jpeg'));
  expectProblem(jpeg, 415, 'unsupported-media-type');
  expect((await post(`${out}/complete`)).body.completedAt).not.toBeNull();
  expectProblem(await send('kind=photo', await photo('png', 16)), 409, 'invalid-state');
  // Both that were refused after the store had them go an hour later.
  expect(await filesToRemove(api.database.db)).toEqual([]);
  await sql`update rentals.file_removal set not_before = now()`.execute(api.database.owner);
  expect(await filesToRemove(api.database.db)).toHaveLength(2);
  const kept = await api.call('GET', signed.headers.get('location') ?? '');
  expect(kept.headers.get('content-type')).toBe('image/png');

  const back = await inspect('in', [CHIP, DENT]);
  const { body: seen } = await post(`${back}/complete`);
  expect(
    seen.differences.map((one: Record<string, unknown>) => [one['panel'], one['change']]),
  ).toEqual(
    expect.arrayContaining([
      ['roof', 'new'],
      ['windscreen', 'pre-existing'],
    ]),
  );
  const report = { inspectionId: seen.id };
  const opened = await post(`/rentals/${rental.id}/damage-cases`, report);
  expect([opened.status, opened.body.status], opened.text).toEqual([201, 'reported']);
  const path = `/damage-cases/${opened.body.id}`;
  expectProblem(await post(`/rentals/${rental.id}/damage-cases`, report), 409, 'duplicate');
  const loss = { repairMinor: 80_000, lossOfUseMinor: 12_000, adminMinor: 5_000 };
  expect((await post(`${path}/estimate`, loss)).body.charge.totalMinor).toBe(97_000);
  expect((await post(`${path}/dispute`, { reason: 'amount' })).body.status).toBe('disputed');
  expectProblem(await post(`${path}/charge`), 409, 'invalid-state');
  await post(`${path}/agree`);

  const key = randomUUID();
  const first = post(`${path}/charge`, undefined, key);
  await worker.ended;
  await system.start('workers/main.ts');
  let charged = await first;
  for (let n = 0; charged.status === 503 && n < 3; n += 1) {
    charged = await post(`${path}/charge`, undefined, key);
  }
  expect([charged.status, charged.body.status], charged.text).toEqual([200, 'charged']);
  expect(await damageBooks(system, rental.id)).toEqual([
    'damage.charge 1200 97000',
    'damage.charge 4300 -97000',
  ]);
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id in (${opened.body.id}, ${charged.body.invoiceId}) order by id`.execute(
    system.owner,
  );
  expect(rows.filter(({ type }) => type === 'forecourt.invoice.issued.v1')).toHaveLength(1);
  expect(rows).toHaveLength(6);

  const roles = ['counter-agent'] as const;
  const token = await tokenOf(await plantStaff(system.owner, { roles, branches: ['NONE'] }));
  for (const one of [path, out, `/rentals/${rental.id}/inspections`]) {
    const unknown = await api.call('GET', `/api/v1${one}`, { token });
    expect([unknown.status, one]).toEqual([404, one]);
  }
  expect((await api.call('GET', '/api/v1/damage-cases', { token })).body.items).toEqual([]);
  expect((await post(`${path}/settle`)).body).toMatchObject({ status: 'settled', held: false });
});
