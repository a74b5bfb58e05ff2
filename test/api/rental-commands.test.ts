// Commands between HTTP and workflow: what each outcome becomes, and what an unknown one does.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { type Company, plantCompany, plantVehicles } from '../support/counter.ts';
import { hoursFromNow } from '../support/fleet.ts';
import { clientToken, plantPartner } from '../support/people.ts';
import { rentalCounter } from '../support/rental-counter.ts';
import { type System, testSystem } from '../support/system.ts';
import { workHere } from '../support/worker.ts';

let system: System;
let api: TestApi;
/** Waits two seconds for an answer instead of twenty. */
let impatient: TestApi;
let company: Company;
const { booked, send, allowed, problem, publishBands } = rentalCounter(() => api);

beforeAll(async () => {
  system = await testSystem('api');
  company = await plantCompany(system.db);
  await plantVehicles(system.db, 'CDMR', 7);
  const temporal = openClient(temporalSettings(system.env));
  api = await testApi({ database: system, temporal });
  impatient = await testApi({ database: system, temporal, deps: { commandTimeoutMs: 2_000 } });
});

function newRental(classId = 'CDMR', fromHours = 0.1, hours = 24) {
  const [pickUpAt, dueAt] = [hoursFromNow(fromHours), hoursFromNow(fromHours + hours)];
  return { ...company, classId, pickUpAt, dueAt };
}

const READING = { odometerKm: 2_000, fuelEighths: 8 };

const reserved = () => booked(newRental());

// Runs first: from here on a worker serves the queue.
test('while no worker answers, the outcome is unknown: 503, and the same key tells it', async () => {
  const request = { body: newRental(), key: randomUUID() };
  const lost = await impatient.call('POST', '/api/v1/rentals', request);
  expect(problem(lost)).toEqual([503, '/problems/service-unavailable']);
  expect(lost.headers.get('retry-after')).toBe('1');
  await workHere(system);
  const found = await api.call('POST', '/api/v1/rentals', request);
  expect([found.status, found.body.status]).toEqual([201, 'reserved']);
  const { rows } = await sql`select from rentals.rental`.execute(system.owner);
  expect(rows).toHaveLength(1);
}, 120_000);

test('of a blocked customer is 409 by that name, and does not say why', async () => {
  const made = await api.call('POST', '/api/v1/customers', { body: { name: 'Blocked' } });
  const block = { cause: 'fraud', reason: 'Forged a licence' };
  await api.call('POST', `/api/v1/customers/${made.body.id}/blocks`, { body: block });
  const body = { ...newRental(), customerId: made.body.id };
  const refused = await api.call('POST', '/api/v1/rentals', { body });
  expect(problem(refused)).toEqual([409, '/problems/customer-blocked']);
  expect(refused.text).not.toContain('Forged');
});

test('a partner’s booking is one rental by its reference, also after a refusal', async () => {
  const path = '/api/v1/partner/bookings';
  const [token, stranger] = [
    await clientToken(await plantPartner(system.owner, { branches: [company.branchId] })),
    await clientToken(await plantPartner(system.owner)),
  ];
  const { customerId: _, ...term } = newRental('FVMR');
  const booking = { ...term, externalReference: 'BK-1', customer: { name: 'Guest' } };
  const book = (body: object = booking) => api.call('POST', path, { body, token });
  expect(problem(await book())).toEqual([422, '/problems/unknown-reference']);
  await plantVehicles(system.db, 'FVMR', 2);
  const [one, two] = await Promise.all([book(), book()]);
  expect([one.status, one.body.externalReference, two.text]).toEqual([201, 'BK-1', one.text]);
  const { rows } = await sql`select from rentals.customer where name = 'Guest'`.execute(
    system.owner,
  );
  expect(rows).toHaveLength(1);
  const other = await book({ ...booking, customer: { name: 'Other' } });
  expect(other.body).toMatchObject({ type: '/problems/duplicate', externalReference: 'BK-1' });
  const elsewhere = { ...booking, externalReference: 'BK-2', branchId: 'ELSE' };
  expect(problem(await book(elsewhere))[0]).toBe(403);
  const own = `${path}/BK-1`;
  expect((await api.call('GET', own, { token })).body).toEqual(one.body);
  expect((await api.call('GET', own, { token: stranger })).status).toBe(404);
  const free = await api.call('POST', `${own}/cancel`, { body: { reason: 'fleet' }, token });
  expect(free.status).toBe(422);
  await api.call('POST', `${own}/cancel`, { body: { reason: 'customer' }, token });
  expect((await book()).body).toEqual({ ...one.body, status: 'cancelled' });
});

