// Deposits over HTTP: a counter holds, raises, takes and gives back, within its branches.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { signNotice } from '../../payments/notices.ts';
import { simulatedGateway } from '../../payments/simulated.ts';
import { deliverNotices } from '../../payments/simulated-notices.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { hoursFromNow } from '../support/fleet.ts';
import {
  clientToken,
  customerPerson,
  plantPartner,
  plantStaff,
  tokenOf,
} from '../support/people.ts';
import { type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { type MoneyDesk, moneyDesk } from '../support/rental-money.ts';
import { testSystem, until } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

const SECRET = 'what the gateway signs with';
const PATH = '/webhooks/payments/simulated';
let api: TestApi;
let desk: RentalDesk;
let money: MoneyDesk;
beforeAll(async () => {
  const system = await testSystem('deposits');
  desk = await rentalDesk(system);
  money = await moneyDesk(system);
  const now = () => new Date().toISOString();
  const paymentNotices = simulatedGateway({ db: system.db, now, secret: SECRET });
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal, deps: { paymentNotices } });
  await workHere(system);
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
  const refund = { authorisationId: hold.id, amountMinor: 1_000, reason: 'too-much' };
  const inWords = await send(id, '/refund', { ...refund, reason: 'Ms Moser paid twice' });
  expectProblem(inWords, 422, 'validation-failed');
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

/** Their deposit is the total, or 100.00 with CDW: 180.00 for three days, 252.00 for five. */
const ASKED = { percentBp: 10_000, coverages: [{ code: 'cdw', amountMinor: 10_000 }] };
const KEYS = { odometerKm: 2_000, fuelEighths: 8 };

async function booked(over: object = {}): Promise<string> {
  const branchId = await money.pricedBy({ deposit: ASKED });
  const { id: _, ...body } = money.asked({ branchId, pickUpAt: hoursFromNow(0.1), ...over });
  const answer = await api.call('POST', '/api/v1/rentals', { body });
  expect([answer.status, answer.body.type]).toEqual([201, undefined]);
  return answer.body.id;
}

const partner = async (branches: readonly string[]) =>
  clientToken(await plantPartner(api.database.owner, { branches }));
const order = (id: string, what: string, body: object = {}, by: object = {}) =>
  api.call('POST', `/api/v1/rentals/${id}/${what}`, { body, ...by });
const statusOf = async (id: string) => (await api.call('GET', `/api/v1/rentals/${id}`)).body.status;
const lastHold = async (id: string) =>
  (await api.call('GET', `/api/v1/rentals/${id}/deposit`)).body.holds.at(-1);

test('a card is charged in advance by its customer, and gets back what is owed', async () => {
  const id = await booked({ pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) });
  const { customerId } = (await api.call('GET', `/api/v1/rentals/${id}`)).body;
  const token = await tokenOf(await customerPerson(api.database.owner, customerId));
  const card = { amountMinor: 18_000, paymentMethod: 'sim_timeout' };
  const pay = (over = {}, by: object = { token }) =>
    order(id, 'prepayments/card', { ...card, ...over }, by);
  expectProblem(await pay({ paymentMethod: 'sim_decline' }), 402, 'payment-declined');
  const other = uuidv7();
  await createCustomer(api.database.db, 'system:test', { id: other, name: 'Another' });
  const stranger = { token: await tokenOf(await customerPerson(api.database.owner, other)) };
  expectProblem(await pay({}, stranger), 404, 'not-found');
  const by = { token, key: randomUUID() };
  const first = await Promise.all([1, 2, 3].map(() => pay({}, by)));
  const again = await pay({}, by);
  expect(again).toMatchObject({ status: 201, body: { amountMinor: 18_000 } });
  for (const one of first) expect([201, 409]).toContain(one.status);
  expect(again.body).not.toHaveProperty('receivedBy');
  expect((await order(id, 'cancel', { reason: 'customer' })).status).toBe(200);
  const all = async () => (await api.call('GET', `/api/v1/rentals/${id}/prepayments`)).body.items;
  await until(async () => (await all())[0].refundedMinor > 0);
  expect(await all()).toMatchObject([{ tender: 'gateway', refundedMinor: 8_000 }]);
  const byBank = { body: { amountMinor: 1, reason: 'cancelled', byBank: true } };
  const refund = `/api/v1/prepayments/${again.body.id}/refund`;
  expectProblem(await api.call('POST', refund, byBank), 409, 'invalid-state');
}, 60_000);

test('a partner charges a card for its own booking, and for nobody else’s', async () => {
  const branches = [await money.pricedBy({})];
  const [own, other] = [await partner(branches), await partner(branches)];
  const { customerId: _, id: __, ...wanted } = money.asked({ branchId: branches[0] as string });
  const path = '/api/v1/partner/bookings';
  const body = { ...wanted, externalReference: 'BK-1', customer: { name: 'A guest' } };
  expect((await api.call('POST', path, { body, token: own })).status).toBe(201);
  const card = { body: { ...CARD, amountMinor: 10_000 } };
  const pay = (token: string) => api.call('POST', `${path}/BK-1/prepayments`, { ...card, token });
  expectProblem(await pay(other), 404, 'not-found');
  expect((await pay(own)).body).toMatchObject({ amountMinor: 10_000, refundedMinor: 0 });
}, 60_000);

