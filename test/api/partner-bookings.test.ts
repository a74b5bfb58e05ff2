// Partners over HTTP: booking by their rates and vouchers, changing their own, and learning nothing else.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { clientToken, plantPartner } from '../support/people.ts';
import { type System, testSystem } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

const PATH = '/api/v1/partner/bookings';
const BROKER = {
  code: 'broker',
  kind: 'agent',
  lines: [{ code: 'day', priceMinor: 3_600, coversDays: 1 }],
} as const;

let system: System;
let api: TestApi;
let company: Company;
let payerId: string;
/** Its rate is `broker`; the other's is none. */
let token: string;
let stranger: string;

beforeAll(async () => {
  system = await testSystem('partners');
  company = await plantCompany(
    system.db,
    {},
    { name: 'Grace Known', email: 'grace@known.example' },
  );
  const rates = [BROKER, { ...BROKER, code: 'secret' }];
  const promotions = [
    { code: 'spring', discountBp: 1_000, pickUpFrom: '2020-01-01', pickUpTo: '2099-01-01' },
  ].map((one) => ({ ...one, withRate: false }));
  const plan = {
    ...{ ...GOLD_1, id: 'BROKERS', rates, promotions, branches: [company.branchId] },
    earlyReturn: 'keep' as const,
  };
  await publishRatePlan(system.db, AGENT, plan, hoursFromNow(-24));
  await plantVehicles(system.db, 'CDMR', 6);
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
  const acme = { id: uuidv7(), name: 'Acme Brokers', kind: 'company' } as const;
  payerId = (await createCustomer(system.db, AGENT, acme)).id;
  token = await partnerToken({ rates: ['broker'], payer_id: payerId });
  stranger = await partnerToken({});
  await workHere(system);
});

async function partnerToken(terms: object): Promise<string> {
  const planted = await plantPartner(system.owner);
  const named = { status: 'active', ...terms } as never;
  await system.owner
    .updateTable('people.partner')
    .set(named)
    .where('id', '=', planted.partnerId)
    .execute();
  return clientToken(planted);
}

let references = 0;
function booking(more: object = {}) {
  references += 1;
  const term = { pickUpAt: hoursFromNow(0.1), dueAt: hoursFromNow(120.1) };
  const place = { branchId: company.branchId, classId: 'CDMR' };
  const guest = { customer: { name: `Guest ${references}` } };
  return { externalReference: `BK-${references}`, ...guest, ...place, ...term, ...more };
}
const call = (method: string, path: string, body?: object, as = token) =>
  api.call(method, path, { body, token: as });
const book = (body: object, as = token) => call('POST', PATH, body, as);

const VOUCHER = { rate: 'broker', coverages: ['cdw'], voucher: { netMinor: 18_000 } };

test('a voucher at the net rate is an invoice of its own, and the renter pays and sees the rest', async () => {
  const wrong = await book(booking({ ...VOUCHER, voucher: { netMinor: 1 } }));
  expectProblem(wrong, 422, 'value-refused');
  expect(wrong.body).toMatchObject({ field: 'voucher.netMinor', netMinor: 18_000 });
  expectProblem(await book(booking(VOUCHER), stranger), 422, 'unknown-reference');
  const nobodyPays = await partnerToken({ rates: ['broker'] });
  const unpaid = await book(booking(VOUCHER), nobodyPays);
  expect([unpaid.status, unpaid.body.field]).toEqual([422, 'voucher']);

  const asked = booking(VOUCHER);
  const made = await book(asked);
  expect([made.status, made.body.externalReference]).toEqual([201, asked.externalReference]);
  expect(made.body.voucher).toEqual({
    ...{ covers: ['time'], netMinor: 18_000, vatMinor: 3_600, totalMinor: 21_600 },
  });
  expect(made.body.renterPaysMinor).toBe(7_200);
  expect(made.body.price.chosen.rate).toBeUndefined();

  const at = `/api/v1/rentals/${made.body.rentalId}`;
  const reading = { odometerKm: 2_000, fuelEighths: 8 };
  expect((await api.call('POST', `${at}/check-out`, { body: reading })).status).toBe(200);
  const back = { ...reading, branchId: company.branchId };
  expect((await api.call('POST', `${at}/check-in`, { body: back })).status).toBe(200);
  const list = await api.call('GET', `/api/v1/invoices?rentalId=${made.body.rentalId}`);
  const byNet = (a: { netMinor: number }, b: { netMinor: number }) => a.netMinor - b.netMinor;
  const [renters, brokers] = list.body.items.toSorted(byNet);
  expect([renters.totalMinor, brokers.totalMinor]).toEqual([7_200, 21_600]);
  expect(renters.netMinor + brokers.netMinor).toBe(24_000);
  expect([brokers.customerId, renters.customerId === payerId]).toEqual([payerId, false]);
  const read = await api.call('GET', `/api/v1/invoices/${renters.id}`);
  expect(read.text).not.toMatch(/voucher|broker|3600|18000|21600|21000/);
});

