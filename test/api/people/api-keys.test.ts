// API keys: shown once, kept as hashes, no stronger than their owner, counted.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  apiKeyByToken,
  isApiKeyToken,
  newApiKeyToken,
  noteUse,
} from '../../../db/commands/api-keys.ts';
import { expectProblem, type TestApi, testApi } from '../../support/api.ts';
import { dump } from '../../support/dump.ts';
import { type Person, plantStaff, tokenOf } from '../../support/people.ts';

const DAY_MS = 24 * 3_600_000;

let api: TestApi;
let admin: Person;
beforeAll(async () => {
  api = await testApi();
  admin = await plantStaff(api.database.owner, { roles: ['administrator'] });
});

function inDays(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString();
}

function wanted(over: object = {}) {
  return { name: 'Nightly export', scopes: ['fleet:read'], expiresAt: inDays(90), ...over };
}

async function as(person: Person, method: string, path: string, body?: object, key?: string) {
  const options = { body, token: await tokenOf(person), ...(key !== undefined && { key }) };
  return api.call(method, `/api/v1${path}`, options);
}

async function made(person: Person, over: object = {}) {
  const answer = await as(person, 'POST', '/api-keys', wanted(over));
  expect([answer.status, answer.body]).toEqual([201, answer.body]);
  return answer.body as { readonly id: string; readonly key: string };
}

describe('the text of a key', () => {
  test('has a prefix, 190 random bits and a checksum', () => {
    const keys = new Set(Array.from({ length: 1_000 }, newApiKeyToken));
    expect(keys.size).toBe(1_000);
    for (const key of keys) {
      expect(key).toMatch(/^fck_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/);
      expect(isApiKeyToken(key)).toBe(true);
    }
  });

  test('with a mistyped character is no key, and the database is not asked', async () => {
    const key = newApiKeyToken();
    for (let at = 4; at < key.length; at += 1) {
      if (key[at] === '_') continue;
      const typo = key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
      expect([at, isApiKeyToken(typo)]).toEqual([at, false]);
    }
    const unreachable = undefined as never;
    expect(await apiKeyByToken(unreachable, `${key}x`)).toBeUndefined();
  });
});

