// Overbooking limits over HTTP: what they let wait, what a lowering leaves, and a manager's one more.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { grantOverride } from '../../db/commands/booking-overrides.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CLASS, hour, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

const SYSTEM = 'system:test';
const PATH = '/api/v1/overbooking-limits';
let api: TestApi;
let customerId: string;
beforeAll(async () => {
  api = await testApi();
  ({ customerId } = await plantTrade(api.database.db));
});

function limit(branchId: string, over: object): Promise<ApiAnswer> {
  return api.call('POST', PATH, { body: { branchId, classId: CLASS, ...over } });
}

function reserve(branchId: string, over: Partial<RentalRequest> = {}): Promise<RentalState> {
  const term = { pickUpAt: hour(0), dueAt: hour(24) };
  const request = { id: uuidv7(), branchId, classId: CLASS, customerId, ...term, ...over };
  return reserveRental(api.database.db, SYSTEM, request);
}

const FULL = { code: 'vehicle-unavailable' };

async function pool(vehicles: number): Promise<string> {
  return (await plantFleet(api.database.db, { vehicles })).branchId;
}

describe('a limit', () => {
  test('lets so many bookings wait for a vehicle, and lists what a lowering leaves', async () => {
    const branchId = await pool(1);
    const made = await limit(branchId, { absolute: 2 });
    expect([made.status, made.body.excess]).toEqual([201, []]);
    await reserve(branchId);
    const [first, second] = [await reserve(branchId), await reserve(branchId)];
    expect([first.vehicleId, second.vehicleId]).toEqual([null, null]);
    await expect(reserve(branchId)).rejects.toMatchObject(FULL);
    const lowered = await api.call('PATCH', `${PATH}/${made.body.id}`, {
      body: { absolute: 1 },
      headers: { 'if-match': made.headers.get('etag') ?? '' },
    });
    expect(lowered.body).toMatchObject({ absolute: 1, version: 2 });
    const beyond = { waiting: 2, most: 1 };
    expect(lowered.body.excess).toMatchObject([
      { rentalId: first.id, ...beyond },
      { rentalId: second.id, ...beyond },
    ]);
    const read = await api.call('GET', `${PATH}/${made.body.id}`);
    expect(read.body).toEqual(lowered.body);
    const kept = await api.call('GET', `/api/v1/rentals/${second.id}`);
    expect(kept.body).toMatchObject({ status: 'reserved', allocation: 'unassigned' });
  });

  test('is one a date, and either a per cent or a number', async () => {
    const branchId = await pool(0);
    const may = { fromDate: '2027-05-01', toDate: '2027-05-31' };
    expect((await limit(branchId, { ...may, percent: 10 })).status).toBe(201);
    const twice = await limit(branchId, { fromDate: '2027-05-31', percent: 20 });
    expectProblem(twice, 409, 'duplicate');
    const june = { fromDate: '2027-06-01' };
    expect((await limit(branchId, { ...june, absolute: 1 })).status).toBe(201);
    expectProblem(await limit(branchId, { percent: 1, absolute: 1 }), 422, 'validation-failed');
    expectProblem(await limit(branchId, {}), 422, 'validation-failed');
    const list = await api.call('GET', `${PATH}?branchId=${branchId}`);
    expect(list.body.items).toHaveLength(2);
  });

  test('is changed by its version, and by people of its branch', async () => {
    const branchId = await pool(0);
    const { id } = (await limit(branchId, { percent: 10 })).body;
    const body = { percent: 20 };
    expectProblem(await api.call('PATCH', `${PATH}/${id}`, { body }), 428, 'precondition-required');
    const headers = { 'if-match': '"7"' };
    expectProblem(
      await api.call('PATCH', `${PATH}/${id}`, { body, headers }),
      412,
      'version-conflict',
    );
    const roles = ['branch-manager'] as const;
    const other = await plantStaff(api.database.owner, { roles, branches: ['ZZZ'] });
    const token = await tokenOf(other);
    const foreign = { body, headers: { 'if-match': '"1"' }, token };
    expectProblem(await api.call('PATCH', `${PATH}/${id}`, foreign), 404, 'not-found');
    const theirs = { body: { ...body, branchId, classId: CLASS }, token };
    expectProblem(await api.call('POST', PATH, theirs), 403, 'forbidden');
  });
});

describe('a manager', () => {
  test('lets one more wait than the limit, with a reason that the report has no words of', async () => {
    const branchId = await pool(1);
    await reserve(branchId);
    await expect(reserve(branchId)).rejects.toMatchObject(FULL);
    const override = { stopSell: false, overbook: 1 } as const;
    const [id, next] = [uuidv7(), uuidv7()];
    await grantOverride(api.database.db, SYSTEM, id, 'Hotel partner');
    await grantOverride(api.database.db, SYSTEM, next, 'Another one');
    expect((await reserve(branchId, { id, override })).vehicleId).toBeNull();
    const report = await api.call('GET', `/api/v1/audit?report=overrides&subjectId=${id}`);
    expect(report.body.items).toMatchObject([
      { action: 'rental.overbook', reason: 'see rentals.booking_override' },
    ]);
    await expect(reserve(branchId, { id: next, override })).rejects.toMatchObject(FULL);
  });
});
