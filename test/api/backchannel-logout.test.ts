// Sign-outs at an outside issuer: told by its logout tokens alone, and good within five seconds.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { authenticateFrom, logoutTakerFrom } from '../../api/auth/settings.ts';
import { CLOSED_ADDRESS, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { testDatabase } from '../support/database.ts';
import {
  OUTSIDE_AUDIENCE,
  type OutsideIssuer,
  outsideIssuer,
  plantOutsider,
} from '../support/outside-issuer.ts';
import { signToken, type TokenClaims } from '../support/tokens.ts';

const AT = '/oauth/backchannel-logout';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const CLIENT = 'acme-web';

let api: TestApi;
let outside: OutsideIssuer;

beforeAll(async () => {
  outside = await outsideIssuer();
  const database = await testDatabase();
  const env = { ...outside.env, OIDC_LOGOUT_AUDIENCE: `acme-desk, ${CLIENT}` };
  const authenticate = authenticateFrom(env, database.db, 'http://localhost:8080');
  const takeLogout = logoutTakerFrom(env, database.db);
  api = await testApi({ database, deps: { authenticate, takeLogout } });
  for (const subject of ['ada@acme', 'bo@acme', 'cy@acme', 'di@acme']) {
    await plantOutsider(database.owner, outside.issuer, subject);
  }
});

const seconds = () => Math.floor(Date.now() / 1_000);

/** As the issuer makes them; claims given go over its own, and undefined ones are left out. */
function logoutToken(over: TokenClaims, header: { readonly typ?: string } = {}) {
  const now = seconds();
  const own = { iss: outside.issuer, aud: CLIENT, iat: now, exp: now + 120, jti: randomUUID() };
  const none = { client_id: undefined, scope: undefined };
  const claims = { ...own, ...none, events: { [EVENT]: {} }, ...over };
  return signToken(claims, { typ: 'logout+jwt', ...header });
}

async function tell(token: string, at = api.url) {
  const body = new URLSearchParams({ logout_token: token });
  const answer = await fetch(`${at}${AT}`, { method: 'POST', body });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

async function rentals(claims: TokenClaims): Promise<number> {
  const token = await outside.token(claims);
  return (await api.call('GET', '/api/v1/rentals', { token })).status;
}

/** Asked with one and the same token, as its holder would. */
async function untilRefused(claims: TokenClaims): Promise<void> {
  const token = await outside.token(claims);
  const slug = async () => (await api.call('GET', '/api/v1/rentals', { token })).body.type;
  await expect.poll(slug, { timeout: 5_000, interval: 100 }).toBe('/problems/token-revoked');
}

test('a session that is signed out is over within 5 s, and the other one goes on', async () => {
  const [one, other] = [
    { sub: 'ada@acme', sid: 'desk' },
    { sub: 'ada@acme', sid: 'home' },
  ];
  expect(await rentals(one)).toBe(200);
  const told = await tell(await logoutToken(one));
  expect([told.status, told.text, told.headers.get('cache-control')]).toEqual([
    200,
    '',
    'no-store',
  ]);
  await untilRefused(one);
  expect(await rentals(other)).toBe(200);
});

test('by the session alone it is over too, also for a token that is made later', async () => {
  expect((await tell(await logoutToken({ sid: 'shared' }))).status).toBe(200);
  await untilRefused({ sub: 'bo@acme', sid: 'shared', iat: seconds() + 30 });
});

test('a person who is signed out everywhere comes in again by a newer sign-in', async () => {
  const now = seconds();
  expect((await tell(await logoutToken({ sub: 'cy@acme', iat: now }))).status).toBe(200);
  await untilRefused({ sub: 'cy@acme', iat: now });
  expect(await rentals({ sub: 'cy@acme', sid: 'before', iat: now - 60 })).toBe(401);
  expect(await rentals({ sub: 'cy@acme', iat: now + 1 })).toBe(200);
});

test('tokens that name no session end with any session of their person', async () => {
  expect((await tell(await logoutToken({ sub: 'di@acme', sid: 'x' }))).status).toBe(200);
  await untilRefused({ sub: 'di@acme' });
});

describe('a logout token is refused', () => {
  const VICTIM = { sub: 'bo@acme', sid: 'stays' };
  test.each<readonly [string, TokenClaims]>([
    ['of another issuer', { iss: 'https://other.example' }],
    ['for another client', { aud: 'another-app' }],
    ['for the API itself, where clients are named', { aud: OUTSIDE_AUDIENCE }],
    ['with a nonce, as ID tokens have', { nonce: 'n' }],
    ['with an empty nonce', { nonce: '' }],
    ['without events', { events: undefined }],
    ['with no event', { events: null }],
    ['about another event', { events: { 'http://schemas.example/other': {} } }],
    ['whose event is no object', { events: { [EVENT]: 'yes' } }],
    ['about nobody', { sub: undefined, sid: undefined }],
    ['about a nameless session', { sid: '' }],
    ['about a session that is no text', { sid: 7 }],
    ['with an endless name', { sid: 'x'.repeat(256) }],
    ['without an id', { jti: undefined }],
    ['with an id that is no text', { jti: 7 }],
    ['without its time', { iat: undefined }],
    ['without an end', { exp: undefined }],
    ['that has expired', { exp: seconds() - 120 }],
    ['that is hours old', { iat: seconds() - 3_720, exp: seconds() + 60 }],
  ])('%s', async (_what, over) => {
    await expectRefused(await logoutToken({ ...VICTIM, ...over }));
  });

  test('typed as an access token', async () => {
    await expectRefused(await logoutToken(VICTIM, { typ: 'at+jwt' }));
  });

  test('under a signature that is not the issuer’s', async () => {
    const token = await logoutToken(VICTIM);
    const [head, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...VICTIM, iss: outside.issuer, aud: CLIENT }));
    await expectRefused(`${head}.${forged.toString('base64url')}.${signature}`);
    const unsigned = Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url');
    await expectRefused(`${unsigned}.${token.split('.')[1]}.`);
    await expectRefused('not a token');
  });

  test('when it was taken before, also when it comes twice at once', async () => {
    const once = await logoutToken({ sid: 'replayed' });
    const told = await Promise.all([tell(once), tell(once)]);
    expect(told.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    expect((await tell(once)).status).toBe(400);
  });

  async function expectRefused(token: string): Promise<void> {
    const before = await known();
    const told = await tell(token);
    expect([told.status, JSON.parse(told.text).error]).toEqual([400, 'invalid_request']);
    expect(told.headers.get('cache-control')).toBe('no-store');
    expect(await known()).toBe(before);
  }

  async function known(): Promise<number | undefined> {
    const { rows } = await sql<{ n: number }>`select count(*) as n
      from people.outside_logout`.execute(api.database.owner);
    return rows[0]?.n;
  }
});

test('only a form with one token is read', async () => {
  const token = await logoutToken({ sid: 'unread' });
  const post = (body: string | URLSearchParams, type?: string) =>
    fetch(`${api.url}${AT}`, {
      method: 'POST',
      body,
      ...(type && { headers: { 'content-type': type } }),
    });
  const twice = new URLSearchParams([
    ['logout_token', token],
    ['logout_token', token],
  ]);
  const long = new URLSearchParams({ logout_token: 'x'.repeat(65_536) });
  for (const answer of [
    await post(JSON.stringify({ logout_token: token }), 'application/json'),
    await post(`logout_token=${token}`, 'text/plain'),
    await post(twice),
    await post(long),
    await post(new URLSearchParams()),
  ]) {
    const said = (await answer.json()) as { readonly error: string };
    expect([answer.status, said.error]).toEqual([400, 'invalid_request']);
  }
  expectProblem(await api.call('GET', AT), 405, 'method-not-allowed');
});

test('a logout token opens nothing, though it is typed and addressed as access tokens are', async () => {
  const claims = { sub: 'bo@acme', aud: OUTSIDE_AUDIENCE, events: { [EVENT]: {} } };
  const answer = await api.call('GET', '/api/v1/rentals', { token: await outside.token(claims) });
  expectProblem(answer, 401, 'invalid-token');
});

test('it is in the audit log, by the id of the person', async () => {
  const { rows } = await sql<{ subject: string; staff: string | null }>`
    select subject_id as subject, after ->> 'staffId' as staff from people.audit_entry
    where action = 'session.end-outside' order by subject_id`.execute(api.database.owner);
  const desk = rows.find(({ subject }) => subject === 'desk');
  expect(desk?.staff).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.stringify(rows)).not.toContain('@acme');
});

test('while the issuer’s keys cannot be had, nothing is said about the token', async () => {
  const env = { OIDC_ISSUER: `http://${CLOSED_ADDRESS}`, OIDC_AUDIENCE: CLIENT };
  const { database } = api;
  const lost = await testApi({ database, deps: { takeLogout: logoutTakerFrom(env, database.db) } });
  const told = await tell(await logoutToken({ sid: 'later' }), lost.url);
  expect([told.status, told.headers.get('retry-after')]).toEqual([503, '1']);
});

test('where the built-in server signs people in, there is no such address', async () => {
  expect(logoutTakerFrom({}, api.database.db)).toBeUndefined();
  const own = await testApi({ database: api.database });
  expectProblem(await own.call('POST', AT), 404, 'not-found');
});
