// Who was refused what, and why: the log says it by ids and codes, never by what was sent.
import { beforeAll, expect, test } from 'vitest';
import { type ApiAnswer, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

function lineOf(answer: ApiAnswer): Record<string, unknown> {
  const id = answer.headers.get('x-request-id') ?? 'none';
  return JSON.parse(api.logLines.find((line) => line.includes(id)) ?? '{}');
}

test('a request that is granted names who asked', async () => {
  const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
  const line = lineOf(await api.call('GET', '/api/v1/branches', { token: await tokenOf(agent) }));
  expect(line).toMatchObject({ status: 200, actor: `staff:${agent.id}` });
  expect(line).not.toHaveProperty('problem');
});

test('one that is refused says who and why', async () => {
  const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
  const token = await tokenOf(agent);
  const actor = `staff:${agent.id}`;
  const body = { id: 'XXXX', name: 'Planted' };
  const forbidden = lineOf(await api.call('POST', '/api/v1/classes', { body, token }));
  expect(forbidden).toMatchObject({ status: 403, actor, problem: 'forbidden' });
  const unknown = { name: 'Planted', isAdmin: true };
  const odd = lineOf(await api.call('POST', '/api/v1/customers', { body: unknown, token }));
  expect(odd).toMatchObject({ status: 422, actor, problem: 'unknown-field' });
  expect(JSON.stringify([forbidden, odd])).not.toContain('Planted');
});

test('one with a token that is not good says that, and names nobody', async () => {
  const line = lineOf(await api.call('GET', '/api/v1/branches', { token: 'not.a.token' }));
  expect(line).toMatchObject({ status: 401, problem: 'invalid-token' });
  expect(line).not.toHaveProperty('actor');
});