test('keys wait for the deposit; an extension raises it; the invoice is captured of it', async () => {
  const id = await booked();
  const refused = await order(id, 'check-out', KEYS);
  expectProblem(refused, 409, 'deposit-required');
  expect(refused.body).toMatchObject({ holdMinor: 18_000, heldMinor: 0 });
  // The answer to the increase is lost: it is asked for again, and nothing is held twice.
  const held = await send(id, '', { amountMinor: 18_000, paymentMethod: 'sim_timeout' });
  expect(held.body).toMatchObject({ neededMinor: 18_000, waivedMinor: 0 });
  expect((await order(id, 'check-out', KEYS)).status).toBe(200);
  const longer = await order(id, 'extend', { dueAt: hoursFromNow(119) });
  expect([longer.status, longer.body.price?.totalMinor]).toEqual([200, 25_200]);
  expect(await lastHold(id)).toMatchObject({ state: 'open', amountMinor: 25_200 });
  const branchId = longer.body.branchId;
  const back = await order(id, 'check-in', { ...KEYS, branchId });
  await until(async () => (await statusOf(id)) === 'closed');
  const capturedMinor = back.body.price.totalMinor;
  expect(await lastHold(id)).toMatchObject({ state: 'captured', capturedMinor });
}, 60_000);

test('a card that does not hold more refuses the extension; a waiver stands in for it', async () => {
  const id = await booked();
  await send(id, '', { amountMinor: 18_000, paymentMethod: 'sim_increase_declined' });
  await order(id, 'check-out', KEYS);
  const before = (await api.call('GET', `/api/v1/rentals/${id}`)).body;
  const dueAt = hoursFromNow(119);
  expectProblem(await order(id, 'extend', { dueAt }), 409, 'card-declined');
  const after = (await api.call('GET', `/api/v1/rentals/${id}`)).body;
  expect([after.dueAt, after.version]).toEqual([before.dueAt, before.version]);
  expect(await lastHold(id)).toMatchObject({ state: 'open', amountMinor: 18_000 });
  const waive = (amountMinor: number) =>
    send(id, '/waiver', { amountMinor, reason: 'known-customer' });
  expectProblem(await waive(18_001), 422, 'amount-too-high');
  expect((await waive(7_200)).body).toMatchObject({ waivedMinor: 7_200, neededMinor: 18_000 });
  expect((await order(id, 'extend', { dueAt })).status).toBe(200);
  expectProblem(await waive(99_999), 422, 'amount-too-high');
}, 60_000);

test('cancelled, its fee is captured; of one on account nothing is asked', async () => {
  const id = await booked({ coverages: ['cdw'] });
  await send(id, '', CARD);
  const fee = (await order(id, 'cancel', { reason: 'customer' })).body.feeMinor;
  expect(fee).toBe(10_000);
  await until(async () => (await lastHold(id)).state !== 'open');
  expect(await lastHold(id)).toMatchObject({ state: 'captured', capturedMinor: fee });
  const company = { id: uuidv7(), kind: 'company', name: 'Acme' } as const;
  await createCustomer(api.database.db, 'system:test', company);
  await sql`update rentals.customer set payment_terms_days = 14, credit_limit_minor = 100000,
    credit_currency = 'EUR' where id = ${company.id}`.execute(api.database.owner);
  const onAccount = await booked({ payerId: company.id });
  expect((await order(onAccount, 'check-out', KEYS)).status).toBe(200);
}, 60_000);

/** As a gateway posts it: nobody is signed in. */
function post(body: string, signature: string, path = PATH): Promise<ApiAnswer> {
  return api.call('POST', path, {
    ...{ body, token: false, key: false },
    headers: { 'gateway-signature': signature },
  });
}

test('the gateway tells of a dispute: it is listed, charges stop, two people write it off', async () => {
  const { db, owner } = api.database;
  const { id } = await desk.reserved();
  await send(id, '', { ...CARD, paymentMethod: 'sim_dispute_lost' });
  await send(id, '/capture', { amountMinor: 20_000 });
  const answers: ApiAnswer[] = [];
  await deliverNotices(db, SECRET, async (body, signature) => {
    for (let n = 0; n < 2; n += 1) answers.push(await post(body, signature));
    return true;
  });
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const state = { state: 'lost', amountMinor: 20_000, feeMinor: 1_500 };
  const list = await api.call('GET', `/api/v1/disputes?rentalId=${id}`);
  expect(list.body.items).toMatchObject([state]);
  expectProblem(await send(id, '', CARD), 409, 'invalid-state');
  const dispute = list.body.items[0].id;
  const asked = { kind: 'write-off', subjectType: 'dispute', subjectId: dispute, amount: 20_000 };
  const approval = await api.call('POST', '/api/v1/approvals', {
    body: { ...asked, branchId: null, reason: 'lost' },
  });
  const approvalId = approval.body.id;
  const writeOff = () =>
    api.call('POST', `/api/v1/disputes/${dispute}/write-off`, {
      body: { approvalId, reason: 'lost' },
    });
  expectProblem(await writeOff(), 403, 'four-eyes');
  const roles = ['finance-controller'] as const;
  const token = await tokenOf(await plantStaff(owner, { roles }));
  await api.call('POST', `/api/v1/approvals/${approvalId}/approve`, { token });
  expect((await writeOff()).body).toMatchObject({ state: 'written_off', version: 3 });
});

test('a notice is refused without the signature, from another gateway, and when it is huge', async () => {
  const atS = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({ id: 'n-1', type: 'other' });
  const signed = (text: string) => post(text, signNotice(SECRET, text, atS));
  const taken = await signed(body);
  expect([taken.status, taken.body]).toEqual([200, { received: true }]);
  expect(taken.headers.get('ratelimit-policy')).toContain('"webhook"');
  const ours = signNotice(SECRET, body, atS);
  expectProblem(await post(body, ''), 400, 'signature-refused');
  expectProblem(await post(`${body} `, ours), 400, 'signature-refused');
  expectProblem(await post(body, ours, '/webhooks/payments/stripe'), 404, 'not-found');
  expectProblem(await signed(`"${'x'.repeat(262_144)}"`), 413, 'payload-too-large');
});
