// Customers over HTTP: what an entry answers, who may set what, and what is told to whom.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { Role } from '../../domain/people.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { sealedSession } from '../support/sealed-session.ts';

let api: TestApi;
let branchId: string;
beforeAll(async () => {
  api = await testApi();
  await plantTrade(api.database.db);
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 2 }));
});

async function customer(body: object = {}) {
  const answer = await api.call('POST', '/api/v1/customers', {
    body: { name: 'Somebody', ...body },
  });
  expect([answer.status, answer.body.type]).toEqual([201, undefined]);
  return answer.body;
}

const as = async (role: Role) => tokenOf(await plantStaff(api.database.owner, { roles: [role] }));
const at = (id: string, rest = '') => `/api/v1/customers/${id}${rest}`;
const ifMatch = (version: number) => ({ headers: { 'if-match': `"${version}"` } });

async function rentalOf(customerId: string) {
  const times = { pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(49) };
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  return reserveRental(api.database.db, AGENT, { ...ids, ...times });
}

describe('an entry', () => {
  test('names who may be the same, and a merge makes them one, also when it is sent twice', async () => {
    const first = await customer({ name: 'Ada Byron', email: 'ada@byron.example' });
    expect(first.possibleDuplicates).toEqual([]);
    const again = await customer({ name: 'Byron, Ada', email: 'ADA@byron.example' });
    expect(again.possibleDuplicates).toEqual([
      { id: first.id, name: 'Ada Byron', by: ['email', 'name'] },
    ]);
    const listed = await api.call('GET', at(again.id, '/duplicates'));
    expect(listed.body.items).toEqual(again.possibleDuplicates);
    const merge = { body: { duplicateId: again.id }, key: uuidv7() };
    const path = at(first.id, '/merge');
    const [one, two] = [await api.call('POST', path, merge), await api.call('POST', path, merge)];
    expect([one.status, one.body.version, two.text]).toEqual([200, 2, one.text]);
    const { body } = await api.call('GET', at(again.id));
    expect(body).toMatchObject({ name: 'Byron, Ada', mergedInto: first.id });
    const found = await api.call('GET', '/api/v1/customers?q=Byron');
    expect(found.body.items).toEqual([]);
    const other = await api.call('POST', at(again.id, '/merge'), {
      body: { duplicateId: first.id },
    });
    expectProblem(other, 409, 'customer-merged');
    const nobody = await api.call('POST', path, { body: { duplicateId: uuidv7() } });
    expectProblem(nobody, 422, 'unknown-reference');
  });

  test('of a licence names who has the same, sealed like the licence', async () => {
    const session = await sealedSession(api);
    const licence = { number: 'X-PLANTED-1', birthDate: '2000-02-29', classes: ['B'] };
    const dates = { issuedOn: '2020-01-01', validUntil: '2050-01-01', recheckOn: '2027-01-01' };
    const [one, two] = [await customer({ name: 'One' }), await customer({ name: 'Two' })];
    const put = (id: string, sequence: number, body: object) =>
      session.send('PUT', at(id, '/licence'), sequence, { body, ifMatch: '"1"' });
    await put(one.id, 1, { ...licence, ...dates });
    const answer = await put(two.id, 2, { ...licence, number: 'xplanted1' });
    const aad = `PUT ${at(two.id, '/licence')} 2 ${session.id}`;
    const told = JSON.parse(await session.open(answer.body.sealed, aad));
    expect(told.possibleDuplicates).toEqual([{ id: one.id, name: 'One', by: ['licence'] }]);
    const due = await api.call('GET', '/api/v1/licences/due?until=2027-01-01');
    expect(due.body.items).toEqual([
      { customerId: one.id, recheckOn: '2027-01-01', validUntil: '2050-01-01' },
    ]);
    const term = { branchId, classId: CLASS };
    const verdict = async (id: string, pickUpAt: string, dueAt: string) =>
      (
        await api.call('POST', at(id, '/eligibility'), {
          body: { ...term, pickUpAt, dueAt },
          key: false,
        })
      ).body;
    // Judged by these instants alone: also long after them, as those of 2025 below are.
    const [from, to] = ['2027-02-01T09:00:00Z', '2027-02-05T09:00:00Z'];
    expect(await verdict(one.id, from, to)).toEqual({ eligible: true, reasons: [], young: false });
    // At the branch it is 1 March 2025 at 23:30 UTC the day before.
    const young = await verdict(one.id, '2025-02-28T23:30:00Z', '2050-01-02T09:00:00Z');
    expect(young).toEqual({ eligible: false, reasons: ['licence-ends'], young: false });
    expect(await verdict(one.id, '2025-02-28T22:30:00Z', to)).toMatchObject({ young: true });
    expect(await verdict(two.id, from, to)).toMatchObject({ reasons: ['no-licence'] });
    const nowhere = { ...term, branchId: 'NOWHERE', pickUpAt: from, dueAt: to };
    const lost = await api.call('POST', at(one.id, '/eligibility'), { body: nowhere });
    expectProblem(lost, 422, 'unknown-reference');
  });

  test('of a company has contacts and a tax id, a person has none', async () => {
    const company = await customer({ kind: 'company', name: 'Acme', taxId: 'ATU12345678' });
    const person = await customer({ name: 'Cleo', phone: '+43111222', payerId: company.id });
    expect(person.payerId).toBe(company.id);
    const contact = at(company.id, `/contacts/${person.id}`);
    const body = { function: 'fleet' };
    const put = await api.call('PUT', contact, { body, ...ifMatch(1) });
    expect([put.status, put.headers.get('etag')]).toEqual([200, '"2"']);
    const { body: contacts } = await api.call('GET', at(company.id, '/contacts'));
    expect(contacts.items).toEqual([
      { personId: person.id, name: 'Cleo', email: null, phone: '+43111222', function: 'fleet' },
    ]);
    expectProblem(await api.call('PUT', contact, { body }), 428, 'precondition-required');
    expectProblem(await api.call('PUT', contact, { body, ...ifMatch(1) }), 412, 'version-conflict');
    expect((await api.call('DELETE', contact, ifMatch(2))).status).toBe(200);
    expect((await api.call('GET', at(company.id, '/contacts'))).body.items).toEqual([]);
    const faults = [
      { name: 'P', taxId: 'ATU1' },
      { name: 'P', payerId: uuidv7() },
    ].map((wrong) => api.call('POST', '/api/v1/customers', { body: wrong }));
    expect((await Promise.all(faults)).map((one) => [one.status, one.body.type])).toEqual([
      [422, '/problems/value-refused'],
      [422, '/problems/unknown-reference'],
    ]);
  });
});

