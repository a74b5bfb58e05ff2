// People at a real browser: their sign-in, by keyboard if need be, and what applications ask of them.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { Secret, TOTP } from 'otpauth';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticateFrom } from '../../api/auth/settings.ts';
import { testApi } from '../support/api.ts';
import {
  ALL,
  authorizationUrl,
  CALLBACK,
  claimsOf,
  oauthClient,
  postForm,
} from '../support/oauth-client.ts';
import { freePort, type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire, PASSWORD } from '../support/staff.ts';

/** A browser beside other tests takes its time. */
const PATIENTLY = { timeout: 120_000 };
/** The native application, waiting for its code on a port of the loopback. */
const application = createServer((_request, response) => response.end('back at the application'));

let browser: Browser;
let server: SignInServer;
let callback: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  const executablePath = process.env['CHROMIUM'];
  if (executablePath === undefined) throw new Error('CHROMIUM is not set.');
  // Its own sandbox needs rights that containers do not give; the pages are ours.
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  server = await signInServer({ issuer });
  const { database, authorization } = server;
  const authenticate = authenticateFrom({}, database.db, issuer);
  await testApi({ database, authorization, port, deps: { authenticate } });
});
afterAll(async () => {
  await browser?.close();
  application.close();
});

type Visit = { readonly page: Page; readonly faults: readonly string[] };

/** An empty page of a fresh browser, and what its scripts or the policy find wrong. */
async function fresh(): Promise<Visit> {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENTLY.timeout);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => {
    if (/Content Security Policy|Refused to/i.test(line.text())) faults.push(line.text());
  });
  return { page, faults };
}

/** At the sign-in page, as the web application sends people there. */
async function visit(): Promise<Visit> {
  const { page, faults } = await fresh();
  // The application itself is not here: its address is where the visit ends.
  await page.route(`${CALLBACK}**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<h1>Signed in</h1>' }),
  );
  const { as } = await oauthClient(server);
  const request = authorizationUrl(as, {
    client_id: 'forecourt-web',
    redirect_uri: CALLBACK,
    scope: ALL,
    state: oauth.generateRandomState(),
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
  });
  await page.goto(String(request));
  return { page, faults };
}

function codeOf(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate();
}

/** Waits for the next code when this one was used to enrol: each is good once. */
function laterCodeOf(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({
    timestamp: Date.now() + 30_000,
  });
}

test('a counter agent signs in with password and TOTP', PATIENTLY, async () => {
  const agent = await hire(server.database.db);
  const { secret } = await server.signIn.beginEnrolment(agent.id);
  await server.signIn.confirmEnrolment({ staffId: agent.id, code: codeOf(secret) });
  const { page, faults } = await visit();

  await page.getByLabel('User name').fill(agent.user_name);
  await page.getByLabel('Password').fill('not the right one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('do not match');
  expect(await page.getByLabel('User name').inputValue()).toBe(agent.user_name);

  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel(/6 digits/).fill(laterCodeOf(secret));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${CALLBACK}**`);
  expect(new URL(page.url()).searchParams.get('code')).toMatch(/^[\w-]{20,}$/);
  expect(faults).toEqual([]);
});

test('a manager without a second factor enrols one, by keyboard alone', PATIENTLY, async () => {
  const manager = await hire(server.database.db, { roles: ['branch-manager'] });
  const { page, faults } = await visit();
  // The first field has the focus already.
  await page.keyboard.type(manager.user_name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');

  const picture = page.getByRole('img');
  await picture.waitFor();
  expect(await picture.getAttribute('alt')).toBeTruthy();
  expect(await picture.evaluate((img) => (img as { naturalWidth?: number }).naturalWidth)).not.toBe(
    0,
  );
  const text = ((await page.locator('body').textContent()) ?? '').replaceAll(/\s/g, '');
  const secret = /[A-Z2-7]{32}/.exec(text)?.[0] ?? '';
  await page.getByLabel(/6 digits/).focus();
  await page.keyboard.type(codeOf(secret));
  await page.keyboard.press('Enter');

  await page.getByRole('button', { name: 'I have kept them' }).waitFor();
  expect(await page.locator('li').count()).toBe(10);
  await page.getByRole('button', { name: 'I have kept them' }).press('Enter');
  await page.waitForURL(`${CALLBACK}**`);
  expect(faults).toEqual([]);
});

async function signIn(page: Page, userName: string): Promise<void> {
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test(
  'a native application is allowed by the person, and the browser leads back to it',
  PATIENTLY,
  async () => {
    const pat = await hire(server.database.db);
    const { as } = await oauthClient(server);
    const { page } = await fresh();
    const asked = { client_id: 'forecourt-cli', redirect_uri: callback, state: 'mine' };
    await page.goto(authorizationUrl(as, asked));
    await signIn(page, pat.user_name);
    await page.getByText('Forecourt command line').waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(`${callback}?**`);
    const { searchParams } = new URL(page.url());
    expect(searchParams.get('state')).toBe('mine');
    expect(searchParams.get('code')).toBeTypeOf('string');
  },
);

test(
  'the link that a terminal shows leads to its confirmation, and signs it in',
  PATIENTLY,
  async () => {
    const pat = await hire(server.database.db);
    const { as } = await oauthClient(server);
    const client = { client_id: 'forecourt-counter' };
    const scope = 'openid rentals:read';
    const { body } = await postForm(as.device_authorization_endpoint, { ...client, scope });
    const device = body as Readonly<Record<string, string>>;
    const { page } = await fresh();
    await page.goto(String(device['verification_uri_complete']));
    await page.getByText(String(device['user_code'])).waitFor();
    await page.getByRole('button', { name: 'It shows this code' }).click();
    await signIn(page, pat.user_name);
    await page.getByText('The device is signed in').waitFor();
    const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
    const poll = { ...client, grant_type: grantType, device_code: device['device_code'] };
    expect((await postForm(as.token_endpoint, poll)).status).toBe(200);
  },
);

test('a person signs out on their own page, and the session is over', PATIENTLY, async () => {
  const pat = await hire(server.database.db);
  const { page } = await fresh();
  await page.goto(`${server.issuer}/account`);
  await signIn(page, pat.user_name);
  await page.getByRole('link', { name: 'Sign out here' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
  expect(await server.signIn.sessionsOf(pat.principal)).toEqual([]);
});

test('a reader of /docs signs in there and asks as themselves', PATIENTLY, async () => {
  const agent = await hire(server.database.db);
  const { page, faults } = await fresh();
  await page.goto(`${server.issuer}/docs`);
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  // Of the ways that tokens are given, the first is that of people.
  const form = page.locator('.auth-container').first();
  // The box itself is drawn by its label.
  await form.locator('label[for^="people:read-authorizationCode"]').first().click();
  const popup = page.waitForEvent('popup');
  await form.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await signIn(await popup, agent.user_name);
  await form.getByText('Authorized').waitFor();

  const [token, status, body] = (await page.evaluate(`(async () => {
    const { access_token: token } = ui.authSelectors.authorized().toJS().oauth2.token;
    const answer = await fetch('/api/v1/me', { headers: { authorization: 'Bearer ' + token } });
    return [token, answer.status, await answer.text()];
  })()`)) as readonly [string, number, string];
  expect([status, claimsOf(token)['client_id']]).toEqual([200, 'forecourt-docs']);
  expect(body).toContain(agent.id);
  expect(faults).toEqual([]);
});
