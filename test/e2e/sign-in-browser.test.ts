// A person at a real browser: signs in with password and second factor, by keyboard if need be.
import * as oauth from 'oauth4webapi';
import { Secret, TOTP } from 'otpauth';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL, authorizationUrl, CALLBACK, oauthClient } from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire, PASSWORD } from '../support/staff.ts';

/** A browser beside other tests takes its time. */
const PATIENTLY = { timeout: 90_000 };

let browser: Browser;
let server: SignInServer;

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM'];
  if (executablePath === undefined) throw new Error('CHROMIUM is not set.');
  [browser, server] = await Promise.all([
    // Its own sandbox needs rights that containers do not give; the pages are ours.
    chromium.launch({ executablePath, args: ['--no-sandbox'] }),
    signInServer(),
  ]);
});
afterAll(() => browser?.close());

type Visit = { readonly page: Page; readonly faults: readonly string[] };

/** A fresh browser at the sign-in page, as the web application sends people there. */
async function visit(): Promise<Visit> {
  const page = await (await browser.newContext()).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => {
    if (/Content Security Policy|Refused to/i.test(line.text())) faults.push(line.text());
  });
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
