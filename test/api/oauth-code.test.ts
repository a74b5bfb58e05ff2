// A person signs in for an application by authorization code with PKCE; and whatever must not work.

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { formBrowser } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  CALLBACK,
  type Code,
  claimsOf,
  type OAuthClient,
  oauthClient,
  postForm,
  signInAs,
  signInSetting,
} from '../support/oauth-client.ts';
import type { SignInServer } from '../support/sign-in-server.ts';
import type { Hired } from '../support/staff.ts';

const LOOPBACK = 'http://127.0.0.1:49152/callback';

let server: SignInServer;
let web: OAuthClient;
let pat: Hired;
beforeAll(async () => {
  ({ server, client: web, pat } = await signInSetting());
});

test('an independent client gets an access token that says who signed in, for this API', async () => {
  const tokens = await web.signIn(pat.user_name);
  const keys = createRemoteJWKSet(new URL(web.as.jwks_uri ?? ''));
  const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, {
    issuer: server.issuer,
    audience: 'urn:forecourt:api',
    typ: 'at+jwt',
    algorithms: ['ES256'],
  });
  expect(protectedHeader.kid).toBeTypeOf('string');
  expect(payload).toMatchObject({
    sub: pat.id,
    client_id: 'forecourt-web',
    kind: 'staff',
    uv: pat.version,
    scope: 'rentals:read rentals:write fleet:read',
  });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(900);
  const [session] = await server.signIn.sessionsOf(pat.principal);
  expect(payload['sid']).toBe(session?.id);
  expect(session?.device).toBe('Firefox on Linux');
});

test('the metadata offer neither the implicit flow nor passwords, and S256 only', () => {
  expect(web.as.response_types_supported).toEqual(['code', 'none']);
  expect(web.as.code_challenge_methods_supported).toEqual(['S256']);
  expect(web.as.grant_types_supported).not.toContain('password');
  expect(web.as.grant_types_supported).not.toContain('implicit');
  expect(web.as.id_token_signing_alg_values_supported).toEqual(['ES256']);
  expect(web.as.token_endpoint_auth_methods_supported).not.toContain('client_secret_jwt');
});

test('who is signed in already gets the next code without a page, in the same session', async () => {
  const browser = formBrowser(server.issuer);
  const first = await web.signIn(pat.user_name, browser);
  const silent = await browser.open(authorizationUrl(web.as, { prompt: 'none', state: 's' }));
  expect(silent.url.searchParams.get('code')).toBeTypeOf('string');
  const second = await web.signIn(pat.user_name, browser);
  expect(claimsOf(second.access_token)['sid']).toBe(claimsOf(first.access_token)['sid']);
});

test('without a session, prompt=none answers login_required', async () => {
  const page = await formBrowser(server.issuer).open(
    authorizationUrl(web.as, { prompt: 'none', state: 's' }),
  );
  expect(page.url.searchParams.get('error')).toBe('login_required');
});

test('a session that was ended elsewhere asks for the password again', async () => {
  const browser = formBrowser(server.issuer);
  const tokens = await web.signIn(pat.user_name, browser);
  const sessionId = String(claimsOf(tokens.access_token)['sid']);
  await server.signIn.endSession({ sessionId, reason: 'revoked' });
  const page = await browser.open(authorizationUrl(web.as, {}));
  expect(page.text).toContain('name="password"');
  const again = await signInAs(browser, page, pat.user_name);
  expect(again.url.searchParams.get('code')).toBeTypeOf('string');
});

test('a native application is allowed by the person, on any port of the loopback', async () => {
  const cli = await oauthClient(server, { clientId: 'forecourt-cli', redirectUri: LOOPBACK });
  const browser = formBrowser(server.issuer);
  const asked = await signInAs(
    browser,
    await browser.open(
      authorizationUrl(cli.as, { client_id: 'forecourt-cli', redirect_uri: LOOPBACK }),
    ),
    pat.user_name,
  );
  expect(asked.text).toContain('Forecourt command line');
  const refused = await browser.submit(asked, '/cancel');
  expect(refused.url.searchParams.get('error')).toBe('access_denied');
  const tokens = await cli.signIn(pat.user_name, browser);
  expect(claimsOf(tokens.access_token)).toMatchObject({ client_id: 'forecourt-cli', sub: pat.id });
});

