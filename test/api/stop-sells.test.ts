// Stop-sell rules: what they keep from being sold, where that is shown, and who may let it pass.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { grantOverride } from '../../db/commands/booking-overrides.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { localDate } from '../../domain/calendar.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CLASS, hour, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

const SYSTEM = 'system:test';
const DAY = 24;
let api: TestApi;
let customerId: string;
beforeAll(async () => {
  api = await testApi();
  ({ customerId } = await plantTrade(api.database.db));
});

const dateOf = (hours: number) => localDate(hour(hours), 'Europe/Vienna');

async function fleet(): Promise<string> {
  return (await plantFleet(api.database.db, { vehicles: 4 })).branchId;
}

/** In force for the dates of the tests' third day. */
async function stopped(branchId: string | null, over: object = {}): Promise<ApiAnswer['body']> {
  const date = dateOf(2 * DAY);
  const rule = { branchId, fromDate: date, toDate: date, reason: 'Fair', ...over };
  const answer = await api.call('POST', '/api/v1/stop-sells', { body: rule });
  expect([answer.status, answer.body.type]).toEqual([201, undefined]);
  return answer.body;
}

function reserve(branchId: string, from: number, to: number, over: Partial<RentalRequest> = {}) {
  const term = { pickUpAt: hour(from), dueAt: hour(to) };
  const request = { id: uuidv7(), branchId, classId: CLASS, customerId, ...term, ...over };
  return reserveRental(api.database.db, SYSTEM, request);
}

const REFUSED = { code: 'stop-sell' };

describe('a rule', () => {
  test('for the whole stay keeps out what touches its dates, and nothing else', async () => {
    const branchId = await fleet();
    const { id } = await stopped(branchId);
    const refusal = { ...REFUSED, details: { stopSellId: id, kind: 'stay' } };
    await expect(reserve(branchId, DAY, 4 * DAY)).rejects.toMatchObject(refusal);
    expect((await reserve(branchId, 0, 0.5 * DAY)).status).toBe('reserved');
    expect((await reserve(branchId, 4 * DAY, 5 * DAY)).status).toBe('reserved');
  });

  test('for arrivals or departures looks at that end only', async () => {
    const arrivals = await fleet();
    await stopped(arrivals, { kind: 'arrival' });
    await expect(reserve(arrivals, 2 * DAY, 4 * DAY)).rejects.toMatchObject(REFUSED);
    expect((await reserve(arrivals, DAY, 4 * DAY)).status).toBe('reserved');
    const departures = await fleet();
    await stopped(departures, { kind: 'departure' });
    await expect(reserve(departures, DAY, 2 * DAY)).rejects.toMatchObject(REFUSED);
    expect((await reserve(departures, DAY, 4 * DAY)).status).toBe('reserved');
  });

  test('for a channel or a class binds no other', async () => {
    const branchId = await fleet();
    await stopped(branchId, { channel: 'online' });
    const online = { channel: 'online' } as const;
    await expect(reserve(branchId, DAY, 4 * DAY, online)).rejects.toMatchObject(REFUSED);
    expect((await reserve(branchId, DAY, 4 * DAY)).status).toBe('reserved');
  });

  test('counts local dates: half past eleven in the evening is not tomorrow', async () => {
    const branchId = await fleet();
    const date = dateOf(2 * DAY);
    await stopped(branchId, { kind: 'departure' });
    const eve = new Date(Date.parse(`${date}T00:00:00Z`) - 90 * 60_000 - 3_600_000).toISOString();
    const request = { pickUpAt: hour(0), dueAt: eve };
    expect((await reserve(branchId, 0, 0, request)).status).toBe('reserved');
  });

  test('that ends lets bookings pass again, and stays on record', async () => {
    const branchId = await fleet();
    const { id } = await stopped(branchId);
    const path = `/api/v1/stop-sells/${id}`;
    const ended = await api.call('DELETE', path);
    expect([ended.status, ended.body.version]).toEqual([200, 2]);
    expect((await api.call('DELETE', path)).body).toEqual(ended.body);
    expect((await reserve(branchId, DAY, 4 * DAY)).status).toBe('reserved');
    const list = await api.call('GET', `/api/v1/stop-sells?branchId=${branchId}&open=false`);
    expect(list.body.items).toEqual([ended.body]);
  });

  test('does not touch what is booked, nor its repeat', async () => {
    const branchId = await fleet();
    const rental = await reserve(branchId, DAY, 4 * DAY);
    await stopped(branchId);
    const again = await reserve(branchId, DAY, 4 * DAY, { id: rental.id });
    expect(again).toEqual(rental);
  });
});

