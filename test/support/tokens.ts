// An issuer for tests: a key of its own, tokens as the authorization server makes them, and others.
import { randomUUID } from 'node:crypto';
import {
  CompactSign,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { SCOPES } from '../../domain/people.ts';

export const ISSUER = 'https://issuer.forecourt.test';
export const AUDIENCE = 'urn:forecourt:api';
export const KID = 'test-key';

const pair = generateKeyPair('ES256', { extractable: true });

export async function testJwk(): Promise<JWK> {
  const { publicKey } = await pair;
  return { ...(await exportJWK(publicKey)), kid: KID, alg: 'ES256', use: 'sig' };
}

/** Claims of an access token; those given go over them, and undefined ones are left out. */
export type TokenClaims = Readonly<Record<string, unknown>>;

export function accessClaims(over: TokenClaims = {}): TokenClaims {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    iat: now,
    exp: now + 900,
    jti: randomUUID(),
    client_id: 'forecourt-test',
    scope: SCOPES.join(' '),
    ...over,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Signed by the tests' own key, unless another private one is given. */
export async function signToken(
  over: TokenClaims = {},
  header: Partial<JWTHeaderParameters> = {},
  key?: JWK,
): Promise<string> {
  const signer = key ? await importJWK(key, header.alg ?? 'ES256') : (await pair).privateKey;
  const head = { alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? KID, ...header };
  return new SignJWT(accessClaims(over)).setProtectedHeader(head).sign(signer);
}

/** A payload as it is, for what no library would write. */
export async function signBytes(payload: Uint8Array): Promise<string> {
  const head = { alg: 'ES256', typ: 'at+jwt', kid: KID };
  return new CompactSign(payload).setProtectedHeader(head).sign((await pair).privateKey);
}
