// Partners and their API clients: secrets shown once, suspended and let in again, keys by request.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiKeyByToken } from '../../../db/commands/api-keys.ts';
import { expectProblem, type TestApi, testApi } from '../../support/api.ts';
import { dump } from '../../support/dump.ts';
import { type Person, plantPartner, plantStaff, tokenOf } from '../../support/people.ts';

let api: TestApi;
let admin: Person;
beforeAll(async () => {
  api = await testApi();
  admin = await plantStaff(api.database.owner, { roles: ['administrator'] });
});

async function as(person: Person, method: string, path: string, body?: object) {
  return api.call(method, `/api/v1${path}`, { body, token: await tokenOf(person) });
}

function keyFor(partnerId: string) {
  const expiresAt = new Date(Date.now() + 90 * 24 * 3_600_000).toISOString();
  return { name: 'Nightly export', scopes: ['fleet:read'], expiresAt, partnerId };
}

describe('a partner', () => {
  test('is registered with clients whose secrets are shown once', async () => {
    const partner = await as(admin, 'POST', '/partners', { name: 'Acme', branches: ['VIE'] });
    expect(partner.body).toMatchObject({ name: 'Acme', status: 'active', branches: ['VIE'] });
    const path = `/partners/${partner.body.id}/clients`;
    const id = `acme-${randomUUID()}`;
    const body = { id, name: 'Booking engine', scopes: ['rentals:write'] };
    const client = await as(admin, 'POST', path, body);
    expect(client.status).toBe(201);
    const { secret, ...shown } = client.body;
    expect(secret).toMatch(/^fcs_[\w-]{43}$/);
    expectProblem(await as(admin, 'POST', path, body), 409, 'duplicate');
    expect((await as(admin, 'GET', path)).body.items).toEqual([shown]);
    expect(await dump(api.database.owner)).not.toContain(secret.slice(-20));
    expect((await as(admin, 'DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await as(admin, 'DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await as(admin, 'GET', path)).body.items[0]).toMatchObject({
      status: 'revoked',
      version: 2,
    });
    expectProblem(await as(admin, 'DELETE', `${path}/nobodys`), 404, 'not-found');
  });

  test('is suspended and let in again', async () => {
    const { partnerId } = await plantPartner(api.database.owner);
    const path = `/api/v1/partners/${partnerId}`;
    const set = async (status: string, ifMatch?: string) => {
      const token = await tokenOf(admin);
      const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
      return api.call('PATCH', path, { token, body: { status }, headers });
    };
    expectProblem(await set('suspended'), 428, 'precondition-required');
    const suspended = await set('suspended', '"1"');
    expect(suspended.body).toMatchObject({ status: 'suspended', version: 2 });
    expectProblem(await set('active', '"1"'), 412, 'version-conflict');
    const active = await set('active', suspended.headers.get('etag') ?? '');
    expect(active.body).toMatchObject({ status: 'active', version: 3 });
  });

  test('gets keys from administrators only', async () => {
    const { partnerId } = await plantPartner(api.database.owner);
    const made = await as(admin, 'POST', '/api-keys', keyFor(partnerId));
    expect(made.status).toBe(201);
    const { key } = made.body;
    expect(await apiKeyByToken(api.deps.db, key)).toMatchObject({ owner: `partner:${partnerId}` });
    const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
    const asked = await as(agent, 'POST', '/api-keys', keyFor(partnerId));
    expectProblem(asked, 403, 'forbidden');
    const nobody = await as(admin, 'POST', '/api-keys', keyFor(randomUUID()));
    expectProblem(nobody, 422, 'unknown-reference');
  });
});
