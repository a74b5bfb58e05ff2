// What a token's holder may do, and how soon a change of that is felt.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { SCOPES } from '../../domain/people.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { type Person, plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let person: Person;
beforeAll(async () => {
  api = await testApi();
  person = await plantStaff(api.database.owner);
});

function ask(token: string): Promise<ApiAnswer> {
  return api.call('GET', '/api/v1/branches', { token });
}

describe('what a token was good for', () => {
  /** Within the promise of 5 s; each process remembers for 3 s at most. */
  async function expectRevoked(one: Person, change: () => Promise<unknown>): Promise<void> {
    const token = await tokenOf(one);
    expect((await ask(token)).status).toBe(200);
    await change();
    // Not expect.poll, which knows its test only while no other runs beside it.
    await vi.waitFor(
      async () => expect((await ask(token)).body.type).toBe('/problems/token-revoked'),
      { timeout: 5_000, interval: 200 },
    );
  }
  const staff = () => plantStaff(api.database.owner);

  test.concurrent('ends with its session', async () => {
    const one = await staff();
    await expectRevoked(one, () =>
      sql`update people.session set ended_at = now(), end_reason = 'signed-out'
        where id = ${one.sessionId}`.execute(api.database.owner),
    );
  });

  test.concurrent('ends when the person is suspended', async () => {
    const one = await staff();
    await expectRevoked(one, () =>
      sql`update people.staff set status = 'suspended' where id = ${one.id}`.execute(
        api.database.owner,
      ),
    );
  });

  test.concurrent('ends when roles or the password change, and the next one is good at once', async () => {
    const one = await staff();
    await expectRevoked(one, () =>
      sql`update people.staff set version = 2 where id = ${one.id}`.execute(api.database.owner),
    );
    expect((await ask(await tokenOf({ ...one, version: 2 }))).status).toBe(200);
  });

  test.concurrent('a token that is younger than what is remembered is good at once', async () => {
    const one = await staff();
    expect((await ask(await tokenOf(one))).status).toBe(200);
    await sql`update people.staff set version = 2 where id = ${one.id}`.execute(api.database.owner);
    expect((await ask(await tokenOf({ ...one, version: 2 }))).status).toBe(200);
  });

  test('somebody else’s session does not carry it', async () => {
    const [one, other] = [await staff(), await staff()];
    const answer = await ask(await tokenOf({ ...one, sessionId: other.sessionId }));
    expectProblem(answer, 401, 'token-revoked');
  });
});

describe('what a caller may do', () => {
  test('an agent is refused what administrators do: 403 forbidden', async () => {
    const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
    const body = { id: 'XXXX', name: 'X' };
    const answer = await api.call('POST', '/api/v1/classes', { body, token: await tokenOf(agent) });
    expectProblem(answer, 403, 'forbidden');
  });

  test('a token without the scope is refused: 403 insufficient-scope', async () => {
    const token = await tokenOf(person, { scope: 'customers:read' });
    expect((await api.call('GET', '/api/v1/customers', { token })).status).toBe(200);
    const answer = await api.call('POST', '/api/v1/customers', { token, body: { name: 'A' } });
    expectProblem(answer, 403, 'insufficient-scope');
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="customers:write"',
    );
  });

  test('scopes that are not of this API open nothing', async () => {
    const token = await tokenOf(person, { scope: `admin * ${SCOPES.join(',')}` });
    expectProblem(await ask(token), 403, 'insufficient-scope');
  });

  test('who may not use a route learns nothing of what is wrong with the request', async () => {
    const auditor = await plantStaff(api.database.owner, { roles: ['auditor'] });
    const token = await tokenOf(auditor);
    const answer = await api.call('POST', '/api/v1/customers', { token, body: '{', key: false });
    expectProblem(answer, 403, 'forbidden');
  });
});
