// What is out of somebody's sight is not there: 404, byte for byte as an id that never was.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CLASS, hour, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { customerPerson, plantStaff, tokenOf } from '../support/people.ts';
import { backOf, OUT } from '../support/rental-desk.ts';

const SYSTEM = 'system:test';

/** A branch with a vehicle, and a rental of it that came back and was invoiced. */
type Place = {
  readonly branchId: string;
  readonly vehicleId: string;
  readonly rental: RentalState;
};

let api: TestApi;
let here: Place;
let there: Place;
/** Manager, planner and accountant of the first branch. */
let token: string;
/** The customer of the first place. */
let own: string;

async function place(customerId: string): Promise<Place> {
  const { db } = api.database;
  const { branchId, vehicleIds } = await plantFleet(db, { vehicles: 1 });
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(72) };
  const reserved = await reserveRental(db, SYSTEM, { ...ids, ...term });
  for (const [version, command] of [OUT, backOf(reserved)].entries()) {
    const given = { commandId: uuidv7(), rentalId: ids.id, version: version + 1, command };
    await recordCommand(db, SYSTEM, given);
  }
  const rental = await rentalById(db, SYSTEM, ids.id);
  if (rental === undefined) throw new Error('The rental is gone.');
  return { branchId, vehicleId: vehicleIds[0] ?? '', rental };
}

beforeAll(async () => {
  api = await testApi();
  const { db, owner } = api.database;
  const { customerId } = await plantTrade(db);
  const other = uuidv7();
  await createCustomer(db, SYSTEM, { id: other, name: 'Other' });
  [here, there] = [await place(customerId), await place(other)];
  const roles = ['branch-manager', 'fleet-planner', 'accountant'] as const;
  token = await tokenOf(await plantStaff(owner, { roles, branches: [here.branchId] }));
  own = await tokenOf(await customerPerson(owner, customerId));
});

/** Without what names the request itself. */
function essence({ status, headers, body }: ApiAnswer): unknown {
  const { instance: _one, traceId: _other, ...rest } = body;
  return { status, type: headers.get('content-type'), etag: headers.get('etag'), rest };
}

const READINGS = { odometerKm: 5_000, fuelEighths: 4 };
const REASON = { reason: 'customer' };
const IF_MATCH = { 'if-match': '"1"' };

/** Each operation on one record: what it needs besides the id. */
function requests(of: Place, ids: { readonly [what: string]: string }) {
  const { rental, vehicle, invoice } = ids;
  const back = { ...READINGS, branchId: here.branchId };
  return [
    ['GET', `/rentals/${rental}`, {}],
    ['GET', `/rentals/${rental}/events`, {}],
    ['GET', `/rentals/${rental}/entries`, {}],
    ['POST', `/rentals/${rental}/check-out`, { body: READINGS }],
    ['POST', `/rentals/${rental}/check-in`, { body: back }],
    ['POST', `/rentals/${rental}/check-in`, { body: { ...back, branchId: of.branchId } }],
    ['POST', `/rentals/${rental}/extend`, { body: { dueAt: hour(400) } }],
    ['POST', `/rentals/${rental}/amend`, { body: { payerId: null } }],
    ['POST', `/rentals/${rental}/cancel`, { body: REASON }],
    ['GET', `/invoices/${invoice}`, {}],
    ['GET', `/vehicles/${vehicle}`, {}],
    ['PATCH', `/vehicles/${vehicle}`, { body: { model: 'Mine' }, headers: IF_MATCH }],
    ['POST', `/vehicles/${vehicle}/prepare`, { body: { reason: 'Hail' } }],
    ['PATCH', `/vehicles/${vehicle}`, { body: { branchId: here.branchId }, headers: IF_MATCH }],
  ] as const;
}

describe('a record of another branch', () => {
  test('answers every operation as an id that never was', async () => {
    const theirs = requests(there, {
      rental: there.rental.id,
      vehicle: there.vehicleId,
      invoice: there.rental.invoiceId ?? '',
    });
    const none = requests(there, { rental: uuidv7(), vehicle: uuidv7(), invoice: uuidv7() });
    for (const [index, [method, path, more]] of theirs.entries()) {
      const [, absentPath = '', absentMore = {}] = none[index] ?? [];
      const answer = await api.call(method, `/api/v1${path}`, { token, ...more });
      const absent = await api.call(method, `/api/v1${absentPath}`, { token, ...absentMore });
      expect([method, path, answer.status, answer.body.type]).toEqual([
        method,
        path,
        404,
        '/problems/not-found',
      ]);
      expect(essence(answer)).toEqual(essence(absent));
    }
  });

  test('by its number too', async () => {
    const find = (number: string) =>
      api.call('GET', `/api/v1/rentals/by-number/${number}`, { token });
    expect((await find(here.rental.number)).status).toBe(200);
    expect(essence(await find(there.rental.number))).toEqual(essence(await find('RA-999999')));
  });

  test('is in no list', async () => {
    const all = { vehicles: 'branchId', rentals: 'branchId', invoices: 'branchId' };
    for (const what of Object.keys(all)) {
      const mine = await api.call('GET', `/api/v1/${what}`, { token });
      const branches = mine.body.items.map((item: { branchId: string }) => item.branchId);
      expect([what, branches]).toEqual([what, [here.branchId]]);
      const asked = await api.call('GET', `/api/v1/${what}?branchId=${there.branchId}`, { token });
      expect(asked.body.items).toEqual([]);
    }
  });

  test('of one’s own branch everything is there', async () => {
    for (const path of [
      `/rentals/${here.rental.id}`,
      `/rentals/${here.rental.id}/entries`,
      `/invoices/${here.rental.invoiceId}`,
      `/vehicles/${here.vehicleId}`,
      `/branches/${here.branchId}/activity`,
    ]) {
      expect([path, (await api.call('GET', `/api/v1${path}`, { token })).status]).toEqual([
        path,
        200,
      ]);
    }
  });
});

