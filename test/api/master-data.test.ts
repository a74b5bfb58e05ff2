// Branches, classes, vehicles and customers: created, read, listed and changed over HTTP.
import { beforeAll, describe, expect, test } from 'vitest';
import { DESK_TERMS } from '../../domain/rental/desk.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { book, hour } from '../support/fleet.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

const BRANCH = { id: 'VIE', name: 'Vienna', timeZone: 'Europe/Vienna', entityId: 'FC-AT' };
const CAR = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 12_000 };

async function made(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await api.call('POST', `/api/v1${path}`, { body });
  expect([path, answer.status, answer.body]).toEqual([path, 201, answer.body]);
  return answer.body;
}

describe('a branch', () => {
  test('is created with the usual terms, found by its code and changed', async () => {
    const created = await api.call('POST', '/api/v1/branches', { body: BRANCH });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/api/v1/branches/VIE');
    const terms = {
      ...{ turnaroundMinutes: 30, noShowGraceMinutes: 120, shortageLeadMinutes: 120 },
      ...{ overdueGraceMinutes: 29, reminderMinutes: 1_440, ...DESK_TERMS },
    };
    const vienna = { ...BRANCH, ...terms, showsPlanned: false, sandbox: false, version: 1 };
    expect(created.body).toEqual(vienna);
    const read = await api.call('GET', '/api/v1/branches/VIE');
    expect([read.status, read.body]).toEqual([200, vienna]);
    const changed = await api.call('PATCH', '/api/v1/branches/VIE', {
      body: { turnaroundMinutes: 45 },
      headers: { 'if-match': read.headers.get('etag') ?? '' },
    });
    expect(changed.body).toEqual({ ...vienna, turnaroundMinutes: 45, version: 2 });
    const patch = (version: number, body: object) =>
      api.call('PATCH', '/api/v1/branches/VIE', { body, headers: { 'if-match': `"${version}"` } });
    const desk = { undoMinutes: 5, undoKm: 0, overdueGraceMinutes: 10, reminderMinutes: 60 };
    expect((await patch(2, desk)).body).toMatchObject({ ...desk, version: 3 });
    expectProblem(await patch(3, { notReturnedCallHours: 72 }), 422, 'value-refused');
  });

  test('whose code is taken by another is 409 duplicate', async () => {
    await made('/branches', { ...BRANCH, id: 'GRZ' });
    const other = await api.call('POST', '/api/v1/branches', {
      body: { ...BRANCH, id: 'GRZ', name: 'Another' },
    });
    expect([other.status, other.body.type]).toEqual([409, '/problems/duplicate']);
  });

  test('keeps its legal entity: it is no part of a change', async () => {
    const answer = await api.call('PATCH', '/api/v1/branches/GRZ', {
      body: { entityId: 'FC-DE' },
      headers: { 'if-match': '"1"' },
    });
    expect([answer.status, answer.body.type]).toEqual([422, '/problems/unknown-field']);
  });
});

