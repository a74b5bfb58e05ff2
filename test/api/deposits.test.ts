// Deposits over HTTP: a counter holds, raises, takes and gives back, within its branches.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { testSystem } from '../support/system.ts';

let api: TestApi;
let desk: RentalDesk;
beforeAll(async () => {
  const system = await testSystem('deposits');
  desk = await rentalDesk(system);
  api = await testApi({ database: system, temporal: openClient(temporalSettings(system.env)) });
  await system.start('workers/main.ts');
}, 120_000);

const CARD = { amountMinor: 30_000, paymentMethod: 'sim_approve' };

function send(id: string, what: string, body?: object, over: object = {}): Promise<ApiAnswer> {
  const path = `/api/v1/rentals/${id}/deposit${what}`;
  return api.call('POST', path, { ...(body && { body }), ...over });
}

test('a deposit from the hold to the refund', { timeout: 60_000 }, async () => {
  const { id } = await desk.reserved();
  expectProblem(await send(id, '/capture', { amountMinor: 1 }), 409, 'invalid-state');
  const refused = await send(id, '', { ...CARD, paymentMethod: 'sim_decline' });
  expectProblem(refused, 402, 'payment-declined');
  const number = await send(id, '', { ...CARD, paymentMethod: '4242424242424242' });
  expectProblem(number, 422, 'validation-failed');
  const key = randomUUID();
  const held = await send(id, '', CARD, { key });
  expect([held.status, held.body.type]).toEqual([200, undefined]);
  expect((await send(id, '', CARD, { key })).text).toBe(held.text);
  const raised = await send(id, '/increase', { amountMinor: 50_000 });
  expect(raised.body.holds.at(-1)).toMatchObject({ state: 'open', amountMinor: 50_000 });
  expectProblem(await send(id, '/capture', { amountMinor: 50_001 }), 422, 'amount-too-high');
  const taken = await send(id, '/capture', { amountMinor: 36_000 });
  const hold = taken.body.holds.at(-1);
  expect(hold).toMatchObject({ state: 'captured', capturedMinor: 36_000 });
  expectProblem(await send(id, '/release'), 409, 'invalid-state');
  const refund = { authorisationId: hold.id, amountMinor: 1_000, reason: 'too much' };
  const back = await send(id, '/refund', refund);
  expect(back.body.holds.at(-1)).toMatchObject({ refundedMinor: 1_000 });
  expect((await api.call('GET', `/api/v1/rentals/${id}/deposit`)).body).toEqual(back.body);
});

test('another branch does not see it, and the report lists what ends', async () => {
  const { id, branchId } = await desk.reserved();
  await send(id, '', CARD);
  const roles = ['counter-agent'] as const;
  const token = await tokenOf(await plantStaff(api.database.owner, { roles, branches: ['NONE'] }));
  expectProblem(await send(id, '/release', undefined, { token }), 404, 'not-found');
  const list = await api.call('GET', `/api/v1/deposits/expiring?branchId=${branchId}`);
  expect(list.body.items).toMatchObject([{ rentalId: id, branchId, state: 'open' }]);
  await send(id, '/release');
  const after = await api.call('GET', `/api/v1/deposits/expiring?branchId=${branchId}`);
  expect(after.body.items).toEqual([]);
});
