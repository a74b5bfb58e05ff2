// Refresh tokens: renewed on use, good once, over after 30 days, and dead when their sign-in is.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { formBrowser } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  claimsOf,
  type OAuthClient,
  postForm,
  signInSetting,
  type Tokens,
} from '../support/oauth-client.ts';
import { type SignInServer, WEB } from '../support/sign-in-server.ts';
import type { Hired } from '../support/staff.ts';

let server: SignInServer;
let web: OAuthClient;
let pat: Hired;
beforeAll(async () => {
  ({ server, client: web, pat } = await signInSetting());
});

test('an independent client refreshes: same session, same audience, a new refresh token', async () => {
  const first = await web.signIn(pat.user_name);
  const second = await web.refresh(String(first.refresh_token));
  expect(second.refresh_token).not.toBe(first.refresh_token);
  const { sid, aud, scope } = claimsOf(first.access_token);
  expect(claimsOf(second.access_token)).toMatchObject({ sid, aud, scope });
});

test('a refresh token used twice is invalid_grant, and the whole family is dead', async () => {
  const first = await web.signIn(pat.user_name);
  const second = await web.refresh(String(first.refresh_token));
  expect(await refreshed(first.refresh_token)).toEqual([400, 'invalid_grant']);
  expect(await refreshed(second.refresh_token)).toEqual([400, 'invalid_grant']);
  expect(await endOf(second)).toBe('token-reused');
});

test('another family of the same person lives on', async () => {
  const [lost, kept] = [await web.signIn(pat.user_name), await web.signIn(pat.user_name)];
  await web.refresh(String(lost.refresh_token));
  await refreshed(lost.refresh_token);
  expect((await refreshed(kept.refresh_token))[0]).toBe(200);
});

test('of ten parallel refreshes of one token at most one wins, over and over', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { refresh_token: token } = await web.signIn(pat.user_name);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refreshed(token)));
    expect(answers.filter(([status]) => status === 200).length).toBeLessThanOrEqual(1);
    expect(answers.filter(([, error]) => error === 'invalid_grant').length).toBeGreaterThan(8);
  }
});

test('rotation does not move the end: 30 days after the sign-in', async () => {
  const first = await web.signIn(pat.user_name);
  const before = await newestExpiry();
  await sql`update people.oidc_artifact set payload = payload || jsonb_build_object(
      'exp', (payload->>'exp')::int - 86400, 'iat', (payload->>'iat')::int - 86400)
    where kind = 'RefreshToken' and (payload->>'exp')::int = ${before}`.execute(
    server.database.owner,
  );
  await web.refresh(String(first.refresh_token));
  expect(before - Math.floor(Date.now() / 1_000)).toBeGreaterThan(29.9 * 86_400);
  const { rows } = await sql<{ exp: number }>`select (payload->>'exp')::int as exp
    from people.oidc_artifact where kind = 'RefreshToken' and payload->>'rotations' = '1'
    order by expires_at limit 1`.execute(server.database.owner);
  expect(Math.abs(Number(rows[0]?.exp) - (before - 86_400))).toBeLessThanOrEqual(2);
});

test.each([
  [
    'ended',
    (tokens: Tokens) => server.signIn.endSession({ sessionId: sidOf(tokens), reason: 'revoked' }),
  ],
  ['of somebody suspended', () => setStatus('suspended')],
])('a refresh token of a session that is %s is invalid_grant at once', async (_name, end) => {
  await setStatus('active');
  const tokens = await web.signIn(pat.user_name);
  await end(tokens);
  expect(await refreshed(tokens.refresh_token)).toEqual([400, 'invalid_grant']);
  await setStatus('active');
});

test('a changed role is in the next token as a new version of the person', async () => {
  const tokens = await web.signIn(pat.user_name);
  await sql`update people.staff set version = version + 1 where id = ${pat.id}`.execute(
    server.database.owner,
  );
  const next = await web.refresh(String(tokens.refresh_token));
  expect(claimsOf(next.access_token)['uv']).toBe(Number(claimsOf(tokens.access_token)['uv']) + 1);
});

