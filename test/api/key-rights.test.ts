// What an API key opens: its scopes, as far as its owner may; and what a rental tells of these rights.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { keyUses } from '../../api/auth/key-uses.ts';
import { createApiKey, newApiKeyToken, revokeApiKey } from '../../db/commands/api-keys.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import type { Scope } from '../../domain/people.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { testDatabase } from '../support/database.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { customerPerson, plantPartner, plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let agent: string;
beforeAll(async () => {
  const database = await testDatabase();
  api = await testApi({ database, deps: { keyUses: keyUses(database.db) } });
  agent = `staff:${(await plantStaff(database.owner, { roles: ['counter-agent'] })).id}`;
});

type Made = { readonly id: string; readonly token: string };

async function key(
  owner: string,
  scopes: readonly Scope[],
  expiresAt = '2099-01-01T00:00:00Z',
): Promise<Made> {
  const [id, token] = [uuidv7(), newApiKeyToken()];
  await createApiKey(api.database.db, owner, { id, owner, name: 'Key', scopes, expiresAt }, token);
  return { id, token };
}

const get = (path: string, token: string) => api.call('GET', `/api/v1${path}`, { token });

describe('a key', () => {
  test('is good for its scopes', async () => {
    const { token } = await key(agent, ['rentals:read']);
    expect((await get('/rentals', token)).status).toBe(200);
    expectProblem(await get('/customers', token), 403, 'insufficient-scope');
    const made = await api.call('POST', '/api/v1/customers', { token, body: { name: 'A' } });
    expectProblem(made, 403, 'insufficient-scope');
  });

  test('never has more rights than its owner', async () => {
    const { token } = await key(agent, ['accounting:read', 'fleet:write']);
    expectProblem(await get('/trial-balance', token), 403, 'forbidden');
    const body = { id: 'XXXX', name: 'X' };
    const made = await api.call('POST', '/api/v1/classes', { token, body });
    expectProblem(made, 403, 'forbidden');
  });

  test('sees the branches of its owner', async () => {
    const owner = await plantStaff(api.database.owner, {
      roles: ['counter-agent'],
      branches: ['NONE'],
    });
    const { token } = await key(`staff:${owner.id}`, ['fleet:read', 'rentals:read']);
    expect((await get('/rentals', token)).body.items).toEqual([]);
    expectProblem(await get(`/rentals/${uuidv7()}`, token), 404, 'not-found');
  });

  test('of a partner opens what partners may', async () => {
    const { partnerId } = await plantPartner(api.database.owner);
    const { token } = await key(`partner:${partnerId}`, ['fleet:read', 'rentals:read']);
    expect((await get('/branches', token)).status).toBe(200);
    expectProblem(await get('/rentals', token), 403, 'forbidden');
  });

  test.each(['fck_', 'fck_short', `fck_ABCDEFGH_${'a'.repeat(38)}`])(
    'that is none is refused: %s',
    async (token) => expectProblem(await get('/branches', token), 401, 'invalid-token'),
  );

  test('that was never made, or with another checksum, is refused', async () => {
    expectProblem(await get('/branches', newApiKeyToken()), 401, 'invalid-token');
    const { token } = await key(agent, ['fleet:read']);
    const other = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
    expectProblem(await get('/branches', other), 401, 'invalid-token');
  });

  test('in the query is not read', async () => {
    const { token } = await key(agent, ['fleet:read']);
    const answer = await api.call('GET', `/api/v1/branches?api_key=${token}`, { token: false });
    expectProblem(answer, 401, 'unauthenticated');
    expect(api.logLines.some((line) => line.includes(token))).toBe(false);
  });

  test('that expires is refused at that moment', async () => {
    const soon = new Date(Date.now() + 5_000).toISOString();
    const { token } = await key(agent, ['fleet:read'], soon);
    expect((await get('/branches', token)).status).toBe(200);
    await expect
      .poll(async () => (await get('/branches', token)).body.type, { timeout: 10_000 })
      .toBe('/problems/token-expired');
  });

  test('that is revoked is refused within 5 s', async () => {
    const { id, token } = await key(agent, ['fleet:read']);
    expect((await get('/branches', token)).status).toBe(200);
    await revokeApiKey(api.database.db, agent, { id });
    await expect
      .poll(async () => (await get('/branches', token)).body.type, { timeout: 5_000 })
      .toBe('/problems/token-revoked');
  });

  test('is refused within 5 s after its owner left', async () => {
    const { id } = await plantStaff(api.database.owner);
    const { token } = await key(`staff:${id}`, ['fleet:read']);
    expect((await get('/branches', token)).status).toBe(200);
    await sql`update people.staff set status = 'left' where id = ${id}`.execute(api.database.owner);
    await expect
      .poll(async () => (await get('/branches', token)).body.type, { timeout: 5_000 })
      .toBe('/problems/token-revoked');
  });

  test('is counted by day and route', async () => {
    const { id, token } = await key(agent, ['rentals:read']);
    await get('/rentals', token);
    await get(`/rentals/${uuidv7()}`, token);
    await get(`/rentals/${uuidv7()}`, token);
    await get('/customers', token);
    await api.deps.keyUses?.flush();
    const { rows } = await sql`select route, requests from people.api_key_usage
      where key_id = ${id} order by route`.execute(api.database.owner);
    expect(rows).toEqual([
      { route: 'GET /api/v1/customers', requests: 1 },
      { route: 'GET /api/v1/rentals', requests: 1 },
      { route: 'GET /api/v1/rentals/:id', requests: 2 },
    ]);
    const used = await sql`select from people.api_key
      where id = ${id} and last_used_at is not null`.execute(api.database.owner);
    expect(used.rows).toHaveLength(1);
  });
});