test('credit is granted within one’s own limit', async () => {
  const { id } = await customer({ name: 'Creditor' });
  const terms = { limitMinor: 100_001, currency: 'EUR', paymentTermsDays: 14 };
  const set = (body: object, token: string, version: number) =>
    api.call('PUT', at(id, '/credit'), { body, token, ...ifMatch(version) });
  expectProblem(await set(terms, await as('branch-manager'), 1), 403, 'limit-exceeded');
  const { body } = await set(terms, await as('accountant'), 1);
  expect(body).toMatchObject({ creditLimitMinor: 100_001, paymentTermsDays: 14, version: 2 });
});

test('a block is set by a manager, and its reason is told to those who may know it', async () => {
  const { id } = await customer({ name: 'Blocked' });
  const block = { body: { cause: 'unpaid', reason: 'Owes for RA-17' }, key: uuidv7() };
  const manager = await as('branch-manager');
  const set = () => api.call('POST', at(id, '/blocks'), { ...block, token: manager });
  const [one, two] = [await set(), await set()];
  expect([one.status, two.text]).toEqual([201, one.text]);
  expect(one.body).toMatchObject({ customerId: id, reason: 'Owes for RA-17', until: null });
  const agent = await as('counter-agent');
  expectProblem(await api.call('GET', at(id, '/blocks'), { token: agent }), 403, 'forbidden');
  expect((await api.call('GET', at(id), { token: agent })).text).not.toContain('Owes');
  const { body } = await api.call('GET', '/api/v1/blocklist', { token: await as('senior-agent') });
  expect(body.items).toEqual([one.body]);
  const lift = `/api/v1/blocklist/${one.body.id}/lift`;
  const lifted = await api.call('POST', lift, { body: { reason: 'Paid' }, token: manager });
  expect([lifted.status, lifted.body.liftReason]).toEqual([200, 'Paid']);
  expect((await api.call('GET', '/api/v1/blocklist')).body.items).toEqual([]);
  expect((await api.call('GET', at(id, '/blocks'))).body.items).toEqual([lifted.body]);
  const nobody = await api.call('POST', at(uuidv7(), '/blocks'), block);
  expectProblem(nobody, 404, 'not-found');
});

test('drivers are named, let pass by a manager, removed; rules are the administrator’s', async () => {
  const { id } = await customer({ name: 'Driver' });
  const rental = await rentalOf(id);
  const drivers = `/api/v1/rentals/${rental.id}/drivers`;
  const named = await api.call('PUT', `${drivers}/${id}`);
  const verdict = { eligible: false, reasons: ['no-licence'], young: false };
  expect(named.body).toEqual({ customerId: id, ...verdict, overridden: false, version: 1 });
  const override = { body: { reason: 'Shown at the desk' }, key: uuidv7() };
  const let1 = await api.call('POST', `${drivers}/${id}/override`, override);
  const let2 = await api.call('POST', `${drivers}/${id}/override`, override);
  expect([let1.body.overridden, let1.body.version, let2.text]).toEqual([true, 2, let1.text]);
  expect((await api.call('GET', drivers)).body.items).toEqual([let1.body]);
  expect((await api.call('DELETE', `${drivers}/${id}`)).status).toBe(204);
  expect((await api.call('GET', drivers)).body.items).toEqual([]);
  expectProblem(await api.call('PUT', `${drivers}/${uuidv7()}`), 422, 'unknown-reference');
  const elsewhere = await plantStaff(api.database.owner, {
    roles: ['counter-agent'],
    branches: ['ELSE'],
  });
  const token = await tokenOf(elsewhere);
  for (const [method, path] of [
    ['GET', drivers],
    ['PUT', `${drivers}/${id}`],
    ['DELETE', `${drivers}/${id}`],
  ] as const) {
    expectProblem(await api.call(method, path, { token }), 404, 'not-found');
  }
  const rule = { minAge: 21, maxAge: null, youngBelowAge: 25, minHeldMonths: 24 };
  const set = await api.call('PUT', '/api/v1/driver-rules/CDMR', {
    body: { ...rule, licenceClass: 'B' },
  });
  expect(set.body).toEqual({ classId: 'CDMR', ...rule, licenceClass: 'B', version: 1 });
  const { body } = await api.call('GET', '/api/v1/driver-rules');
  expect(body.items.map((one: { classId: string }) => one.classId)).toEqual(['*', 'CDMR']);
  const young = { ...rule, youngBelowAge: 20, licenceClass: 'B' };
  const refused = await api.call('PUT', '/api/v1/driver-rules/CDMR', { body: young });
  expectProblem(refused, 422, 'validation-failed');
});
