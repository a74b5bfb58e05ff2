// With an outside issuer: it says who somebody is and which roles he has; people.staff says whether.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { authenticateFrom } from '../../api/auth/settings.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { testDatabase } from '../support/database.ts';
import {
  OUTSIDE_AUDIENCE,
  type OutsideIssuer,
  outsideIssuer,
  plantOutsider,
} from '../support/outside-issuer.ts';
import { signToken } from '../support/tokens.ts';

let api: TestApi;
let outside: OutsideIssuer;
let staffId: string;

beforeAll(async () => {
  outside = await outsideIssuer();
  const database = await testDatabase();
  const authenticate = authenticateFrom(outside.env, database.db, 'http://localhost:8080');
  api = await testApi({ database, deps: { authenticate } });
  staffId = await plantOutsider(database.owner, outside.issuer, 'ada@acme');
});

async function get(path: string, over = {}): Promise<ApiAnswer> {
  return api.call('GET', `/api/v1${path}`, { token: await outside.token(over) });
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
  const typed = await signToken({ iss: outside.issuer, aud: OUTSIDE_AUDIENCE, sub: 'ada@acme' });
  const answer = await api.call('GET', '/api/v1/rentals', { token: typed });
  expectProblem(answer, 401, 'invalid-token');
});

test('it may sign with RSA, and a token that is older than a day is not taken', async () => {
  const claims = { iss: outside.issuer, aud: OUTSIDE_AUDIENCE, sub: 'ada@acme' };
  const scoped = { ...claims, realm_access: { roles: ['counter-agent'] } };
  const token = await signToken(scoped, { typ: 'JWT', alg: 'RS256' }, outside.rsa);
  expect((await api.call('GET', '/api/v1/rentals', { token })).status).toBe(200);
  const yesterday = Math.floor(Date.now() / 1_000) - 86_400 - 120;
  expectProblem(await get('/rentals', { iat: yesterday }), 401, 'token-expired');
});

test('its scopes are needed too', async () => {
  expectProblem(await get('/rentals', { scope: 'openid' }), 403, 'insufficient-scope');
  expect((await get('/rentals', { scope: undefined, scp: ['rentals:read'] })).status).toBe(200);
});

test('its keys are found once, not at every request', async () => {
  await get('/rentals');
  expect(outside.asked).toEqual(['/.well-known/openid-configuration', '/jwks']);
});

test('who is suspended here stays out, whatever the issuer says', async () => {
  await sql`update people.staff set status = 'suspended' where id = ${staffId}`.execute(
    api.database.owner,
  );
  await expect
    .poll(async () => (await get('/rentals')).body.type, { timeout: 5_000 })
    .toBe('/problems/token-revoked');
});

test('an issuer whose keys come in the clear is not taken', () => {
  const env = { OIDC_ISSUER: 'http://issuer.example', OIDC_AUDIENCE: OUTSIDE_AUDIENCE };
  expect(() => authenticateFrom(env, api.database.db, 'http://localhost')).toThrow(/https/);
});

test('without an audience an outside issuer is not taken', () => {
  const env = { OIDC_ISSUER: outside.issuer };
  expect(() => authenticateFrom(env, api.database.db, 'http://localhost')).toThrow(/OIDC_AUDIENCE/);
});