describe('the actions of a rental', () => {
  let customerId: string;
  beforeAll(async () => {
    ({ customerId } = await plantTrade(api.database.db));
  });

  async function reserved(): Promise<string> {
    const { branchId } = await plantFleet(api.database.db, { vehicles: 1 });
    const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
    const term = { pickUpAt: hoursFromNow(0.5), dueAt: hoursFromNow(5) };
    return (await reserveRental(api.database.db, AGENT, { ...ids, ...term })).id;
  }

  async function actions(id: string, token: string) {
    const { body } = await get(`/rentals/${id}`, token);
    return Object.fromEntries(
      body.actions.map(({ name, ...rest }: { name: string }) => [name, rest] as const),
    );
  }

  test('are all commands, each with the problem that it would meet', async () => {
    const id = await reserved();
    const all = await actions(id, await tokenOf(await plantStaff(api.database.owner)));
    expect(all['checkOut']).toEqual({
      method: 'POST',
      href: `/api/v1/rentals/${id}/check-out`,
      allowed: true,
      reason: null,
    });
    expect(all['checkIn']).toMatchObject({
      allowed: false,
      reason: {
        type: '/problems/invalid-state',
        title: 'The present state does not allow this',
        detail: 'A rental that is reserved does not allow checkIn.',
      },
    });
  });

  test('are the caller’s: role and scope come before the rental’s state', async () => {
    const { owner } = api.database;
    const id = await reserved();
    const person = await plantStaff(owner, { roles: ['counter-agent'] });
    const counter = await actions(id, await tokenOf(person));
    expect(counter['extend']).toMatchObject({ allowed: true });
    expect(counter['confirm']).toMatchObject({ reason: { type: '/problems/forbidden' } });
    const own = await actions(id, await tokenOf(await customerPerson(owner, customerId)));
    expect(own['cancel']).toMatchObject({ allowed: true });
    expect(own['checkOut']).toMatchObject({ reason: { type: '/problems/forbidden' } });
    const reading = await actions(id, (await key(agent, ['rentals:read'])).token);
    expect(reading['extend']).toMatchObject({ reason: { type: '/problems/insufficient-scope' } });
  });
});
