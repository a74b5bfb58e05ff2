// One worker killed in the middle of many rentals' commands at once: each effect is there once after it.
import { mkdtemp, readdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { ABOVE, type ExchangeDesk, exchangeDesk } from '../support/exchange-desk.ts';
import { hoursFromNow, overlaps, plantVehicles, strays } from '../support/fleet.ts';
import { moneyFaults } from '../support/rental-money.ts';
import { type Part, type System, testSystem, until } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

const preload = fileURLToPath(new URL('../support/hang-after-commits.ts', import.meta.url));
const KEYS = { odometerKm: 2_000, fuelEighths: 8 };
/** Of three days; the better class costs 72.00 more, and a day 60.00. */
const TOTAL = 180_00;
let system: System;
let api: TestApi;
let desk: ExchangeDesk;
let branchId: string;
let worker: Part;
let points: string;

beforeAll(async () => {
  points = await mkdtemp(path.join(tmpdir(), 'points-'));
  system = await testSystem('rentals-killed');
  desk = await exchangeDesk(system);
  branchId = await desk.pricedBy({ deposit: { percentBp: 10_000 } });
  await plantVehicles(system.db, branchId, 8);
  await desk.pricedAbove(branchId);
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal, deps: { commandTimeoutMs: 120_000 } });
  const hanging = { NODE_OPTIONS: `--import ${preload}`, HANG_AFTER_COMMITS_IN: points };
  worker = await system.start('workers/main.ts', hanging);
}, 180_000);

async function post(where: string, body: object): Promise<ApiAnswer['body']> {
  const answer = await api.call('POST', `/api/v1/rentals${where}`, { body });
  expect([200, 201], answer.text).toContain(answer.status);
  return answer.body;
}

/** Booked; with a card that holds all of it, and out, if so wanted. */
async function rental(upTo: 'booked' | 'held' | 'out'): Promise<string> {
  const { id: _, ...body } = desk.asked({ branchId, pickUpAt: hoursFromNow(0.1) });
  const { id } = await post('', body);
  if (upTo === 'booked') return id;
  await post(`/${id}/deposit`, { amountMinor: TOTAL, paymentMethod: 'sim_approve' });
  if (upTo === 'out') await post(`/${id}/check-out`, KEYS);
  return id;
}

/** The worker will not hear of its commit of such a statement about the rental. */
async function stopAt(name: string, statement: string, about: string): Promise<void> {
  await writeFile(`${points}.${name}`, `${statement}\n${about}`);
  await rename(`${points}.${name}`, path.join(points, name));
}

/**
 * A line a rental, as `ids` name them: status, its holds and the gateway's (held, captured, refunded),
 * what the gateway carried out, what is in the books, its commands, its segments.
 */
async function effects(ids: readonly string[]): Promise<readonly string[]> {
  const amounts = sql`concat_ws('/', amount_minor, captured_minor, refunded_minor)`;
  const { rows } = await sql<{ readonly line: string }>`select concat_ws(' | ', r.status,
      (select string_agg(state || ' ' || ${amounts}, ', ')
        from rentals.authorisation where rental_id = r.id),
      (select string_agg(status || ' ' || ${amounts}, ', ')
        from simulated_gateway.hold where rental_id = r.id::text),
      (select string_agg(kind, ' ' order by kind) from simulated_gateway.operation
        where id like r.id || '/%'),
      (select coalesce(string_agg(split_part(source, '.', 2), ' ' order by source), 'nothing')
        from accounting.entry where rental_id = r.id),
      (select string_agg(type, ' ' order by created_at) from rentals.command
        where rental_id = r.id),
      (select nullif(count(*), 0) from rentals.segment where rental_id = r.id)) as line
    from unnest(${sql.val(ids)}::uuid[]) with ordinality as asked (id, n)
    join rentals.rental r using (id) order by n`.execute(system.owner);
  return rows.map(({ line }) => line);
}

const BACK = 'checkOut checkIn';
const KEPT = 'open 18000/0/0 | held 18000/0/0 | authorise';
const CAPTURED = 'captured 18000/6000/0 | captured 18000/6000/0 | authorise capture';
const IN_PART = 'captured 18000/10000';
const RAISED = 'held 25200/0/0 | authorise increase | nothing | checkOut';

