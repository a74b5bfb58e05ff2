// The browsable description signs its reader in: by the product's own server, under its strict policy.
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticateFrom } from '../../api/auth/settings.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { claimsOf } from '../support/oauth-client.ts';
import { freePort, signInServer } from '../support/sign-in-server.ts';
import { hire, PASSWORD } from '../support/staff.ts';

let browser: Browser;
let api: TestApi;
let issuer: string;

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM'];
  if (executablePath === undefined) throw new Error('CHROMIUM is not set.');
  // Its own sandbox needs rights that containers do not give; the pages are ours.
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  const { database, authorization } = await signInServer({ issuer });
  const authenticate = authenticateFrom({}, database.db, issuer);
  api = await testApi({ database, authorization, port, deps: { authenticate } });
}, 60_000);
afterAll(() => browser?.close());

test('a reader of /docs signs in there and asks as themselves', { timeout: 120_000 }, async () => {
  const agent = await hire(api.database.db);
  const page = await (await browser.newContext()).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => {
    if (/Content Security Policy|Refused to/i.test(line.text())) faults.push(line.text());
  });
  await page.goto(`${issuer}/docs`);
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  // Of the ways that tokens are given, the first is that of people.
  const form = page.locator('.auth-container').first();
  // The box itself is drawn by its label.
  await form.locator('label[for^="people:read-authorizationCode"]').first().click();
  const popup = page.waitForEvent('popup');
  await form.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  const signIn = await popup;
  await signIn.getByLabel('User name').fill(agent.user_name);
  await signIn.getByLabel('Password').fill(PASSWORD);
  await signIn.getByRole('button', { name: 'Sign in' }).click();
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
