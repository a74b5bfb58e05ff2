// Ways in by mail, for whoever forgot a password and for customers; and the page of one's sessions.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { type FormBrowser, formBrowser, type Page } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  CALLBACK,
  claimsOf,
  type OAuthClient,
  oauthClient,
  postForm,
  signInAs,
} from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire, PASSWORD } from '../support/staff.ts';

let server: SignInServer;
let web: OAuthClient;
beforeAll(async () => {
  server = await signInServer();
  web = await oauthClient(server);
});

/** Of the challenge that `authorizationUrl` sends: the example of RFC 7636, appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

const begin = (browser: FormBrowser): Promise<Page> => browser.open(authorizationUrl(web.as, {}));
const arrived = (page: Page) => page.url.searchParams.get('code');

test('a forgotten password is replaced by a mailed link, once, and sessions end', async () => {
  const lost = await hire(server.database.db);
  const tokens = await web.signIn(lost.user_name);
  const browser = formBrowser(server.issuer);
  const asked = await browser.submit(
    await browser.open(`${server.issuer}/sign-in/forgotten`),
    '/forgotten',
    { user: lost.user_name },
  );
  const unknown = await browser.submit(
    await browser.open(`${server.issuer}/sign-in/forgotten`),
    '/forgotten',
    { user: 'nobody-here' },
  );
  expect([asked.status, unknown.status, unknown.text]).toEqual([200, 200, asked.text]);
  const link = await linkFor(lost.email);
  const choose = await browser.open(link);
  const weak = await browser.submit(choose, '/reset', { password: 'password1234' });
  expect([weak.status, weak.text.includes('role="alert"')]).toEqual([422, true]);
  const password = 'a new one, quite long';
  const changed = await browser.submit(weak, '/reset', { password });
  expect(changed.text).toContain('Your new password holds');
  expect((await browser.submit(choose, '/reset', { password })).status).toBe(400);
  await expect(web.refresh(String(tokens.refresh_token))).rejects.toThrow();
  const old = await signInAs(browser, await begin(browser), lost.user_name);
  expect(old.status).toBe(401);
  expect(arrived(await signInAs(browser, old, lost.user_name, password))).toBeTypeOf('string');
});

test('a customer signs in by a mailed link, in the browser that asked, for customer scopes', async () => {
  const email = `${uuidv7()}@example.com`;
  const id = uuidv7();
  await createCustomer(server.database.db, 'system:test', { id, name: 'Cus Tomer', email });
  const browser = formBrowser(server.issuer);
  const url = authorizationUrl(web.as, { scope: 'openid rentals:read accounting:read' });
  const first = await browser.open(url);
  const form = await browser.open(`${first.url.href}?customer`);
  await browser.submit(form, '/customer', { email });
  const link = await linkFor(email);
  expect((await formBrowser(server.issuer).open(link)).status).toBe(400);
  const done = await browser.submit(await browser.open(link), '/sign-in/customer');
  const { body } = await postForm(web.as.token_endpoint, {
    client_id: 'forecourt-web',
    grant_type: 'authorization_code',
    code: arrived(done) ?? '',
    redirect_uri: CALLBACK,
    code_verifier: VERIFIER,
  });
  const claims = claimsOf(String(body.access_token));
  expect(claims).toMatchObject({ sub: id, kind: 'customer', uv: 0, scope: 'rentals:read' });
});

test('people see where they are signed in, and end it', async () => {
  const two = await hire(server.database.db);
  const elsewhere = await web.signIn(two.user_name);
  const browser = formBrowser(server.issuer);
  const account = await signInAs(
    browser,
    await browser.open(`${server.issuer}/account`),
    two.user_name,
  );
  expect(account.url.pathname).toBe('/account');
  expect([...account.text.matchAll(/aria-label="Sign out Firefox on Linux"/g)]).toHaveLength(2);
  const session = String(claimsOf(elsewhere.access_token)['sid']);
  await browser.submit(account, '/account/end-session', { session });
  await expect(web.refresh(String(elsewhere.refresh_token))).rejects.toThrow();
  const other = await web.signIn((await hire(server.database.db)).user_name);
  const foreign = String(claimsOf(other.access_token)['sid']);
  const refused = await browser.submit(account, '/account/end-session', { session: foreign });
  expect([refused.status, refused.text.includes('no such session')]).toEqual([404, true]);
  await web.refresh(String(other.refresh_token));
});

test('people change their password by the old one, and stay signed in here only', async () => {
  const { user_name: userName } = await hire(server.database.db);
  const elsewhere = await web.signIn(userName);
  const browser = formBrowser(server.issuer);
  await signInAs(browser, await browser.open(`${server.issuer}/account`), userName);
  const asked = await browser.open(`${server.issuer}/account/password`);
  const password = 'another one, as long';
  const change = (current: string, next: string) =>
    browser.submit(asked, '/account/password', { current, password: next });
  expect((await change('not the present one', password)).status).toBe(401);
  expect((await change(PASSWORD, 'password1234')).status).toBe(422);
  expect((await change(PASSWORD, password)).text).toContain('Your password was changed');
  expect((await browser.open(`${server.issuer}/account`)).url.pathname).toBe('/account');
  await expect(web.refresh(String(elsewhere.refresh_token))).rejects.toThrow();
});

async function linkFor(email: string): Promise<string> {
  await server.signIn.lettersSent();
  const { rows } = await sql<{ body: string }>`select body from people.mail
    where to_address = ${email} order by created_at desc limit 1`.execute(server.database.owner);
  return /https?:\/\/\S+/.exec(rows[0]?.body ?? '')?.[0] ?? '';
}

test('the log has each request, and neither tokens nor the ids of sign-ins', async () => {
  const browser = formBrowser(server.issuer);
  const page = await begin(browser);
  await browser.open(`${server.issuer}/account/reset?token=a-secret-of-a-mailed-link`);
  const log = server.logLines.join('');
  expect(log).toContain('"route":"/sign-in/:uid"');
  expect(log).toContain('"route":"/account/reset"');
  expect(log).not.toContain('a-secret-of-a-mailed-link');
  expect(log).not.toContain(page.url.pathname.split('/')[2]);
  expect(page.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});