test('a driver named for a booked price is of the age bands that it was booked by', async () => {
  await publishBands(company.branchId, 1, 'then');
  const { id, pickUpAt, dueAt } = await reserved();
  await publishBands(company.branchId, 2, 'now');
  const young = await send(id, 'amend', { pickUpAt, dueAt, driverAges: [20] });
  expect([young.status, young.body.price.planVersion]).toEqual([200, 1]);
  expect(young.body.price.chosen.drivers.bands).toEqual(['then']);
  const longer = await send(id, 'amend', { dueAt: hoursFromNow(60), driverAges: [20] });
  expect(longer.body.price.chosen.drivers.bands).toEqual(['now']);
});

describe('a rental', () => {
  test('says what it costs, when it is due at its branch, and what may be done now', async () => {
    const rental = await reserved();
    expect(rental).toMatchObject({ status: 'reserved', needsAttention: false, version: 1 });
    expect(rental.dueAtLocal).toMatch(/\+0[12]:00$/);
    expect(new Date(rental.dueAtLocal).toISOString()).toBe(rental.dueAt);
    expect(rental.price.totalMinor).toBe(6_000);
    expect(allowed(rental)).toEqual(
      ['check-out', 'extend', 'amend', 'swap', 'announce-delay', 'cancel'].map(
        (path) => `POST /api/v1/rentals/${rental.id}/${path}`,
      ),
    );
    for (const secret of ['entityId', 'graceMinutes', 'reminderMinutes']) {
      expect(rental).not.toHaveProperty(secret);
    }
  });

  test('is the same by id, by number and in every list that it belongs to', async () => {
    const rental = await reserved();
    const by = async (path: string) => (await api.call('GET', `/api/v1/rentals${path}`)).body;
    expect(await by(`/${rental.id}`)).toEqual(rental);
    expect(await by(`/by-number/${rental.number}`)).toEqual(rental);
    const soon = `dueBefore=${hoursFromNow(48)}&dueAfter=${hoursFromNow(1)}`;
    const lists = [
      `branchId=${company.branchId}&status=reserved`,
      `customerId=${company.customerId}`,
      soon,
      'overdue=false',
    ];
    for (const query of lists) {
      expect([query, (await by(`?limit=200&${query}`)).items]).toEqual([
        query,
        expect.arrayContaining([rental]),
      ]);
    }
    expect((await by('?overdue=true')).items).toEqual([]);
    expect((await by(`?dueBefore=${hoursFromNow(1)}`)).items).toEqual([]);
  });

  test('goes out, is extended and comes back with an invoice that the books explain', async () => {
    const { id } = await reserved();
    const out = await send(id, 'check-out', READING);
    expect([out.status, out.body.status]).toEqual([200, 'active']);
    const longer = await send(id, 'extend', { dueAt: hoursFromNow(47) });
    expect(longer.body.price.totalMinor).toBe(12_000);
    const back = await send(id, 'check-in', {
      odometerKm: 2_100,
      fuelEighths: 7,
      branchId: company.branchId,
    });
    expect([back.status, back.body.status, allowed(back.body)]).toEqual([200, 'returned', []]);
    const read = async (path: string) => (await api.call('GET', `/api/v1${path}`)).body;
    const invoice = await read(`/invoices/${back.body.invoiceId}`);
    expect(invoice).toMatchObject({ number: back.body.invoiceNumber, rentalId: id });
    expect(invoice.issueDate).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect((await read(`/invoices?rentalId=${id}`)).items).toHaveLength(1);
    const [entry] = (await read(`/rentals/${id}/entries`)).items;
    expect(entry.id).toBe(invoice.entryId);
    const amounts = entry.lines.map((line: { amountMinor: number }) => line.amountMinor);
    expect(amounts.reduce((sum: number, amount: number) => sum + amount, 0)).toBe(0);
    for (const total of (await read('/trial-balance')).totals) expect(total.balanceMinor).toBe(0);
    const facts = (await read(`/rentals/${id}/events`)).items;
    const types = facts.map((fact: { event: { type: string } }) => fact.event.type);
    expect(types.slice(0, 4)).toEqual(
      ['reserved', 'checked-out', 'extended', 'checked-in'].map(
        (fact) => `forecourt.rental.${fact}.v1`,
      ),
    );
  });
});

