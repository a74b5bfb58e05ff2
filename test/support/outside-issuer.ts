// An issuer that is not ours: its discovery document and keys on a real socket, and its tokens.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../db/schema.ts';
import { whenDone } from './endings.ts';
import { plantStaff } from './people.ts';
import { signToken, type TokenClaims, testJwk } from './tokens.ts';

export const OUTSIDE_AUDIENCE = 'forecourt-of-acme';
const ROLES = { realm_access: { roles: ['counter-agent', 'uma_authorization'] } };

export type OutsideIssuer = {
  readonly issuer: string;
  /** As an operator configures it. */
  readonly env: NodeJS.ProcessEnv;
  /** The addresses that were asked for. */
  readonly asked: readonly string[];
  /** An access token of `ada@acme`; claims given go over its own. */
  readonly token: (over?: TokenClaims) => Promise<string>;
  /** A private RSA key that it publishes as well. */
  readonly rsa: JWK;
};

/** Call it in `beforeAll`. */
export async function outsideIssuer(): Promise<OutsideIssuer> {
  const pair = await generateKeyPair('RS256', { extractable: true });
  const named = { kid: 'rsa', alg: 'RS256' };
  const rsa = { ...(await exportJWK(pair.privateKey)), ...named };
  const keys = [await testJwk(), { ...(await exportJWK(pair.publicKey)), ...named }];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const document = { issuer, jwks_uri: `${issuer}/jwks` };
    response.end(JSON.stringify(request.url === '/jwks' ? { keys } : document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenDone(() => void server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    OIDC_ISSUER: issuer,
    OIDC_AUDIENCE: OUTSIDE_AUDIENCE,
    OIDC_ROLES_CLAIM: 'realm_access.roles',
    OIDC_TOKEN_TYPE: 'JWT',
  };
  const own = { iss: issuer, aud: OUTSIDE_AUDIENCE, sub: 'ada@acme', client_id: 'acme', ...ROLES };
  const token = (over: TokenClaims = {}) => signToken({ ...own, ...over }, { typ: 'JWT' });
  return { issuer, env, asked, token, rsa };
}

/** A staff member whom the issuer knows by that name; answers the id. */
export async function plantOutsider(
  owner: Kysely<DB>,
  issuer: string,
  subject: string,
): Promise<string> {
  // The roles of the row do not count there.
  const { id } = await plantStaff(owner, { roles: ['administrator'] });
  await sql`update people.staff set outside_issuer = ${issuer}, outside_subject = ${subject}
    where id = ${id}`.execute(owner);
  return id;
}