describe('a change', () => {
  test('that does not say what it knew is 428, one that knew something older is 412', async () => {
    await made('/classes', { id: 'CDMR', name: 'Compact' });
    const body = { name: 'Compact car' };
    const path = '/api/v1/classes/CDMR';
    const blind = await api.call('PATCH', path, { body });
    expect([blind.status, blind.body.type]).toEqual([428, '/problems/precondition-required']);
    const first = await api.call('PATCH', path, { body, headers: { 'if-match': '"1"' } });
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"']);
    const late = await api.call('PATCH', path, { body, headers: { 'if-match': '"1"' } });
    expect([late.status, late.body.type]).toEqual([412, '/problems/version-conflict']);
    for (const tag of ['1', 'W/"1"', '*', '"0"', '"x"']) {
      const answer = await api.call('PATCH', path, { body, headers: { 'if-match': tag } });
      expect([tag, answer.status]).toEqual([tag, 422]);
    }
  });

  test('of something that is not there is 404', async () => {
    const answer = await api.call('PATCH', '/api/v1/classes/ZZZZ', {
      body: { name: 'Nothing' },
      headers: { 'if-match': '"1"' },
    });
    expect([answer.status, answer.body.type]).toEqual([404, '/problems/not-found']);
  });

  test('made by ten people at once is made by one of them', async () => {
    await made('/classes', { id: 'ECMR', name: 'Economy' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        api.call('PATCH', '/api/v1/classes/ECMR', {
          body: { name: `Economy ${n}` },
          headers: { 'if-match': '"1"' },
        }),
      ),
    );
    expect(answers.map((a) => a.status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });
});

describe('a vehicle', () => {
  test('is registered, read and moved to another class', async () => {
    await made('/classes', { id: 'IDMR', name: 'Intermediate' });
    const vehicle = { plate: 'W-1', classId: 'CDMR', branchId: 'VIE', ...CAR };
    const unknown = {
      vin: null,
      expectedOn: null,
      energy: null,
      tankLitres: null,
      batteryKwh: null,
      supplier: null,
    };
    const created = await made('/vehicles', vehicle);
    expect(created).toEqual({
      ...vehicle,
      id: created['id'],
      ...unknown,
      homeBranchId: 'VIE',
      status: 'in_service',
      heldForSaleAt: null,
      fuelEighths: 8,
      plateJurisdiction: 'ZZ',
      ownership: 'owned',
      subRental: null,
      acquisition: null,
      warnings: [],
      version: 1,
    });
    const path = `/api/v1/vehicles/${created['id']}`;
    expect((await api.call('GET', path)).body).toEqual(created);
    const moved = await api.call('PATCH', path, {
      body: { classId: 'IDMR' },
      headers: { 'if-match': '"1"' },
    });
    expect(moved.body).toEqual({ ...created, classId: 'IDMR', version: 2 });
  });

  test('of a class or branch that does not exist is 422 unknown-reference', async () => {
    for (const wrong of [{ classId: 'XXXX' }, { branchId: 'NONE' }]) {
      const body = { plate: 'W-2', classId: 'CDMR', branchId: 'VIE', ...CAR, ...wrong };
      const answer = await api.call('POST', '/api/v1/vehicles', { body });
      expect([answer.status, answer.body.type]).toEqual([422, '/problems/unknown-reference']);
    }
  });

  test('with a plate that is taken is 409 duplicate', async () => {
    const body = { plate: 'W-1', classId: 'CDMR', branchId: 'VIE', ...CAR };
    const answer = await api.call('POST', '/api/v1/vehicles', { body });
    expect([answer.status, answer.body.type]).toEqual([409, '/problems/duplicate']);
  });

  test('that is booked does not change its class: 409 resource-in-use', async () => {
    await made('/branches', { ...BRANCH, id: 'LNZ' });
    const { id } = await made('/vehicles', {
      plate: 'L-1',
      classId: 'CDMR',
      branchId: 'LNZ',
      ...CAR,
    });
    await book(api.database.db, { branchId: 'LNZ', from: hour(0), to: hour(24) });
    const answer = await api.call('PATCH', `/api/v1/vehicles/${id}`, {
      body: { classId: 'IDMR' },
      headers: { 'if-match': '"1"' },
    });
    expect([answer.status, answer.body.type]).toEqual([409, '/problems/resource-in-use']);
  });
});

describe('a customer', () => {
  test('is registered with what is known, and changed', async () => {
    const { possibleDuplicates, ...created } = await made('/customers', {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
    expect(possibleDuplicates).toEqual([]);
    expect(created).toMatchObject({ phone: null, language: 'en', version: 1 });
    const changed = await api.call('PATCH', `/api/v1/customers/${created['id']}`, {
      body: { email: null, phone: '+4312345678' },
      headers: { 'if-match': '"1"' },
    });
    expect(changed.body).toEqual({ ...created, email: null, phone: '+4312345678', version: 2 });
  });

  test('is found by the beginning of the name, in any case', async () => {
    await made('/customers', { name: 'Grace Hopper' });
    const answer = await api.call('GET', '/api/v1/customers?q=gRACE');
    expect(answer.body.items).toMatchObject([{ name: 'Grace Hopper' }]);
  });

  test('leaves neither name nor address in the log', async () => {
    await made('/customers', { name: 'Canary Bird', email: 'canary@example.com' });
    await api.call('GET', '/api/v1/customers?q=Canary');
    await api.call('POST', '/api/v1/customers', { body: { name: 'Canary', nick: 'Canary' } });
    expect(api.logLines.length).toBeGreaterThan(0);
    expect(api.logLines.filter((line) => /canary/i.test(line))).toEqual([]);
  });
});

describe('a list', () => {
  test('comes page by page, each row once, in order', async () => {
    const plates = Array.from({ length: 7 }, (_, n) => `P-${n}`);
    await made('/branches', { ...BRANCH, id: 'PAGES' });
    for (const plate of plates) {
      await made('/vehicles', { plate, classId: 'CDMR', branchId: 'PAGES', ...CAR });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const at: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await api.call('GET', `/api/v1/vehicles?branchId=PAGES&limit=3${at}`);
      expect(page.body.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.body.items.map((vehicle: { plate: string }) => vehicle.plate));
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual(plates);
  });

  test('is narrowed by its filters', async () => {
    const of = async (query: string) =>
      (await api.call('GET', `/api/v1/vehicles?${query}`)).body.items.length;
    expect(await of('branchId=PAGES&classId=CDMR&status=in_service')).toBe(7);
    expect(await of('branchId=PAGES&classId=IDMR')).toBe(0);
    expect(await of('branchId=PAGES&status=sold')).toBe(0);
    const codes = (await api.call('GET', '/api/v1/classes?limit=2')).body;
    expect(codes.items.map((c: { id: string }) => c.id)).toEqual(['CDMR', 'ECMR']);
  });
});