describe('a refusal', () => {
  test('when nothing is free is 409 vehicle-unavailable, and stays so for its key', async () => {
    await plantVehicles(system.db, 'FDMR', 0);
    const request = { body: newRental('FDMR'), key: randomUUID() };
    const first = await api.call('POST', '/api/v1/rentals', request);
    expect(problem(first)).toEqual([409, '/problems/vehicle-unavailable']);
    expect((await api.call('POST', '/api/v1/rentals', request)).text).toBe(first.text);
  });

  test('of a branch, class or customer that does not exist is 422 unknown-reference', async () => {
    for (const wrong of [{ branchId: 'NONE' }, { classId: 'XXXX' }, { customerId: randomUUID() }]) {
      const answer = await api.call('POST', '/api/v1/rentals', {
        body: { ...newRental(), ...wrong },
      });
      expect([wrong, ...problem(answer)]).toEqual([wrong, 422, '/problems/unknown-reference']);
    }
  });

  test('by the state is 409 invalid-state, also when the rental has ended', async () => {
    const { id } = await reserved();
    const early = await send(id, 'check-in', { ...READING, branchId: company.branchId });
    expect(problem(early)).toEqual([409, '/problems/invalid-state']);
    expect(early.body.rentalStatus).toBe('reserved');
    expect((await send(id, 'cancel', { reason: 'customer' })).body.status).toBe('cancelled');
    const late = await send(id, 'check-out', READING);
    expect(problem(late)).toEqual([409, '/problems/invalid-state']);
    expect(late.body.rentalStatus).toBe('cancelled');
  });

  test('of a rental that never was is 404, of what was typed wrong 422', async () => {
    const nobody = await send(randomUUID(), 'check-out', READING);
    expect(problem(nobody)).toEqual([404, '/problems/not-found']);
    const { id } = await reserved();
    await send(id, 'check-out', READING);
    const back = { fuelEighths: 8, branchId: company.branchId };
    const rolledBack = await send(id, 'check-in', { ...back, odometerKm: 1_999 });
    expect(problem(rolledBack)).toEqual([422, '/problems/odometer-rollback']);
    const shorter = await send(id, 'extend', { dueAt: hoursFromNow(1) });
    expect(problem(shorter)).toEqual([422, '/problems/due-not-later']);
  });

  test('is none for a repeat: the same key gets the answer that it got', async () => {
    const { id } = await reserved();
    const key = randomUUID();
    const first = await send(id, 'check-out', READING, key);
    const again = await send(id, 'check-out', READING, key);
    expect([again.status, again.text]).toEqual([200, first.text]);
    // Even when the answer was never saved, the workflow remembers the command.
    await sql`update events.idempotency set state = 'in_progress', status = null, headers = null,
      body = null, locked_until = '-infinity' where key = ${key}`.execute(system.owner);
    expect((await send(id, 'check-out', READING, key)).text).toBe(first.text);
  });
});

test('the process starts from its environment alone, and ends by itself when told to', async () => {
  const part = await system.start('api/server.ts');
  const ready = await fetch(`${system.base(part)}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    {
      status: 'ready',
      dependencies: {
        postgres: { state: 'up', needed: true },
        temporal: { state: 'up', needed: true },
        kafka: { state: 'up', needed: false },
        redis: { state: 'up', needed: false },
      },
    },
  ]);
  const started = performance.now();
  expect(await part.stop()).toBe(0);
  expect(performance.now() - started).toBeLessThan(10_000);
  const lines = (await part.log()).trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ service: 'api', msg: 'api stopped' });
}, 90_000);
