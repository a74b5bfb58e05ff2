// Holds and recalls over HTTP: who may set and end them, and what the counter is told.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../domain/people.ts';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { book, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { type Person, plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let branchId: string;
let vehicleIds: readonly string[];
let technician: Person;
let manager: Person;
let stranger: Person;
beforeAll(async () => {
  api = await testApi();
  ({ branchId, vehicleIds } = await plantFleet(api.database.db, { vehicles: 4 }));
  technician = await person('technician');
  manager = await person('branch-manager');
  stranger = await person('branch-manager', ['FAR']);
});

function person(role: Role, branches = [branchId]): Promise<Person> {
  return plantStaff(api.database.owner, { roles: [role], branches });
}

async function as(who: Person, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const headers = method === 'PATCH' ? { 'if-match': '"1"' } : {};
  return api.call(method, `/api/v1${path}`, { body, headers, token: await tokenOf(who) });
}

function slug(answer: ApiAnswer): readonly [number, string] {
  return [answer.status, String(answer.body.type).replace('/problems/', '')];
}

const SCRATCH = { type: 'damage', severity: 'hard', reason: 'cracked windscreen' };

async function held(over: object = {}, vehicleId = vehicleIds[0]): Promise<ApiAnswer['body']> {
  const answer = await as(technician, 'POST', `/vehicles/${vehicleId}/holds`, {
    ...SCRATCH,
    ...over,
  });
  expect([answer.status, answer.body]).toEqual([201, answer.body]);
  return answer.body;
}

function lift(who: Person, id: string, over: object = {}): Promise<ApiAnswer> {
  return as(who, 'POST', `/holds/${id}/lift`, { reason: 'mended', ...over });
}

async function approved(holdId: string): Promise<string> {
  const about = { kind: 'hold-release', subjectType: 'hold', subjectId: holdId, branchId };
  const body = { ...about, amount: 0, reason: 'mended' };
  const { id } = (await as(technician, 'POST', '/approvals', body)).body;
  expect((await as(manager, 'POST', `/approvals/${id}/approve`)).status).toBe(200);
  return id;
}

