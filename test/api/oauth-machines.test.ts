// Machines: partners with client credentials, and terminals with device codes.
import { sql } from 'kysely';
import * as oauth from 'oauth4webapi';
import { beforeAll, expect, test } from 'vitest';
import { formBrowser } from '../../workers/form-browser.ts';
import {
  claimsOf,
  INSECURE,
  type OAuthClient,
  postForm,
  signInAs,
  signInSetting,
} from '../support/oauth-client.ts';
import { plantPartner } from '../support/people.ts';
import type { SignInServer } from '../support/sign-in-server.ts';
import type { Hired } from '../support/staff.ts';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const COUNTER = 'forecourt-counter';

let server: SignInServer;
let counter: OAuthClient;
let pat: Hired;
beforeAll(async () => {
  ({ server, client: counter, pat } = await signInSetting({ clientId: COUNTER }));
});

/** A client whose secret is its id, as `plantPartner` makes them. */
async function partner() {
  const scopes = ['rentals:read', 'rentals:write'] as const;
  return (await plantPartner(server.database.owner, { scopes })).clientId;
}

test('a partner gets a token for itself by an independent client, no refresh token', async () => {
  const id = await partner();
  const client = { client_id: id };
  const answer = await oauth.clientCredentialsGrantRequest(
    counter.as,
    client,
    oauth.ClientSecretBasic(id),
    new URLSearchParams({ scope: 'rentals:read' }),
    INSECURE,
  );
  const tokens = await oauth.processClientCredentialsResponse(counter.as, client, answer);
  expect(tokens.refresh_token).toBeUndefined();
  expect(claimsOf(tokens.access_token)).toMatchObject({
    sub: id,
    client_id: id,
    kind: 'partner',
    uv: 1,
    aud: 'urn:forecourt:api',
    scope: 'rentals:read',
  });
});

test('a partner gets no scope beyond its own', async () => {
  const id = await partner();
  const asked = { scope: 'rentals:read accounting:write' };
  const { body } = await credentials(id, id, asked);
  expect(body.scope).toBe('rentals:read');
});

test.each([
  ['wrong', 'x'],
  ['the digest that the database keeps', undefined],
])('a secret that is %s is invalid_client', async (_name, secret) => {
  const id = await partner();
  const { rows } = await sql<{ hash: Buffer }>`select secret_hash as hash
    from people.api_client where id = ${id}`.execute(server.database.owner);
  const kept = rows[0]?.hash.toString('base64url') ?? '';
  const { status, body, headers } = await credentials(id, secret ?? kept);
  expect([status, body.error]).toEqual([401, 'invalid_client']);
  expect(headers.get('www-authenticate')).toContain('Basic');
});

test.each([
  ['client', 'update people.api_client set status = $$revoked$$'],
  ['partner', 'update people.partner set status = $$suspended$$'],
])('a token is refused as soon as the %s is not active', async (_what, statement) => {
  const id = await partner();
  expect((await credentials(id, id)).status).toBe(200);
  await sql.raw(statement).execute(server.database.owner);
  expect((await credentials(id, id)).body.error).toBe('invalid_client');
});

test('a partner cannot sign people in, and an unknown client nothing', async () => {
  const id = await partner();
  const url = new URL(String(counter.as.authorization_endpoint));
  for (const client of [id, 'nobody']) {
    url.search = new URLSearchParams({
      client_id: client,
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1/callback',
    }).toString();
    const answer = await fetch(url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  }
});

test('a terminal is signed in by a code that the person confirms elsewhere', async () => {
  const device = await deviceCode();
  expect(await poll(device.device_code)).toEqual([400, 'authorization_pending']);
  const browser = formBrowser(server.issuer);
  const entry = await browser.open(device.verification_uri);
  const wrong = await browser.submit(entry, '/oauth/device', { user_code: 'BBBB-BBBB' });
  expect(wrong.text).toContain('role="alert"');
  const shown = await browser.submit(wrong, '/oauth/device', { user_code: device.user_code });
  expect(shown.text).toContain(device.user_code);
  expect(shown.text).toContain('Forecourt counter terminal');
  const password = await browser.submit(shown, '/oauth/device', { confirm: 'yes' });
  const done = await signInAs(browser, password, pat.user_name);
  expect(done.text).toContain('The device is signed in');
  const client = { client_id: COUNTER };
  const answer = await oauth.deviceCodeGrantRequest(
    counter.as,
    client,
    oauth.None(),
    device.device_code,
    INSECURE,
  );
  const tokens = await oauth.processDeviceCodeResponse(counter.as, client, answer);
  expect(claimsOf(tokens.access_token)).toMatchObject({ sub: pat.id, client_id: COUNTER });
  expect(claimsOf((await counter.refresh(String(tokens.refresh_token))).access_token)['sub']).toBe(
    pat.id,
  );
  expect(await poll(device.device_code)).toEqual([400, 'invalid_grant']);
});

test('a terminal that the person does not recognise gets access_denied', async () => {
  const device = await deviceCode();
  const browser = formBrowser(server.issuer);
  const entry = await browser.open(device.verification_uri);
  const shown = await browser.submit(entry, '/oauth/device', { user_code: device.user_code });
  const stopped = await browser.submit(shown, '/oauth/device', { abort: 'yes' });
  expect(stopped.text).toContain('was not signed in');
  expect(await poll(device.device_code)).toEqual([400, 'access_denied']);
});

test('the form that confirms a terminal is taken from its own page only', async () => {
  const device = await deviceCode();
  const forged = { user_code: device.user_code, confirm: 'yes', xsrf: 'x' };
  const browser = formBrowser(server.issuer);
  for (const _withoutAndWithSession of [1, 2]) {
    expect((await browser.post(device.verification_uri, forged)).status).toBe(400);
    await browser.open(device.verification_uri);
  }
  expect(await poll(device.device_code)).toEqual([400, 'authorization_pending']);
});

async function deviceCode() {
  const client = { client_id: COUNTER };
  const params = { scope: 'openid rentals:read' };
  const answer = await oauth.deviceAuthorizationRequest(
    counter.as,
    client,
    oauth.None(),
    params,
    INSECURE,
  );
  return oauth.processDeviceAuthorizationResponse(counter.as, client, answer);
}

async function poll(code: string) {
  const { status, body } = await postForm(counter.as.token_endpoint, {
    client_id: COUNTER,
    grant_type: DEVICE_CODE,
    device_code: code,
  });
  return [status, body.error] as const;
}

function credentials(id: string, secret: string, more = {}) {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const fields = { grant_type: 'client_credentials', scope: 'rentals:read', ...more };
  return postForm(counter.as.token_endpoint, fields, { authorization });
}
