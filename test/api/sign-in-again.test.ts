// Before a second step is set up, the person at an open session proves again who they are.
import { sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import { beforeAll, expect, test } from 'vitest';
import { type FormBrowser, formBrowser, type Page } from '../../workers/form-browser.ts';
import { signInAs } from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { type Hired, hire, PASSWORD } from '../support/staff.ts';

let server: SignInServer;
beforeAll(async () => {
  server = await signInServer();
});

type Desk = { readonly browser: FormBrowser; readonly person: Hired };

/** Somebody who has just signed in: that alone does not count. */
async function signedIn(): Promise<Desk> {
  const person = await hire(server.database.db);
  const browser = formBrowser(server.issuer);
  await signInAs(browser, await browser.open(`${server.issuer}/account`), person.user_name);
  return { browser, person };
}

const secondStep = ({ browser }: Desk) => browser.open(`${server.issuer}/account/second-step`);

function codeOf(page: Page): string {
  const secret = /<span class="code">([A-Z2-7]+)<\/span>/.exec(page.text)?.[1] ?? '';
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate();
}

async function hasSecondStep({ person }: Desk): Promise<boolean> {
  const { rows } = await sql`select from people.totp
    where subject = ${person.principal} and confirmed_at is not null`.execute(
    server.database.owner,
  );
  return rows.length > 0;
}

async function minutesPass({ person }: Desk, minutes: number): Promise<void> {
  await sql`update people.session set proved_at = proved_at - make_interval(mins => ${minutes})
    where subject = ${person.principal}`.execute(server.database.owner);
}

test('the password is asked for first, and a wrong one leads nowhere', async () => {
  const desk = await signedIn();
  const asked = await secondStep(desk);
  expect(asked.text).toContain('name="password"');
  expect(asked.text).not.toContain('<img');
  const refused = await desk.browser.submit(asked, '/account/prove', { password: 'not that' });
  expect([refused.status, refused.text.includes('role="alert"')]).toEqual([401, true]);
  expect((await secondStep(desk)).text).not.toContain('<img');
  const shown = await desk.browser.submit(refused, '/account/prove', { password: PASSWORD });
  const kept = await desk.browser.submit(shown, '/account/second-step', { code: codeOf(shown) });
  expect([...kept.text.matchAll(/<li>/g)]).toHaveLength(10);
  expect(await hasSecondStep(desk)).toBe(true);
});

test('it counts for five minutes, for showing the secret and for confirming it', async () => {
  const desk = await signedIn();
  const asked = await secondStep(desk);
  const shown = await desk.browser.submit(asked, '/account/prove', { password: PASSWORD });
  await minutesPass(desk, 4);
  expect((await secondStep(desk)).text).toContain('<img');
  await minutesPass(desk, 2);
  expect((await secondStep(desk)).text).not.toContain('<img');
  const late = await desk.browser.submit(shown, '/account/second-step', { code: codeOf(shown) });
  expect([late.status, late.text.includes('name="password"')]).toEqual([401, true]);
  expect(await hasSecondStep(desk)).toBe(false);
});

test('it counts for the session in which it was done alone', async () => {
  const desk = await signedIn();
  const other = { ...desk, browser: formBrowser(server.issuer) };
  const account = await other.browser.open(`${server.issuer}/account`);
  await signInAs(other.browser, account, desk.person.user_name);
  await desk.browser.submit(await secondStep(desk), '/account/prove', { password: PASSWORD });
  expect((await secondStep(desk)).text).toContain('<img');
  expect((await secondStep(other)).text).not.toContain('<img');
});