test('only by its own rates, which others cannot tell from none; what the desk takes is taken', async () => {
  const [foreign, absent] = await Promise.all(
    ['secret', 'nowhere'].map((rate) => book(booking({ rate }))),
  );
  expectProblem(foreign as never, 422, 'unknown-reference');
  const { externalReference: _, instance: __, code: ___, ...told } = foreign?.body ?? {};
  expect(absent?.body).toMatchObject(told);
  const { externalReference: ____, customer: _____, ...wanted } = booking();
  const quoted = (rate: string) => call('POST', '/api/v1/quotes', { ...wanted, rate });
  expect((await quoted('secret')).status).toBe(422);
  expect((await quoted('broker')).body.price.netMinor).toBe(18_000);
  expect((await call('GET', '/api/v1/me')).body.rates).toEqual(['broker']);
  const taken = { extras: [{ code: 'item', count: 2 }], driverAges: [40, 22], promotion: 'spring' };
  const made = await book(booking({ ...taken, flight: { number: 'OS123' } }));
  const codes = made.body.price.lines.map((line: { code: string }) => line.code);
  expect(codes).toEqual(
    expect.arrayContaining(['extra.item', 'driver.young', 'discount.promotion']),
  );
  const { body } = await api.call('GET', `/api/v1/rentals/${made.body.rentalId}/flight`);
  expect(body.flightNumber).toBe('OS123');
  await call('POST', `${PATH}/${made.body.externalReference}/cancel`, { reason: 'customer' });
});

test('a quote that it holds is its own, and is booked as it was given', async () => {
  const { externalReference, customer, ...wanted } = booking({ pickUpAt: hoursFromNow(30) });
  const hold = { ...wanted, rate: 'broker', channel: 'partner' };
  const holds = '/api/v1/quotes/holds';
  expectProblem(await call('POST', holds, { ...hold, channel: 'corporate' }), 403, 'forbidden');
  const guessed = await call('POST', holds, { ...hold, customerId: company.customerId });
  expectProblem(guessed, 422, 'unknown-reference');
  const held = await call('POST', holds, hold);
  expect([held.status, held.body.price?.netMinor]).toEqual([201, 14_400]);
  const path = `${holds}/${held.body.id}`;
  expect((await call('GET', path)).status).toBe(200);
  expect((await call('GET', path, undefined, stranger)).status).toBe(404);
  expect((await call('DELETE', path, undefined, stranger)).status).toBe(404);
  const accepting = { externalReference, customer, ...wanted, quoteId: held.body.id };
  expectProblem(await book({ ...accepting, promotion: 'spring' }), 422, 'validation-failed');
  expectProblem(await book(accepting, stranger), 422, 'unknown-reference');
  const made = await book(accepting);
  expect([made.status, made.body.totalMinor]).toEqual([201, 17_280]);
});