test('a code works once: again it is invalid_grant, and what came of it is dead', async () => {
  const code = await web.code(pat.user_name);
  const tokens = await web.redeem(code);
  expect(await token(redemption(code))).toEqual([400, 'invalid_grant']);
  expect(await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).toEqual(
    [400, 'invalid_grant'],
  );
  const { rows } = await sql<{ reason: string }>`select end_reason as reason from people.session
    where id = ${claimsOf(tokens.access_token)['sid']}::uuid`.execute(server.database.owner);
  expect(rows).toEqual([{ reason: 'token-reused' }]);
});

test('of ten parallel redemptions of one code at most one wins', async () => {
  const code = await web.code(pat.user_name);
  const answers = await Promise.all(Array.from({ length: 10 }, () => token(redemption(code))));
  expect(answers.filter(([status]) => status === 200).length).toBeLessThanOrEqual(1);
  expect(answers.every(([status, error]) => status === 200 || error === 'invalid_grant')).toBe(
    true,
  );
});

test.each([
  ['wrong', 'x'.repeat(43)],
  ['missing', undefined],
])('with a %s code_verifier a code is invalid_grant', async (_name, verifier) => {
  const code = await web.code(pat.user_name);
  const fields = { ...redemption(code), code_verifier: verifier };
  expect((await token(fields))[0]).toBe(400);
  expect((await token(fields))[1]).toBe('invalid_grant');
});

test('a code older than 60 s is invalid_grant', async () => {
  const code = await web.code(pat.user_name);
  await sql`update people.oidc_artifact
    set payload = jsonb_set(payload, '{exp}', to_jsonb((payload->>'exp')::int - 61))
    where kind = 'AuthorizationCode' and consumed_at is null`.execute(server.database.owner);
  expect(await token(redemption(code))).toEqual([400, 'invalid_grant']);
});

test.each([
  ['plain', { code_challenge_method: 'plain' }],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
])('%s is invalid_request', async (_name, over) => {
  const page = await formBrowser(server.issuer).open(authorizationUrl(web.as, over));
  expect(page.url.origin + page.url.pathname).toBe(CALLBACK);
  expect(page.url.searchParams.get('error')).toBe('invalid_request');
});

test.each([
  ['a longer path', `${CALLBACK}/x`],
  ['another port', 'http://localhost:5174/callback'],
  ['another host', 'http://evil.example/callback'],
  ['a fragment', `${CALLBACK}#x`],
  ['a query', `${CALLBACK}?x=1`],
])('redirect_uri with %s: a page of ours with status 400, no redirect', async (_name, uri) => {
  const url = authorizationUrl(web.as, { redirect_uri: uri });
  const answer = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  expect(await answer.text()).toContain('role="alert"');
});

test('the password grant and the implicit flow do not exist', async () => {
  const password = { grant_type: 'password', username: pat.user_name, password: 'x' };
  expect(await token(password)).toEqual([400, 'unsupported_grant_type']);
  const page = await formBrowser(server.issuer).open(
    authorizationUrl(web.as, { response_type: 'token' }),
  );
  const params = new URLSearchParams(page.url.hash.slice(1) || page.url.search);
  expect(params.get('error')).toBe('unsupported_response_type');
});

test('the code and the refresh token of one client are invalid_grant for another', async () => {
  const code = await web.code(pat.user_name);
  const stolen = { ...redemption(code), client_id: 'forecourt-cli' };
  expect(await token(stolen)).toEqual([400, 'invalid_grant']);
  const tokens = await web.redeem(code);
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
  expect(await token({ ...refresh, client_id: 'forecourt-cli' })).toEqual([400, 'invalid_grant']);
  expect((await token(refresh))[0]).toBe(200);
});

test('secrets that name a row are in the database as digests only', async () => {
  const code = await web.code(pat.user_name);
  const { refresh_token: refresh } = await web.redeem(code);
  const { rows } = await sql<{ text: string }>`select a::text as text
    from people.oidc_artifact a`.execute(server.database.owner);
  expect(rows.length).toBeGreaterThan(0);
  for (const secret of [code.params.get('code'), refresh]) {
    expect(rows.filter(({ text }) => text.includes(String(secret)))).toEqual([]);
  }
});

function redemption({ params, verifier }: Code) {
  return {
    grant_type: 'authorization_code',
    code: params.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  };
}

/** Status and error of the token endpoint. */
async function token(fields: Readonly<Record<string, string | undefined>>) {
  const all = { client_id: 'forecourt-web', ...fields };
  const { status, headers, body } = await postForm(web.as.token_endpoint, all);
  expect(headers.get('cache-control')).toContain('no-store');
  return [status, body.error] as const;
}