describe('a key', () => {
  test('is shown once and found by its text; what is kept does not contain it', async () => {
    const { id, key } = await made(admin);
    expect(await apiKeyByToken(api.deps.db, key)).toEqual({
      id,
      owner: `staff:${admin.id}`,
      scopes: ['fleet:read'],
      state: 'active',
      expiresAt: expect.any(String),
    });
    const listed = await as(admin, 'GET', '/api-keys');
    expect(listed.text).toContain(id);
    expect(listed.text).not.toContain(key);
    const secret = key.slice(13);
    expect(await dump(api.database.owner)).toContain(key.slice(4, 12));
    expect(await dump(api.database.owner)).not.toContain(secret.slice(0, 20));
    expect(api.logLines.join('\n')).not.toContain(secret);
  });

  test('is made once: the same Idempotency-Key again is a duplicate, not another key', async () => {
    const once = randomUUID();
    const first = await as(admin, 'POST', '/api-keys', wanted(), once);
    expect(first.status).toBe(201);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expectProblem(await as(admin, 'POST', '/api-keys', wanted(), once), 409, 'duplicate');
    const missing = await api.call('POST', '/api/v1/api-keys', {
      body: wanted(),
      key: false,
      token: await tokenOf(admin),
    });
    expectProblem(missing, 400, 'idempotency-key-missing');
  });

  test('can do no more than who makes it', async () => {
    const token = await tokenOf(admin, { scope: 'people:write fleet:read' });
    const body = wanted({ scopes: ['fleet:read', 'rentals:write'] });
    const answer = await api.call('POST', '/api/v1/api-keys', { body, token });
    expectProblem(answer, 403, 'insufficient-scope');
    expect(answer.body.scope).toBe('rentals:write');
  });

  test('makes and revokes no keys itself', async () => {
    const { id, key } = await made(admin, { scopes: ['people:write', 'people:read'] });
    const byKey = (method: string, path: string, body?: object) =>
      api.call(method, `/api/v1${path}`, { body, token: key });
    expectProblem(await byKey('POST', '/api-keys', wanted()), 403, 'forbidden');
    expectProblem(await byKey('DELETE', `/api-keys/${id}`), 403, 'forbidden');
    expectProblem(await byKey('DELETE', `/me/sessions/${admin.sessionId}`), 403, 'forbidden');
    expect((await byKey('GET', '/me')).status).toBe(200);
  });

  test.each([-1, 0, 367])('does not last %i days', async (days) => {
    const answer = await as(admin, 'POST', '/api-keys', wanted({ expiresAt: inDays(days) }));
    expectProblem(answer, 422, 'validation-failed');
  });

  test('is expired after its day and revoked at once, for good', async () => {
    const [old, gone] = [await made(admin), await made(admin)];
    await sql`update people.api_key set expires_at = now() where id = ${old.id}`.execute(
      api.database.owner,
    );
    expect(await apiKeyByToken(api.deps.db, old.key)).toMatchObject({ state: 'expired' });
    for (let n = 0; n < 2; n += 1) {
      expect((await as(admin, 'DELETE', `/api-keys/${gone.id}`)).status).toBe(204);
    }
    expect(await apiKeyByToken(api.deps.db, gone.key)).toMatchObject({ state: 'revoked' });
    const { rows } = await sql<{ type: string }>`select type from events.outbox
      where aggregate_id = ${gone.id} order by seq`.execute(api.database.owner);
    expect(rows.map((row) => row.type)).toEqual([
      'forecourt.api-key.created.v1',
      'forecourt.api-key.revoked.v1',
    ]);
  });

  test('is its owner’s: others neither see nor revoke it, administrators do both', async () => {
    const [mine, other] = [
      await plantStaff(api.database.owner, { roles: ['technician'] }),
      await plantStaff(api.database.owner, { roles: ['technician'] }),
    ];
    const { id } = await made(mine);
    expect((await as(other, 'GET', '/api-keys')).body.items).toEqual([]);
    expect((await as(other, 'GET', `/api-keys?owner=staff:${mine.id}`)).body.items).toEqual([]);
    for (const [method, path] of [
      ['DELETE', '/api-keys/$'],
      ['GET', '/api-keys/$/usage'],
    ] as const) {
      const foreign = await as(other, method, path.replace('$', id));
      const unknown = await as(other, method, path.replace('$', randomUUID()));
      expectProblem(foreign, 404, 'not-found');
      expect(foreign.body.detail).toBe(unknown.body.detail);
    }
    const all = await as(admin, 'GET', `/api-keys?owner=staff:${mine.id}`);
    expect(all.body.items.map((item: { id: string }) => item.id)).toEqual([id]);
    expect((await as(admin, 'DELETE', `/api-keys/${id}`)).status).toBe(204);
  });

  test('is not an auditor’s to make', async () => {
    const auditor = await plantStaff(api.database.owner, { roles: ['auditor'] });
    expectProblem(await as(auditor, 'POST', '/api-keys', wanted()), 403, 'forbidden');
  });
});

describe('the use of a key', () => {
  test('is counted by day and route, however many processes count at once', async () => {
    const { id } = await made(admin);
    const { id: other } = await made(admin);
    const use = (keyId: string, route: string, at: string) => ({ keyId, route, requests: 3, at });
    const [today, yesterday] = [inDays(0), inDays(-1)];
    const batch = [
      use(id, 'GET /a', today),
      use(other, 'GET /a', yesterday),
      use(id, 'GET /a', yesterday),
      use(id, 'GET /b', today),
      use(id, 'GET /a', today),
    ];
    await Promise.all([batch, batch.toReversed(), batch].map((each) => noteUse(api.deps.db, each)));
    await noteUse(api.deps.db, []);
    const usage = await as(admin, 'GET', `/api-keys/${id}/usage?days=2`);
    expect(usage.body.days).toEqual([
      { day: today.slice(0, 10), route: 'GET /a', requests: 18 },
      { day: today.slice(0, 10), route: 'GET /b', requests: 9 },
      { day: yesterday.slice(0, 10), route: 'GET /a', requests: 9 },
    ]);
    const { rows } = await sql`select last_used_at from people.api_key
      where id = any(${[id, other]}) order by last_used_at`.execute(api.database.owner);
    expect(rows).toEqual([{ last_used_at: yesterday }, { last_used_at: today }]);
  });
});
