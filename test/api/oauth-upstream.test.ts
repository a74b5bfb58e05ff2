// Staff sign in by another OpenID provider: here a second instance of our own server.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { formBrowser } from '../../workers/form-browser.ts';
import {
  authorizationUrl,
  type OAuthClient,
  oauthClient,
  signInAs,
} from '../support/oauth-client.ts';
import { freePort, type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { type Hired, hire } from '../support/staff.ts';

const CLIENT = 'our-forecourt';
const SECRET = 'the other provider gave us this';

let upstream: SignInServer;
let server: SignInServer;
let web: OAuthClient;
let there: Hired;
beforeAll(async () => {
  // The two must know each other's addresses before they listen.
  const port = await freePort();
  upstream = await signInServer({
    clients: [
      {
        client_id: CLIENT,
        client_secret: createHash('sha256').update(SECRET).digest('base64url'),
        redirect_uris: [`http://127.0.0.1:${port}/sign-in/upstream`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
  });
  const settings = { issuer: upstream.issuer, clientId: CLIENT, clientSecret: SECRET };
  server = await signInServer({ upstream: settings, port });
  web = await oauthClient(server);
  there = await hire(upstream.database.db);
});

async function byUpstream() {
  const browser = formBrowser(server.issuer, upstream.issuer);
  const page = await browser.open(authorizationUrl(web.as, {}));
  const away = await browser.submit(page, '/upstream');
  expect(away.url.origin).toBe(upstream.issuer);
  return signInAs(browser, away, there.user_name);
}

test('nobody is signed in whom the other provider knows and we do not', async () => {
  const back = await byUpstream();
  expect([back.status, back.url.origin]).toEqual([403, server.issuer]);
  expect(back.text).toContain('You are not registered here');
});

test('a staff member is signed in by the subject that the other provider knows', async () => {
  const here = await hire(server.database.db);
  await sql`update people.staff set outside_issuer = ${upstream.issuer},
    outside_subject = ${there.id} where id = ${here.id}`.execute(server.database.owner);
  const back = await byUpstream();
  expect(back.url.searchParams.get('code')).toBeTypeOf('string');
  const [session] = await server.signIn.sessionsOf(here.principal);
  expect(session).toBeDefined();
  await sql`update people.staff set status = 'suspended' where id = ${here.id}`.execute(
    server.database.owner,
  );
  expect((await byUpstream()).status).toBe(403);
});

test('who needs a second factor proves it here, when the other provider does not speak of one', async () => {
  const boss = await hire(server.database.db, { roles: ['finance-controller'] });
  await sql`update people.staff set outside_issuer = null, outside_subject = null`.execute(
    server.database.owner,
  );
  await sql`update people.staff set outside_issuer = ${upstream.issuer},
    outside_subject = ${there.id} where id = ${boss.id}`.execute(server.database.owner);
  const back = await byUpstream();
  expect(back.url.searchParams.get('code')).toBeNull();
  expect(back.text).toContain('Set up your second step');
  expect(await server.signIn.sessionsOf(boss.principal)).toEqual([]);
});

test('an answer of the other provider that was not asked for signs nobody in', async () => {
  const browser = formBrowser(server.issuer, upstream.issuer);
  const page = await browser.open(authorizationUrl(web.as, {}));
  const uid = page.url.pathname.split('/')[2];
  const forged = `${server.issuer}/sign-in/upstream?code=x&state=${uid}.x&iss=${upstream.issuer}`;
  expect((await browser.open(forged)).status).toBe(400);
  await browser.submit(page, '/upstream');
  expect((await browser.open(forged)).status).toBe(401);
});

test.each<readonly [string, Readonly<Record<string, string | undefined>>]>([
  ['another state', { state: 'changed' }],
  ['no state', { state: undefined }],
  ['the name of another provider', { iss: 'https://other.example' }],
  ['no name of the provider', { iss: undefined }],
  ['another code', { code: 'x'.repeat(43) }],
])('an answer with %s signs nobody in', async (_what, over) => {
  const here = await hire(server.database.db);
  await sql`update people.staff set outside_issuer = null, outside_subject = null`.execute(
    server.database.owner,
  );
  await sql`update people.staff set outside_issuer = ${upstream.issuer},
    outside_subject = ${there.id} where id = ${here.id}`.execute(server.database.owner);
  // It goes only as far as the other provider, and comes back by hand.
  const browser = formBrowser(server.issuer);
  const away = await browser.submit(await browser.open(authorizationUrl(web.as, {})), '/upstream');
  const elsewhere = formBrowser(upstream.issuer);
  const back = await signInAs(elsewhere, await elsewhere.open(away.url.href), there.user_name);
  expect(back.url.origin).toBe(server.issuer);
  const answer = new URL(back.url);
  const uid = answer.searchParams.get('state')?.split('.')[0];
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) answer.searchParams.delete(name);
    else answer.searchParams.set(name, name === 'state' ? `${uid}.${value}` : value);
  }
  const refused = await browser.open(answer.href);
  expect([400, 401]).toContain(refused.status);
  expect(refused.url.origin).toBe(server.issuer);
  expect(await server.signIn.sessionsOf(here.principal)).toEqual([]);
});
