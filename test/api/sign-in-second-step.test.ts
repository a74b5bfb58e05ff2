// The second step of a sign-in: set up by those who need it, asked for ever after, never skipped.
import { Secret, TOTP } from 'otpauth';
import { beforeAll, expect, test } from 'vitest';
import { type FormBrowser, formBrowser, type Page } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  type OAuthClient,
  oauthClient,
  signInAs,
} from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire } from '../support/staff.ts';

let server: SignInServer;
let web: OAuthClient;
beforeAll(async () => {
  server = await signInServer();
  web = await oauthClient(server);
});

const begin = (browser: FormBrowser): Promise<Page> => browser.open(authorizationUrl(web.as, {}));
const arrived = (page: Page) => page.url.searchParams.get('code');

/** Codes are good for a step before and after theirs, so `1` is good too, whatever the time. */
function codeOf(page: Page, stepsAhead = 0): string {
  const secret = /<span class="code">([A-Z2-7]+)<\/span>/.exec(page.text)?.[1] ?? '';
  return totp(secret, stepsAhead);
}

function totp(secret: string, stepsAhead: number): string {
  const timestamp = Date.now() + stepsAhead * 30_000;
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
}

test('who decides over money sets up a second step, then needs it; a code is good once', async () => {
  const boss = await hire(server.database.db, { roles: ['branch-manager'] });
  const browser = formBrowser(server.issuer);
  const setUp = await signInAs(browser, await begin(browser), boss.user_name);
  expect(setUp.text).toContain('<img src="data:image/png;base64,');
  const wrong = await browser.submit(setUp, '/enrol', { code: '000000' });
  expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([401, true]);
  const code = codeOf(setUp);
  const kept = await browser.submit(wrong, '/enrol', { code });
  expect([...kept.text.matchAll(/<li>/g)]).toHaveLength(10);
  expect(arrived(await browser.submit(kept, '/continue'))).toBeTypeOf('string');

  const other = formBrowser(server.issuer);
  const asked = await signInAs(other, await begin(other), boss.user_name);
  expect(asked.text).toContain('authenticator app');
  const again = await other.submit(asked, '/code', { code });
  expect([again.status, arrived(again)]).toEqual([401, null]);
  const done = await other.submit(again, '/code', { code: codeOf(setUp, 1), remember: 'yes' });
  expect(arrived(done)).toBeTypeOf('string');

  const third = formBrowser(server.issuer);
  const lost = await signInAs(third, await begin(third), boss.user_name);
  const recovery = await third.open(`${lost.url.href}?recovery`);
  const recoveryCode = /<li>([^<]+)<\/li>/.exec(kept.text)?.[1] ?? '';
  const back = await third.submit(recovery, '/recovery', { code: recoveryCode });
  expect(arrived(back)).toBeTypeOf('string');
});

test('a device that is remembered is not asked for the second step again', async () => {
  const boss = await hire(server.database.db, { roles: ['accountant'] });
  const browser = formBrowser(server.issuer);
  const setUp = await signInAs(browser, await begin(browser), boss.user_name);
  const kept = await browser.submit(setUp, '/enrol', { code: codeOf(setUp) });
  await browser.submit(kept, '/continue');
  await browser.submit(await browser.open(`${server.issuer}/oauth/logout`), '/confirm', {
    logout: 'yes',
  });
  const asked = await signInAs(browser, await begin(browser), boss.user_name);
  const done = await browser.submit(asked, '/code', { code: codeOf(setUp, 1), remember: 'yes' });
  expect(arrived(done)).toBeTypeOf('string');
  await browser.submit(await browser.open(`${server.issuer}/oauth/logout`), '/confirm', {
    logout: 'yes',
  });
  const straight = await signInAs(browser, await begin(browser), boss.user_name);
  expect(arrived(straight)).toBeTypeOf('string');
});

test('the second step cannot be skipped: nothing of it lies with the browser', async () => {
  const boss = await hire(server.database.db, { roles: ['administrator'] });
  const browser = formBrowser(server.issuer);
  const setUp = await signInAs(browser, await begin(browser), boss.user_name);
  const uid = setUp.url.pathname.split('/')[2];
  const resumed = await browser.open(`${server.issuer}/oauth/authorize/${uid}`);
  expect(arrived(resumed)).toBeNull();
  const skipped = await browser.open(authorizationUrl(web.as, {}));
  expect(skipped.text).toContain('name="password"');
  const posted = await browser.submit(setUp, '/enrol', { code: '000000' });
  expect(arrived(posted)).toBeNull();
});