test('its own bookings are changed and given up; those of others are not there', async () => {
  const asked = booking({ ...VOUCHER, pickUpAt: hoursFromNow(50), dueAt: hoursFromNow(170) });
  const made = (await book(asked)).body;
  const own = `${PATH}/${asked.externalReference}`;
  const change = { dueAt: hoursFromNow(194), extras: [{ code: 'item', count: 1 }] };
  const foreign = await call('POST', `${own}/amend`, change, stranger);
  const absent = await call('POST', `${PATH}/BK-NONE/amend`, change, stranger);
  expectProblem(foreign, 404, 'not-found');
  const bytes = ({ text }: { text: string }) => text.replaceAll(/urn:uuid:[^"]+|BK-[A-Z0-9]+/g, '');
  expect(bytes(foreign)).toBe(bytes(absent));
  expectProblem(await call('POST', `${own}/amend`, { rate: null }), 422, 'value-refused');
  const late = { ...change, voucher: { netMinor: 18_000 } };
  expectProblem(await call('POST', `${own}/amend`, late), 422, 'value-refused');
  expect((await call('GET', own)).body).toEqual(made);
  const amended = await call('POST', `${own}/amend`, change);
  expect([amended.status, amended.body.voucher.netMinor]).toEqual([200, 21_600]);
  // Six days of CDW and of the item: 72.00 + 48.00, with 20 % VAT.
  expect(amended.body.renterPaysMinor).toBe(14_400);
  expect((await call('GET', own)).text).toBe(amended.text);
  expect((await call('POST', `${own}/cancel`, { reason: 'customer' }, stranger)).status).toBe(404);
  const ended = await call('POST', `${own}/cancel`, { reason: 'customer' });
  expect([ended.status, ended.body.status]).toEqual([200, 'cancelled']);
  expect((await call('POST', `${own}/cancel`, { reason: 'customer' })).text).toBe(ended.text);
});

test('the same reference is one rental, twenty times at once and after its rights ended', async () => {
  const asked = booking({ ...VOUCHER, pickUpAt: hoursFromNow(50), dueAt: hoursFromNow(170) });
  const answers = await Promise.all(Array.from({ length: 20 }, () => book(asked)));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  const { partnerId } = await clientOf(payerId);
  const pays = (payer: string | null) =>
    sql`update people.partner set payer_id = ${payer} where id = ${partnerId}`.execute(
      system.owner,
    );
  await pays(null);
  expect((await book(booking(VOUCHER))).status).toBe(422);
  expect((await book(asked)).text).toBe(answers[0]?.text);
  expectProblem(await book({ ...asked, classId: 'XXXX' }), 409, 'duplicate');
  await pays((await createCustomer(system.db, AGENT, { id: uuidv7(), name: 'New payer' })).id);
  const longer = { dueAt: hoursFromNow(194) };
  const amended = await call('POST', `${PATH}/${asked.externalReference}/amend`, longer);
  expect(amended.body.voucher.netMinor).toBe(21_600);
  await pays(payerId);
});

async function clientOf(payer: string) {
  const { rows } = await sql<{ clientId: string; partnerId: string }>`select c.id as "clientId",
      p.id as "partnerId"
    from people.api_client c join people.partner p on p.id = c.partner_id
    where p.payer_id = ${payer}`.execute(system.owner);
  return rows[0] as { clientId: string; partnerId: string };
}

test('an agent that books earns its commission, but none on what it buys by a voucher', async () => {
  const { partnerId } = await clientOf(payerId);
  const terms = { rateBp: 1_000 };
  const agent = { code: 'ACME', name: 'Acme', entityId: 'FC-AT', partnerId, terms };
  const made = await api.call('POST', '/api/v1/agents', { body: agent });
  expect(made.status).toBe(201);
  const soon = { pickUpAt: hoursFromNow(200), dueAt: hoursFromNow(230) };
  const ids = [];
  for (const more of [{}, { rate: 'broker', voucher: {} }]) {
    const { body } = await book(booking({ ...soon, ...more }));
    ids.push(body.rentalId);
  }
  const { rows } = await sql<{ id: string; agent: string }>`select rental_id as id,
    agent_id as agent from rentals.rental_agent`.execute(system.owner);
  expect(rows).toEqual([{ id: ids[0], agent: made.body.id }]);
  expect(ids[1]).toBeDefined();
});

test('a guest who may be known is on a list for people, and the partner is not told', async () => {
  const known = { name: 'Grace Known', email: 'GRACE@known.example' };
  const soon = { pickUpAt: hoursFromNow(50), dueAt: hoursFromNow(60) };
  const asked = booking({ ...soon, customer: known });
  const [first, other] = [await book(asked), await book(booking(soon))];
  expect([first.status, Object.keys(first.body)]).toEqual([201, Object.keys(other.body)]);
  const open = async () =>
    (await api.call('GET', '/api/v1/possible-duplicates')).body.items.filter(
      (one: { otherId: string }) => one.otherId === company.customerId,
    );
  const [doubt] = await open();
  expect(doubt).toMatchObject({ name: known.name, by: ['email', 'name'] });
  const path = `/api/v1/possible-duplicates/${doubt.customerId}/${doubt.otherId}`;
  expect((await call('GET', '/api/v1/possible-duplicates')).status).toBe(403);
  expect((await api.call('DELETE', path)).status).toBe(204);
  expect((await api.call('DELETE', path)).status).toBe(204);
  expect(await open()).toEqual([]);
  const nobody = path.replace(doubt.otherId, uuidv7());
  expectProblem(await api.call('DELETE', nobody), 404, 'not-found');
});