test('an independent client revokes: the family is dead and the session ended', async () => {
  const tokens = await web.signIn(pat.user_name);
  await web.revoke(String(tokens.refresh_token));
  expect(await refreshed(tokens.refresh_token)).toEqual([400, 'invalid_grant']);
  expect(await endOf(tokens)).toBe('revoked');
});

test('introspection tells a client about its own refresh token', async () => {
  const tokens = await web.signIn(pat.user_name);
  const ask = { client_id: 'forecourt-web', token: tokens.refresh_token };
  expect((await postForm(web.as.introspection_endpoint, ask)).body.active).toBe(true);
  const other = { ...ask, client_id: 'forecourt-cli' };
  expect((await postForm(web.as.introspection_endpoint, other)).body.active).toBe(false);
  await web.revoke(String(tokens.refresh_token));
  expect((await postForm(web.as.introspection_endpoint, ask)).body.active).toBe(false);
});

test('an application signs the person out: asked once, then session and tokens are over', async () => {
  const browser = formBrowser(server.issuer);
  const tokens = await web.signIn(pat.user_name, browser);
  const url = new URL(String(web.as.end_session_endpoint));
  url.search = new URLSearchParams({
    id_token_hint: String(tokens.id_token),
    post_logout_redirect_uri: `${WEB}/bye`,
    state: 'there',
  }).toString();
  const asked = await browser.open(url.href);
  expect(asked.text).toContain('Sign out?');
  expect(asked.headers.get('content-security-policy')).toContain(`form-action 'self' ${WEB}`);
  expect(await endOf(tokens)).toBeNull();
  const gone = await browser.submit(asked, '/oauth/logout/confirm', { logout: 'yes' });
  expect(gone.url.href).toBe(`${WEB}/bye?state=there`);
  expect(await endOf(tokens)).toBe('signed-out');
  expect(await refreshed(tokens.refresh_token)).toEqual([400, 'invalid_grant']);
  const silent = await browser.open(authorizationUrl(web.as, { prompt: 'none', state: 's' }));
  expect(silent.url.searchParams.get('error')).toBe('login_required');
});

test('signing out leads back to registered addresses only', async () => {
  const browser = formBrowser(server.issuer);
  const tokens = await web.signIn(pat.user_name, browser);
  const url = new URL(String(web.as.end_session_endpoint));
  url.search = new URLSearchParams({
    id_token_hint: String(tokens.id_token),
    post_logout_redirect_uri: 'http://evil.example/',
  }).toString();
  expect((await browser.open(url.href)).status).toBe(400);
});

test('what is over is forgotten, what is not stays', async () => {
  const tokens = await web.signIn(pat.user_name);
  await sql`insert into people.oidc_artifact (kind, id, payload, expires_at)
    values ('Interaction', 'old', '{}', now() - interval '1 s')`.execute(server.database.owner);
  expect((await server.authorization.upkeep()).forgotten).toBeGreaterThanOrEqual(1);
  const { rows } = await sql`select from people.oidc_artifact where expires_at < now()`.execute(
    server.database.owner,
  );
  expect(rows).toEqual([]);
  expect((await refreshed(tokens.refresh_token))[0]).toBe(200);
});

async function refreshed(token: string | undefined) {
  const { status, body } = await postForm(web.as.token_endpoint, {
    client_id: 'forecourt-web',
    grant_type: 'refresh_token',
    refresh_token: token,
  });
  return [status, body.error] as const;
}

function sidOf(tokens: Tokens): string {
  return String(claimsOf(tokens.access_token)['sid']);
}

async function endOf(tokens: Tokens): Promise<string | null | undefined> {
  const { rows } = await sql<{ reason: string | null }>`select end_reason as reason
    from people.session where id = ${sidOf(tokens)}::uuid`.execute(server.database.owner);
  return rows[0]?.reason;
}

async function newestExpiry(): Promise<number> {
  const { rows } = await sql<{ exp: number }>`select max((payload->>'exp')::int) as exp
    from people.oidc_artifact where kind = 'RefreshToken'`.execute(server.database.owner);
  return Number(rows[0]?.exp);
}

async function setStatus(status: string): Promise<void> {
  await sql`update people.staff set status = ${status} where id = ${pat.id}`.execute(
    server.database.owner,
  );
}
