// Signing keys change while people work: announced first, kept afterwards, sealed in between.
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { type OAuthClient, oauthClient } from '../support/oauth-client.ts';
import { type SignInServer, signInServer } from '../support/sign-in-server.ts';
import { hire } from '../support/staff.ts';

let server: SignInServer;
let web: OAuthClient;
let refreshToken: string;
beforeAll(async () => {
  server = await signInServer();
  web = await oauthClient(server);
  const pat = await hire(server.database.db);
  refreshToken = String((await web.signIn(pat.user_name)).refresh_token);
});

type Published = { readonly keys: readonly Readonly<Record<string, unknown>>[] };

async function published(): Promise<Published['keys']> {
  const answer = await fetch(String(web.as.jwks_uri));
  return ((await answer.json()) as Published).keys;
}

async function nextToken(): Promise<string> {
  const tokens = await web.refresh(refreshToken);
  refreshToken = String(tokens.refresh_token);
  return tokens.access_token;
}

function kidOf(jwt: string): unknown {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid;
}

test('a rotation is announced, then signs, and no verifier ever refuses a token', async () => {
  // As a service would: it fetches the set when it must, and no more often than each second.
  const options = { cooldownDuration: 1_000, cacheMaxAge: 1_000 };
  const verifier = createRemoteJWKSet(new URL(String(web.as.jwks_uri)), options);
  const check = (jwt: string) => jwtVerify(jwt, verifier, { algorithms: ['ES256'] });
  const early = await nextToken();
  await check(early);
  const [first] = await published();
  expect(await server.authorization.rotate(3)).toBe(true);
  expect((await published()).map((key) => key['kid'])).toHaveLength(2);
  expect(await server.authorization.rotate(3)).toBe(false);
  const seen = new Set<unknown>();
  for (const until = Date.now() + 5_000; Date.now() < until; await delay(100)) {
    await server.authorization.refreshKeys();
    const jwt = await nextToken();
    await check(jwt);
    seen.add(kidOf(jwt));
  }
  expect(seen.size).toBe(2);
  expect(seen.has(first?.['kid'])).toBe(true);
  await check(early);
});

test('a second process takes over the keys and signs with the same one', async () => {
  const { database, envelope, issuer } = server;
  const other = await signInServer({ database, envelope, issuer });
  const current = kidOf(await nextToken());
  expect(await other.authorization.rotate(0)).toBe(true);
  await server.authorization.refreshKeys();
  expect(kidOf(await nextToken())).not.toBe(current);
});

test('processes that start at once make one key between them', async () => {
  const fresh = await signInServer();
  const same = { database: fresh.database, envelope: fresh.envelope };
  const others = await Promise.all([signInServer(same), signInServer(same)]);
  await Promise.all([fresh, ...others].map((each) => fetch(`${each.issuer}/oauth/jwks`)));
  const { rows } = await sql`select from people.signing_key`.execute(fresh.database.owner);
  expect(rows).toHaveLength(1);
});

test('a retired key is published no more', async () => {
  const before = await published();
  await sql`update people.signing_key set retires_at = now() where retires_at is not null`.execute(
    server.database.owner,
  );
  await server.authorization.refreshKeys();
  expect((await published()).length).toBeLessThan(before.length);
});

test('private keys leave the process neither by the key set nor by the database', async () => {
  const keys = await published();
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(key).not.toHaveProperty('d');
  const { rows } = await sql<{ text: string }>`
    select public_jwk::text || encode(private_jwk, 'escape') as text
    from people.signing_key`.execute(server.database.owner);
  for (const { text } of rows) expect(text).not.toContain('"d"');
});
