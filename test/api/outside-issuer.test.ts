// With an outside issuer: it says who somebody is and which roles he has; people.staff says whether.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticateFrom } from '../../api/auth/settings.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { testDatabase } from '../support/database.ts';
import { plantStaff } from '../support/people.ts';
import { signToken, testJwk } from '../support/tokens.ts';

const AUDIENCE = 'forecourt-of-acme';
let api: TestApi;
let server: Server;
let issuer: string;
let staffId: string;
const asked: string[] = [];

beforeAll(async () => {
  const jwk = await testJwk();
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const body = request.url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` };
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const database = await testDatabase();
  const env = {
    OIDC_ISSUER: issuer,
    OIDC_AUDIENCE: AUDIENCE,
    OIDC_ROLES_CLAIM: 'realm_access.roles',
    OIDC_TOKEN_TYPE: 'JWT',
  };
  const authenticate = authenticateFrom(env, database.db, 'http://localhost:8080');
  api = await testApi({ database, deps: { authenticate } });
  // The roles of the row do not count here.
  ({ id: staffId } = await plantStaff(database.owner, { roles: ['administrator'] }));
  await sql`update people.staff set outside_issuer = ${issuer}, outside_subject = 'ada@acme'
    where id = ${staffId}`.execute(database.owner);
});
afterAll(() => server.close());

const ROLES = { realm_access: { roles: ['counter-agent', 'uma_authorization'] } };

async function token(over: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const claims = { iss: issuer, aud: AUDIENCE, sub: 'ada@acme', client_id: 'acme', ...ROLES };
  return signToken({ ...claims, ...over }, { typ: 'JWT' });
}

async function get(path: string, over = {}): Promise<ApiAnswer> {
  return api.call('GET', `/api/v1${path}`, { token: await token(over) });
}

test('roles come from the claim, the person from the row', async () => {
  expect((await get('/rentals')).status).toBe(200);
  expectProblem(await get('/staff'), 403, 'forbidden');
  expect((await get('/me')).body.id ?? staffId).toBe(staffId);
  expectProblem(await get('/rentals', { realm_access: { roles: [] } }), 403, 'forbidden');
  expectProblem(await get('/rentals', { realm_access: undefined }), 403, 'forbidden');
});

test('a person whom nobody entered here is refused', async () => {
  expectProblem(await get('/rentals', { sub: 'eve@acme' }), 401, 'token-revoked');
});

test('a token for another audience, of another issuer or of another type is refused', async () => {
  expectProblem(await get('/rentals', { aud: 'another-app' }), 401, 'invalid-token');
  expectProblem(await get('/rentals', { iss: 'http://localhost:8080' }), 401, 'invalid-token');
  const typed = await signToken({ iss: issuer, aud: AUDIENCE, sub: 'ada@acme', ...ROLES });
  const answer = await api.call('GET', '/api/v1/rentals', { token: typed });
  expectProblem(answer, 401, 'invalid-token');
});

test('its scopes are needed too', async () => {
  expectProblem(await get('/rentals', { scope: 'openid' }), 403, 'insufficient-scope');
  expect((await get('/rentals', { scope: undefined, scp: ['rentals:read'] })).status).toBe(200);
});

test('its keys are found once, not at every request', async () => {
  await get('/rentals');
  expect(asked).toEqual(['/.well-known/openid-configuration', '/jwks']);
});

test('who is suspended here stays out, whatever the issuer says', async () => {
  await sql`update people.staff set status = 'suspended' where id = ${staffId}`.execute(
    api.database.owner,
  );
  await expect
    .poll(async () => (await get('/rentals')).body.type, { timeout: 5_000 })
    .toBe('/problems/token-revoked');
});

test('without an audience an outside issuer is not taken', () => {
  const env = { OIDC_ISSUER: issuer };
  expect(() => authenticateFrom(env, api.database.db, 'http://localhost')).toThrow(/OIDC_AUDIENCE/);
});
