// Applications beside a real browser: a native one, a terminal, and the person's own page.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorizationUrl, oauthClient, postForm } from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire, PASSWORD } from '../support/staff.ts';

/** The native application, waiting for its code on a port of the loopback. */
const application = createServer((_request, response) => response.end('back at the application'));

let server: SignInServer;
let browser: Browser;
let callback: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  const executablePath = process.env['CHROMIUM'];
  if (executablePath === undefined) throw new Error('CHROMIUM is not set.');
  [browser, server] = await Promise.all([
    chromium.launch({ executablePath, args: ['--no-sandbox'] }),
    signInServer(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  application.close();
});

async function fresh(): Promise<Page> {
  return (await browser.newContext()).newPage();
}

async function signIn(page: Page, userName: string): Promise<void> {
  await page.getByLabel('User name').fill(userName);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('a native application is allowed by the person, and the browser leads back to it', async () => {
  const pat = await hire(server.database.db);
  const { as } = await oauthClient(server);
  const page = await fresh();
  const asked = { client_id: 'forecourt-cli', redirect_uri: callback, state: 'mine' };
  await page.goto(authorizationUrl(as, asked));
  await signIn(page, pat.user_name);
  await page.getByText('Forecourt command line').waitFor();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(`${callback}?**`);
  const { searchParams } = new URL(page.url());
  expect(searchParams.get('state')).toBe('mine');
  expect(searchParams.get('code')).toBeTypeOf('string');
});

test('the link that a terminal shows leads to its confirmation, and signs it in', async () => {
  const pat = await hire(server.database.db);
  const { as } = await oauthClient(server);
  const client = { client_id: 'forecourt-counter' };
  const scope = 'openid rentals:read';
  const { body } = await postForm(as.device_authorization_endpoint, { ...client, scope });
  const device = body as Readonly<Record<string, string>>;
  const page = await fresh();
  await page.goto(String(device['verification_uri_complete']));
  await page.getByText(String(device['user_code'])).waitFor();
  await page.getByRole('button', { name: 'It shows this code' }).click();
  await signIn(page, pat.user_name);
  await page.getByText('The device is signed in').waitFor();
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
  const poll = { ...client, grant_type: grantType, device_code: device['device_code'] };
  expect((await postForm(as.token_endpoint, poll)).status).toBe(200);
});

test('a person signs out on their own page, and the session is over', async () => {
  const pat = await hire(server.database.db);
  const page = await fresh();
  await page.goto(`${server.issuer}/account`);
  await signIn(page, pat.user_name);
  await page.getByRole('link', { name: 'Sign out here' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
  expect(await server.signIn.sessionsOf(pat.principal)).toEqual([]);
});
