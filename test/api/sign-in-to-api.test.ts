// One process serves both: tokens of the built-in authorization server open the API, while they may.
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import { beforeAll, expect, test } from 'vitest';
import { authorizationFrom } from '../../api/auth/server/settings.ts';
import { authenticateFrom } from '../../api/auth/settings.ts';
import { demoToken } from '../../workers/demo-token.ts';
import { expectProblem, type TestApi, testApi, unreachableDb } from '../support/api.ts';
import { claimsOf } from '../support/oauth-client.ts';
import { freePort, type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { type Hired, hire, PASSWORD } from '../support/staff.ts';

let server: SignInServer;
let api: TestApi;
let pat: Hired;
beforeAll(async () => {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  server = await signInServer({ issuer });
  const { database, authorization } = server;
  const authenticate = authenticateFrom({}, database.db, issuer);
  api = await testApi({ database, port, authorization, deps: { authenticate } });
  pat = await hire(database.db, { roles: ['fleet-planner'] });
});

const branches = (token: string) => api.call('GET', '/api/v1/branches', { token });
const tokenFor = (user: Hired) =>
  demoToken(api.url, { userName: user.user_name, password: PASSWORD });

/** Until the API refuses; in milliseconds. */
async function timeUntilRevoked(token: string): Promise<number> {
  const began = performance.now();
  for (;;) {
    const answer = await branches(token);
    if (answer.status !== 200) {
      expectProblem(answer, 401, 'token-revoked');
      return performance.now() - began;
    }
    await delay(100);
  }
}

test('a token that a person got by code and PKCE opens the API', async () => {
  expect((await branches(await tokenFor(pat))).status).toBe(200);
});

test('with a second step too', async () => {
  const boss = await hire(server.database.db, { roles: ['branch-manager'] });
  const { secret } = await server.signIn.beginEnrolment(boss.id);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  await server.signIn.confirmEnrolment({ staffId: boss.id, code: totp.generate() });
  const user = { userName: boss.user_name, password: PASSWORD, totpSecret: secret };
  // The code of this moment was used to set it up, so this takes the next one.
  expect((await branches(await demoToken(api.url, user))).status).toBe(200);
});

test('a wrong password is told as the page tells it', async () => {
  const user = { userName: pat.user_name, password: 'not that one, no' };
  await expect(demoToken(api.url, user)).rejects.toThrow('User name and password do not match');
});

test.each([
  [
    'signing out',
    (sid: string) => server.signIn.endSession({ sessionId: sid, reason: 'signed-out' }),
  ],
  ['suspending the person', () => setStaff(sql`status = 'suspended'`)],
  ['a change of roles', () => setStaff(sql`version = version + 1`)],
])('%s ends the token within 5 s', async (_what, change) => {
  await setStaff(sql`status = 'active'`);
  const token = await tokenFor(pat);
  expect((await branches(token)).status).toBe(200);
  await change(String(claimsOf(token)['sid']));
  expect(await timeUntilRevoked(token)).toBeLessThan(5_000);
  await setStaff(sql`status = 'active'`);
});

test.each([
  ['/.well-known/openid-configuration', 'issuer'],
  ['/oauth/jwks', 'keys'],
  ['/health/live', 'status'],
  ['/openapi.json', 'openapi'],
])('%s is answered by whom it belongs to', async (path, member) => {
  const { body } = await api.call('GET', path, { token: false });
  expect(body).toHaveProperty(member);
});

test('without its database it answers 503, starts all the same, and recovers', async () => {
  const db = unreachableDb();
  const { signIn, envelope } = server;
  const env = { AUTH_COOKIE_KEYS: 'x'.repeat(40) };
  const authorization = authorizationFrom(env, {
    ...api.deps,
    db,
    signIn,
    envelope,
    publicUrl: 'http://127.0.0.1:1',
  });
  const down = await testApi({ database: server.database, authorization });
  const { status, headers } = await down.call('GET', '/oauth/jwks', { token: false });
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect((await down.call('GET', '/health/live', { token: false })).status).toBe(200);
  await db.destroy();
});

test('an outside issuer leaves no authorization server of ours', () => {
  const given = { ...api.deps, signIn: server.signIn, publicUrl: api.url };
  expect(authorizationFrom({ OIDC_ISSUER: 'https://id.example' }, given)).toBeUndefined();
  expect(() => authorizationFrom({}, given)).toThrow('AUTH_COOKIE_KEYS');
});

async function setStaff(change: ReturnType<typeof sql>): Promise<void> {
  await sql`update people.staff set ${change} where id = ${pat.id}`.execute(server.database.owner);
}
