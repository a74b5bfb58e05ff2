// Approvals over HTTP: asked for by one, decided by another of the same branches within their limit.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../../domain/people.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../../support/api.ts';
import { type Person, plantStaff, tokenOf } from '../../support/people.ts';

let api: TestApi;
let agent: Person;
let manager: Person;
beforeAll(async () => {
  api = await testApi();
  for (const id of ['VIE', 'GRZ']) {
    const body = { id, name: id, timeZone: 'Europe/Vienna', entityId: 'FC-AT' };
    await api.call('POST', '/api/v1/branches', { body });
  }
  agent = await person('counter-agent', ['VIE']);
  manager = await person('branch-manager', ['VIE']);
});

function person(role: Role, branches?: readonly string[]): Promise<Person> {
  return plantStaff(api.database.owner, { roles: [role], ...(branches && { branches }) });
}

async function as(who: Person, method: string, path: string, body?: object): Promise<ApiAnswer> {
  return api.call(method, `/api/v1${path}`, { body, token: await tokenOf(who) });
}

function refund(over: object = {}) {
  const subjectId = randomUUID();
  const about = { kind: 'refund', subjectType: 'rental', subjectId, branchId: 'VIE' };
  return { ...about, amount: 80_000, reason: 'engine failure', ...over };
}

async function asked(over: object = {}): Promise<string> {
  const answer = await as(agent, 'POST', '/approvals', refund(over));
  expect([answer.status, answer.body]).toEqual([201, answer.body]);
  return answer.body.id;
}

describe('an approval', () => {
  test('is asked for by an agent, seen and given by the manager, once', async () => {
    const body = refund();
    const made = await as(agent, 'POST', '/approvals', body);
    expect(made.body).toMatchObject({ ...body, status: 'open', payee: null, decidedBy: null });
    const { id, requestedAt, expiresAt } = made.body;
    expect(made.body.requestedBy).toBe(`staff:${agent.id}`);
    expect(Date.parse(expiresAt) - Date.parse(requestedAt)).toBe(24 * 3_600_000);
    const open = await as(manager, 'GET', '/approvals?status=open&limit=200');
    expect(open.body.items).toContainEqual(made.body);
    const given = await as(manager, 'POST', `/approvals/${id}/approve`);
    expect([given.status, given.body]).toEqual([
      200,
      {
        ...made.body,
        status: 'approved',
        decidedBy: `staff:${manager.id}`,
        decidedAt: expect.any(String),
      },
    ]);
    expect((await as(agent, 'GET', `/approvals/${id}`)).body).toEqual(given.body);
    const again = await as(manager, 'POST', `/approvals/${id}/refuse`);
    expectProblem(again, 409, 'invalid-state');
  });

  test('is not given by who asked, who is paid, or whose limit is lower', async () => {
    const id = await asked();
    expectProblem(await as(agent, 'POST', `/approvals/${id}/approve`), 403, 'four-eyes');
    const senior = await person('senior-agent');
    const tooMuch = await as(senior, 'POST', `/approvals/${id}/approve`);
    expectProblem(tooMuch, 403, 'limit-exceeded');
    const theirs = await asked({ payee: `staff:${manager.id}` });
    expectProblem(await as(manager, 'POST', `/approvals/${theirs}/approve`), 403, 'four-eyes');
    const own = await as(agent, 'POST', '/approvals', refund({ payee: `staff:${agent.id}` }));
    expectProblem(own, 403, 'four-eyes');
  });

  test('of another branch is as absent as one that never was', async () => {
    const id = await asked();
    const elsewhere = await person('branch-manager', ['GRZ']);
    for (const [method, end] of [
      ['GET', ''],
      ['POST', '/approve'],
      ['POST', '/refuse'],
    ] as const) {
      const foreign = await as(elsewhere, method, `/approvals/${id}${end}`);
      const unknown = await as(elsewhere, method, `/approvals/${randomUUID()}${end}`);
      expectProblem(foreign, 404, 'not-found');
      expect(foreign.body.detail).toBe(unknown.body.detail);
    }
    const listed = await as(elsewhere, 'GET', '/approvals');
    expect(listed.body.items).toEqual([]);
  });

  test('is asked for one’s own branches, and of the company by who works for all', async () => {
    for (const branchId of ['GRZ', 'XXX', null]) {
      const answer = await as(agent, 'POST', '/approvals', refund({ branchId }));
      expectProblem(answer, 422, 'unknown-reference');
    }
    const controller = await person('finance-controller');
    const company = refund({ kind: 'period-reopen', amount: 0, branchId: null });
    const made = await as(controller, 'POST', '/approvals', company);
    expect(made.status).toBe(201);
    const unknown = await as(manager, 'POST', `/approvals/${made.body.id}/approve`);
    expectProblem(unknown, 404, 'not-found');
    const other = await person('finance-controller');
    expect((await as(other, 'POST', `/approvals/${made.body.id}/approve`)).status).toBe(200);
  });

  test('answers a repeated decision what it answered first', async () => {
    const id = await asked();
    const decide = { token: await tokenOf(manager), key: randomUUID() };
    const first = await api.call('POST', `/api/v1/approvals/${id}/approve`, decide);
    const repeat = await api.call('POST', `/api/v1/approvals/${id}/approve`, decide);
    expect([repeat.status, repeat.body]).toEqual([200, first.body]);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    const other = await api.call('POST', `/api/v1/approvals/${await asked()}/approve`, decide);
    expectProblem(other, 422, 'idempotency-key-reused');
  });

  test('is late after a day', async () => {
    const tomorrow = new Date(Date.now() + 24 * 3_600_000 + 60_000).toISOString();
    const id = await asked();
    const later = await testApi({ database: api.database, deps: { now: () => tomorrow } });
    const late = await later.call('POST', `/api/v1/approvals/${id}/approve`, {
      token: await tokenOf(manager),
    });
    expectProblem(late, 409, 'approval-expired');
  });

  test('is nothing that an auditor writes', async () => {
    const auditor = await person('auditor');
    const id = await asked();
    expectProblem(await as(auditor, 'POST', '/approvals', refund()), 403, 'forbidden');
    expectProblem(await as(auditor, 'POST', `/approvals/${id}/approve`), 403, 'forbidden');
    expect((await as(auditor, 'GET', `/approvals/${id}`)).status).toBe(200);
  });
});