describe('availability', () => {
  test('says what is stopped, however many are free', async () => {
    const branchId = await fleet();
    const at = `/api/v1/availability?branchId=${branchId}&from=${hour(DAY)}&to=${hour(4 * DAY)}`;
    const free = { classId: CLASS, free: 4 };
    expect((await api.call('GET', at)).body.classes).toEqual([free]);
    await stopped(branchId, { classId: CLASS });
    expect((await api.call('GET', at)).body.classes).toEqual([{ ...free, stopped: true }]);
  });
});

describe('an override', () => {
  test('of a manager lets the booking pass and is in the report, without its words', async () => {
    const branchId = await fleet();
    const { id: stopSellId } = await stopped(branchId);
    const id = uuidv7();
    await grantOverride(api.database.db, SYSTEM, id, 'Stranded regular');
    const override = { stopSell: true, overbook: 0 } as const;
    expect((await reserve(branchId, DAY, 4 * DAY, { id, override })).status).toBe('reserved');
    const report = await api.call('GET', `/api/v1/audit?report=overrides&subjectId=${id}`);
    expect(report.body.items).toMatchObject([
      {
        action: 'rental.override-stop-sell',
        reason: 'see rentals.booking_override',
        after: { id: stopSellId },
      },
    ]);
  });

  test('that was not needed is no override', async () => {
    const branchId = await fleet();
    const id = uuidv7();
    await grantOverride(api.database.db, SYSTEM, id, 'To be safe');
    const override = { stopSell: true, overbook: 1 } as const;
    await reserve(branchId, DAY, 4 * DAY, { id, override });
    const report = await api.call('GET', `/api/v1/audit?report=overrides&subjectId=${id}`);
    expect(report.body.items).toEqual([]);
  });

  test('is not for agents', async () => {
    const branchId = await fleet();
    const agent = await plantStaff(api.database.owner, { roles: ['senior-agent'] });
    const term = { pickUpAt: hour(DAY), dueAt: hour(4 * DAY) };
    const override = { reason: 'Please', stopSell: true };
    const answer = await api.call('POST', '/api/v1/rentals', {
      body: { branchId, classId: CLASS, customerId, ...term, override },
      token: await tokenOf(agent),
    });
    expectProblem(answer, 403, 'forbidden');
  });
});

describe('setting a rule', () => {
  test('for all branches is for who has them all; a manager has his own', async () => {
    const branchId = await fleet();
    const roles = ['branch-manager'] as const;
    const manager = await plantStaff(api.database.owner, { roles, branches: [branchId] });
    const token = await tokenOf(manager);
    const dates = { fromDate: dateOf(90 * DAY), toDate: dateOf(90 * DAY), reason: 'Fair' };
    const all = await api.call('POST', '/api/v1/stop-sells', { body: dates, token });
    expectProblem(all, 403, 'forbidden');
    const body = { ...dates, branchId };
    expect((await api.call('POST', '/api/v1/stop-sells', { body, token })).status).toBe(201);
    const other = await stopped(await fleet());
    expectProblem(
      await api.call('DELETE', `/api/v1/stop-sells/${other.id}`, { token }),
      404,
      'not-found',
    );
    const seen = await api.call('GET', '/api/v1/stop-sells', { token });
    expect(seen.body.items.map((rule: { branchId: string }) => rule.branchId)).toEqual([branchId]);
  });

  test('that ends before it begins, or names a branch that is not there, is refused', async () => {
    const body = { fromDate: '2027-05-03', toDate: '2027-05-02', reason: 'Fair' };
    const turned = await api.call('POST', '/api/v1/stop-sells', { body });
    expectProblem(turned, 422, 'validation-failed');
    const nowhere = { ...body, toDate: '2027-05-03', branchId: 'NOWHERE' };
    const unknown = await api.call('POST', '/api/v1/stop-sells', { body: nowhere });
    expectProblem(unknown, 422, 'unknown-reference');
  });
});