describe('a hold', () => {
  test('is set, listed by vehicle and branch, and read with its version', async () => {
    const hold = await held({ until: hoursFromNow(48) });
    expect(hold).toMatchObject({ ...SCRATCH, source: 'manual', version: 1, affected: [] });
    expect(hold.hardFrom).toBe(hold.from);
    const { affected, ...shown } = hold;
    const one = await as(manager, 'GET', `/holds/${hold.id}`);
    expect([one.body, one.headers.get('etag')]).toEqual([shown, '"1"']);
    const open = `/holds?branchId=${branchId}&type=damage&open=true`;
    expect((await as(manager, 'GET', open)).body.items).toContainEqual(shown);
    expect((await as(manager, 'GET', open.replace('true', 'false'))).body.items).toEqual([]);
    const its = await as(manager, 'GET', `/vehicles/${hold.vehicleId}/holds`);
    expect(its.body.items).toContainEqual(shown);
  });

  test('sends bookings to another vehicle, and says to which', async () => {
    const { rentalId, vehicleId } = await book(api.database.db, {
      branchId,
      from: hoursFromNow(100),
      to: hoursFromNow(124),
    });
    const { affected } = await held({ type: 'other' }, vehicleId);
    expect(affected).toMatchObject([{ ref: rentalId, kind: 'rental', grip: 'tentative' }]);
    expect(vehicleIds).toContain(affected[0].movedTo);
    expect(affected[0].movedTo).not.toBe(vehicleId);
  });

  test('that is hard is ended by two people, and the approval is then used up', async () => {
    const [one, other] = [await held({}, vehicleIds[1]), await held({}, vehicleIds[1])];
    expect(slug(await lift(manager, one.id))).toEqual([403, 'four-eyes']);
    const approvalId = await approved(one.id);
    expect(slug(await lift(manager, other.id, { approvalId }))).toEqual([403, 'four-eyes']);
    const done = await lift(manager, one.id, { approvalId });
    expect([done.status, done.body.liftedVia]).toEqual([200, 'approval']);
    expect(slug(await lift(technician, one.id, { approvalId }))).toEqual([409, 'invalid-state']);
  });

  test('that is soft is ended by a manager, not by a technician', async () => {
    const { id } = await held({ severity: 'soft' }, vehicleIds[1]);
    expect(slug(await lift(technician, id))).toEqual([403, 'limit-exceeded']);
    expect((await lift(manager, id)).status).toBe(200);
  });

  test('for a recall is ended by the code of the repair', async () => {
    const { id } = await held({ type: 'recall' }, vehicleIds[1]);
    const approvalId = await approved(id);
    expect(slug(await lift(manager, id, { approvalId }))).toEqual([422, 'repair-code-required']);
    const done = await lift(technician, id, { repairCode: 'RC-9' });
    expect([done.status, done.body.repairCode]).toEqual([200, 'RC-9']);
  });

  test('that is hard may become stricter, never weaker', async () => {
    const { id } = await held({ until: hoursFromNow(48) }, vehicleIds[1]);
    const weaker = await as(manager, 'PATCH', `/holds/${id}`, { until: hoursFromNow(47) });
    expect(slug(weaker)).toEqual([403, 'four-eyes']);
    const longer = await as(manager, 'PATCH', `/holds/${id}`, { until: null });
    expect([longer.status, longer.body.until]).toEqual([200, null]);
    const again = await as(manager, 'PATCH', `/holds/${id}`, { reason: 'worse' });
    expect(slug(again)).toEqual([412, 'version-conflict']);
  });

  test.each([
    ['a soft one that blocks', { severity: 'soft', hardFrom: hoursFromNow(1) }],
    ['one that ends before it begins', { until: hoursFromNow(-1) }],
    ['a recall with an end', { type: 'recall', until: hoursFromNow(9) }],
  ])('cannot be %s', async (_, over) => {
    const path = `/vehicles/${vehicleIds[1]}/holds`;
    const answer = await as(technician, 'POST', path, { ...SCRATCH, ...over });
    expect(slug(answer)).toEqual([422, 'value-refused']);
  });

  test('of another branch does not exist', async () => {
    const { id, vehicleId } = await held({}, vehicleIds[1]);
    const unknown = randomUUID();
    for (const [known, other] of [
      [await as(stranger, 'GET', `/holds/${id}`), await as(stranger, 'GET', `/holds/${unknown}`)],
      [await lift(stranger, id), await lift(stranger, unknown)],
      [
        await as(stranger, 'POST', `/vehicles/${vehicleId}/holds`, SCRATCH),
        await as(stranger, 'POST', `/vehicles/${unknown}/holds`, SCRATCH),
      ],
      [
        await as(stranger, 'GET', `/vehicles/${vehicleId}/holds`),
        await as(stranger, 'GET', `/vehicles/${unknown}/holds`),
      ],
    ] as const) {
      expect(slug(known)).toEqual([404, 'not-found']);
      expect(known.body.detail).toBe(other.body.detail);
    }
  });
});

test('a vehicle’s readiness says what its holds mean for a time and its km', async () => {
  const [, , , vehicleId] = vehicleIds;
  await held({ type: 'maintenance', fromKm: 2_000, toleranceKm: 100, soonKm: 500 }, vehicleId);
  const says = async (hours: number) => {
    const query = `from=${hoursFromNow(0)}&to=${hoursFromNow(hours)}`;
    return (await as(manager, 'GET', `/vehicles/${vehicleId}/readiness?${query}`)).body;
  };
  // 1,000 km now, 140 a day.
  expect(await says(24)).toMatchObject({ says: 'free', projectedKm: expect.closeTo(1_140, -1) });
  expect(await says(6 * 24)).toMatchObject({ says: 'shown', holds: [{ says: 'shown' }] });
  expect((await says(7.5 * 24)).says).toBe('warns');
  expect((await says(8 * 24)).says).toBe('blocks');
});

test('a recall needs every branch, and the workflow service', async () => {
  const planner = await person('fleet-planner');
  const notice = {
    title: 'Airbag inflator',
    authorityNumber: '26V-311',
    jurisdiction: 'US',
    noticeReceivedAt: hoursFromNow(-1),
    isSafety: true,
    isRemedyAvailable: true,
    scopes: [{ make: 'Skoda' }],
  };
  expect(slug(await as(planner, 'POST', '/recalls', notice))).toEqual([403, 'forbidden']);
  const all = await plantStaff(api.database.owner, { roles: ['fleet-planner'] });
  const down = await as(all, 'POST', '/recalls', notice);
  expect(slug(down)).toEqual([503, 'service-unavailable']);
  const { rows } = await sql`select from vehicles.recall`.execute(api.database.owner);
  expect(rows).toEqual([]);
});
