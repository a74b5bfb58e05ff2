// The sign-in behind a proxy that ends TLS: it knows its own name, and browsers keep its cookies.
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { freePort, signInServer, WEB } from '../support/sign-in-server.ts';

const ISSUER = 'https://rental.invalid';

let port: number;
beforeAll(async () => {
  port = await freePort();
  await signInServer({ issuer: ISSUER, port });
});

type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** As the proxy hands it on: plain HTTP, with the Host that the caller wrote. */
async function through(path: string, host = 'rental.invalid'): Promise<Answer> {
  const options = { host: '127.0.0.1', port, path, headers: { host, accept: 'text/html' } };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(options, resolve).on('error', reject).end();
  });
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return { status: answer.statusCode ?? 0, headers, text: await text(answer) };
}

test.each(['rental.invalid', 'evil.example'])(
  'every address that it publishes is its own, asked as %s',
  async (host) => {
    const { text } = await through('/.well-known/openid-configuration', host);
    const addresses = Object.entries(JSON.parse(text) as Record<string, unknown>)
      .filter(([name]) => /_(endpoint|uri)$/.test(name))
      .map(([, address]) => String(address));
    expect(addresses.length).toBeGreaterThan(4);
    expect(addresses.filter((address) => !address.startsWith(`${ISSUER}/`))).toEqual([]);
  },
);

test('each cookie is for HTTPS only, out of reach of scripts, and its name says so', async () => {
  const query = new URLSearchParams({
    client_id: 'forecourt-web',
    response_type: 'code',
    redirect_uri: `${WEB}/callback`,
    scope: 'openid',
    state: 's',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const begun = await through(`/oauth/authorize?${query}`);
  const forgotten = await through('/sign-in/forgotten');
  const signOut = await through('/oauth/logout');
  const cookies = [begun, forgotten, signOut].flatMap(({ headers }) => headers.getSetCookie());
  expect(cookies.length).toBeGreaterThan(4);
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^__(Host|Secure)-/);
    expect(cookie).toMatch(/; secure/i);
    expect(cookie).toMatch(/; httponly/i);
    expect(cookie).toMatch(/; samesite=lax/i);
    expect(cookie).not.toMatch(/; domain=/i);
    expect([cookie, /^__Host-/.test(cookie)]).toEqual([cookie, /; path=\/;/.test(cookie)]);
  }
});

test.each([
  '/sign-in/forgotten',
  '/sign-in/nothing',
  '/oauth/logout',
  '/oauth/token',
  '/.well-known/openid-configuration',
])('%s says HTTPS only, for two years', async (path) => {
  const { headers } = await through(path);
  expect(headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
});