test('killed between the steps of many commands: nothing is lost, charged or given twice', {
  timeout: 240_000,
}, async () => {
  const wanted = ['booked', 'out', 'out', 'held', 'out', 'out', 'out', 'out'] as const;
  const ids = await Promise.all(wanted.map(rental));
  const [authorised = '', raised = '', exchanged = '', refunded = '', ...closing] = ids;
  const [written = '', noted = '', taken = '', closed = ''] = closing;
  const above = await desk.plantOf(branchId, ABOVE);
  const [spare = ''] = await plantVehicles(system.db, branchId, 1);
  await post(`/${refunded}/deposit/capture`, { amountMinor: 100_00 });
  const { body } = await api.call('GET', `/api/v1/rentals/${refunded}/deposit`);

  await stopAt('authorised', 'insert into simulated_gateway.hold', authorised);
  await stopAt('raised', 'update simulated_gateway.hold', raised);
  await stopAt('exchanged', 'insert into "rentals"."command"', exchanged);
  await stopAt('refunded', 'update simulated_gateway.hold', refunded);
  await stopAt('written', 'insert into rentals.payment_attempt', written);
  await stopAt('noted', 'update rentals.payment_attempt set asked', noted);
  await stopAt('taken', 'update rentals.payment_attempt set state', taken);
  await stopAt('closed', 'insert into "rentals"."command"', `${closed}/close`);
  const back = { ...KEYS, branchId };
  const better = { reason: 'upgrade', paidUpgrade: true, taken: { vehicleId: above } };
  const other = { reason: 'fleet', taken: { vehicleId: spare } };
  const refund = { authorisationId: body.holds[0].id, amountMinor: 40_00, reason: 'too-much' };
  const answers = Promise.allSettled([
    post(`/${authorised}/deposit`, { amountMinor: TOTAL, paymentMethod: 'sim_approve' }),
    post(`/${raised}/exchange`, { ...back, ...better }),
    post(`/${exchanged}/exchange`, { ...back, ...other }),
    post(`/${refunded}/deposit/refund`, refund),
  ]);
  await Promise.all(closing.map((id) => post(`/${id}/check-in`, back)));
  await until(async () => (await readdir(points)).length === 0, 60_000);
  await worker.stop('SIGKILL');
  expect(await effects(ids)).toEqual([
    'reserved | pending 18000/0/0 | held 18000/0/0 | authorise | nothing',
    `active | open 18000/0/0 | ${RAISED} | 1`,
    `active | ${KEPT} | nothing | checkOut exchange | 2`,
    `reserved | ${IN_PART}/0 | ${IN_PART}/4000 | authorise capture refund | capture`,
    `returned | ${KEPT} | final-invoice | ${BACK} | 1`,
    `returned | ${KEPT} | final-invoice | ${BACK} | 1`,
    `returned | ${CAPTURED} | capture final-invoice | ${BACK} | 1`,
    `closed | ${CAPTURED} | capture final-invoice | ${BACK} close | 1`,
  ]);

  await workHere(system);
  expect((await answers).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  const done = `closed | ${CAPTURED} | capture final-invoice | ${BACK} close | 1`;
  await until(async () => (await effects(closing)).every((line) => line === done), 60_000);
  expect((await effects(ids)).slice(0, 4)).toEqual([
    `reserved | ${KEPT} | nothing`,
    `active | open 25200/0/0 | ${RAISED} exchange | 2`,
    `active | ${KEPT} | nothing | checkOut exchange | 2`,
    `reserved | ${IN_PART}/4000 | ${IN_PART}/4000 | authorise capture refund | capture refund`,
  ]);
  expect(await moneyFaults(system.owner)).toEqual([]);
  expect([await overlaps(system.owner), await strays(system.owner)]).toEqual([0, 0]);
  const { rows } = await sql`select sum(amount)::int as off from accounting.line`.execute(
    system.owner,
  );
  expect(rows).toEqual([{ off: 0 }]);
});