describe('a branch where one does not work is visible, and acting there is 403', () => {
  const act = (method: string, path: string, more: object) =>
    api.call(method, `/api/v1${path}`, { token, ...more });

  test('reading it is fine', async () => {
    expect((await act('GET', `/branches/${there.branchId}`, {})).status).toBe(200);
  });

  test('changing it, and what happened there', async () => {
    const renamed = await act('PATCH', `/branches/${there.branchId}`, {
      body: { name: 'Mine' },
      headers: IF_MATCH,
    });
    expectProblem(renamed, 403, 'forbidden');
    expectProblem(await act('GET', `/branches/${there.branchId}/activity`, {}), 403, 'forbidden');
  });

  test('reserving there, registering a vehicle there, moving one there', async () => {
    const term = { pickUpAt: hour(0), dueAt: hour(24) };
    const rental = { branchId: there.branchId, classId: CLASS, customerId: uuidv7(), ...term };
    expectProblem(await act('POST', '/rentals', { body: rental }), 403, 'forbidden');
    const vehicle = {
      plate: 'W-1',
      classId: CLASS,
      branchId: there.branchId,
      make: 'A',
      odometerKm: 10,
      model: 'B',
      modelYear: 2026,
    };
    expectProblem(await act('POST', '/vehicles', { body: vehicle }), 403, 'forbidden');
    const moved = await act('PATCH', `/vehicles/${here.vehicleId}`, {
      body: { branchId: there.branchId },
      headers: IF_MATCH,
    });
    expectProblem(moved, 403, 'forbidden');
  });

  test('registering several, of which one is there: that one', async () => {
    const vehicle = { classId: CLASS, make: 'A', model: 'B', modelYear: 2026, odometerKm: 1 };
    const body = {
      items: [
        { ...vehicle, plate: 'W-2', branchId: here.branchId },
        { ...vehicle, plate: 'W-3', branchId: there.branchId },
      ],
    };
    const answer = await act('POST', '/vehicles/batch', { body });
    expect(answer.text).toContain('/problems/forbidden');
    expect(answer.text).not.toContain('W-3');
  });
});

describe('a customer', () => {
  const read = (path: string) => api.call('GET', `/api/v1${path}`, { token: own });

  test('sees the own record, rentals and invoices, and those alone', async () => {
    const { customerId } = here.rental;
    expect((await read(`/customers/${customerId}`)).status).toBe(200);
    expect((await read(`/rentals/${here.rental.id}`)).status).toBe(200);
    expect((await read(`/invoices/${here.rental.invoiceId}`)).status).toBe(200);
    for (const what of ['customers', 'rentals', 'invoices']) {
      expect([what, (await read(`/${what}`)).body.items.length]).toEqual([what, 1]);
    }
    const asked = await read(`/rentals?customerId=${there.rental.customerId}`);
    expect(asked.body.items).toEqual([]);
  });

  test('others’ are not there', async () => {
    const { id, customerId, invoiceId } = there.rental;
    const theirs = { rentals: id, customers: customerId, invoices: invoiceId };
    for (const [what, theirId] of Object.entries(theirs)) {
      const answer = await read(`/${what}/${theirId}`);
      expect(answer.status).toBe(404);
      expect(essence(answer)).toEqual(essence(await read(`/${what}/${uuidv7()}`)));
    }
  });

  test('reserves for nobody else: another customer does not exist', async () => {
    const term = { pickUpAt: hour(0), dueAt: hour(24) };
    const given = { branchId: here.branchId, classId: CLASS, ...term };
    const reserve = (customerId: string) =>
      api.call('POST', '/api/v1/rentals', { token: own, body: { ...given, customerId } });
    expectProblem(await reserve(there.rental.customerId), 422, 'unknown-reference');
    // The workflow service is not there: the own request got as far as that.
    expectProblem(await reserve(here.rental.customerId), 503, 'service-unavailable');
  });

  test('cancels nobody else’s rental', async () => {
    const cancel = (id: string) =>
      api.call('POST', `/api/v1/rentals/${id}/cancel`, { token: own, body: REASON });
    const answer = await cancel(there.rental.id);
    expectProblem(answer, 404, 'not-found');
    expect(essence(answer)).toEqual(essence(await cancel(uuidv7())));
  });
});
