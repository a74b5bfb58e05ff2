// The sign-in page as a person meets it, and as somebody who means harm does.
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type FormBrowser, formBrowser, type Page } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  type OAuthClient,
  oauthClient,
  signInAs,
} from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { type Hired, hire, PASSWORD } from '../support/staff.ts';

let server: SignInServer;
let web: OAuthClient;
let pat: Hired;
beforeAll(async () => {
  server = await signInServer();
  web = await oauthClient(server);
  pat = await hire(server.database.db);
});

const begin = (browser: FormBrowser): Promise<Page> => browser.open(authorizationUrl(web.as, {}));
const arrived = (page: Page) => page.url.searchParams.get('code');

test('every page keeps others out: no script, no frame, no cache, one way for forms', async () => {
  const page = await begin(formBrowser(server.issuer));
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("form-action 'self' http://localhost:5173");
  expect(policy).not.toContain('unsafe');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.text).not.toContain('<script');
});

test('each input has a label, and the page a language and a title', async () => {
  const page = await begin(formBrowser(server.issuer));
  expect(page.text).toContain('<html lang="en">');
  expect(page.text).toMatch(/<title>Sign in/);
  const ids = [...page.text.matchAll(/<input id="([^"]+)"/g)].map(([, id]) => id);
  expect(ids).toEqual(['user_name', 'password']);
  for (const id of ids) expect(page.text).toContain(`<label for="${id}">`);
});

test('an unknown user and a wrong password get the same status and the same bytes', async () => {
  const browser = formBrowser(server.issuer);
  const page = await begin(browser);
  const wrong = await signInAs(browser, page, pat.user_name, 'wrong but long enough');
  const unknown = await signInAs(browser, page, 'nobody-here', 'wrong but long enough');
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  expect(wrong.text).toContain('role="alert"');
  expect(unknown.text.replaceAll('nobody-here', pat.user_name)).toBe(wrong.text);
});

test('what is typed comes back as text, never as HTML', async () => {
  const browser = formBrowser(server.issuer);
  const page = await signInAs(browser, await begin(browser), '"><script>alert(1)</script>');
  expect(page.text).not.toContain('<script');
  expect(page.text).toContain('&quot;&gt;&lt;script&gt;');
});

test.each([
  ['no token', { form_token: '' }, {}],
  ['the token of another sign-in', { form_token: randomBytes(32).toString('base64url') }, {}],
  ['another origin', {}, { origin: 'https://evil.example' }],
  ['an unknown origin', {}, { origin: 'null' }],
  ['another site', {}, { origin: '', 'sec-fetch-site': 'cross-site' }],
])('a form with %s is refused, the right password or not', async (_what, fields, headers) => {
  const browser = formBrowser(server.issuer);
  const page = await begin(browser);
  const token = /name="form_token" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  const form = { form_token: token, user_name: pat.user_name, password: PASSWORD, ...fields };
  const answer = await browser.post(`${page.url.href}/password`, form, headers);
  expect(answer.status).toBe(403);
  const right = await browser.post(`${page.url.href}/password`, { ...form, form_token: token });
  expect(arrived(right)).toBeTypeOf('string');
});

test('a sign-in belongs to the browser that began it', async () => {
  const page = await begin(formBrowser(server.issuer));
  const other = await formBrowser(server.issuer).open(page.url.href);
  expect(other.status).toBe(400);
  expect(other.text).toContain('has expired');
});

test('the sixth try for an account in a minute waits, with the right password too', async () => {
  const { database, envelope } = server;
  const quotas = 'auth-account=5,auth-peer=30';
  const strict = await signInServer({ database, envelope, quotas });
  const browser = formBrowser(strict.issuer);
  const { as } = await oauthClient(strict);
  let page = await browser.open(authorizationUrl(as, {}));
  for (let n = 0; n < 5; n += 1) page = await signInAs(browser, page, 'somebody', 'not that one');
  expect(page.status).toBe(401);
  page = await signInAs(browser, page, 'somebody', 'not that one');
  expect(page.status).toBe(429);
  expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(page.headers.get('ratelimit')).toContain('"auth-account";r=0');
  const someoneElse = await signInAs(browser, page, pat.user_name);
  expect(arrived(someoneElse)).toBeTypeOf('string');
});

test.each(['/sign-in', '/sign-in/x', '/account/nothing', '/oauth/nothing'])(
  '%s is not there',
  async (path) => {
    const browser = formBrowser(server.issuer);
    await signInAs(browser, await browser.open(`${server.issuer}/account`), pat.user_name);
    expect((await browser.open(`${server.issuer}${path}`)).status).toBe(404);
  },
);

test('a form that is too long, or none, is refused', async () => {
  const browser = formBrowser(server.issuer);
  const page = await begin(browser);
  const long = { user_name: 'x'.repeat(20_000) };
  expect((await browser.submit(page, '/password', long)).status).toBe(413);
  const json = { 'content-type': 'application/json' };
  expect((await browser.post(`${page.url.href}/password`, {}, json)).status).toBe(415);
});

test('no password and no token was logged', () => {
  expect(server.logLines.join('\n')).not.toContain(PASSWORD);
});
