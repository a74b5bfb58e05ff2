// How this process knows callers, from its environment: by our own tokens or an outside issuer's.
import type { Db } from '../../db/client.ts';
import { publicSigningKeys } from '../../db/queries/identity.ts';
import { type Authenticate, createAuthenticate } from './authenticate.ts';
import { createBearers } from './bearers.ts';
import { type Issuer, localKeys, remoteKeys, tokenVerifier, type VerifyToken } from './tokens.ts';

/** The resource that access tokens are for. */
export const AUDIENCE = 'urn:forecourt:api';

/** Of the built-in issuer, whose tokens have all that RFC 9068 section 2.2 asks for. */
export function ownTokenVerifier(own: Pick<Issuer, 'issuer' | 'keys' | 'now'>): VerifyToken {
  const requiredClaims = ['jti', 'client_id', 'scope', 'kind'];
  return tokenVerifier({ ...own, audience: AUDIENCE, requiredClaims });
}

/**
 * `OIDC_ISSUER` replaces the built-in issuer, whose name is `publicUrl`: `OIDC_AUDIENCE` is then what
 * its tokens are for, `OIDC_ROLES_CLAIM` where they name roles (a path with dots), and
 * `OIDC_TOKEN_TYPE` their `typ` where that is not `at+jwt` (Keycloak and Entra say `JWT`).
 */
export function authenticateFrom(env: NodeJS.ProcessEnv, db: Db, publicUrl: string): Authenticate {
  const now = () => new Date().toISOString();
  const issuer = env['OIDC_ISSUER'];
  if (issuer === undefined || issuer === '') {
    const keys = localKeys(() => publicSigningKeys(db));
    const verify = ownTokenVerifier({ issuer: publicUrl, keys, now });
    return createAuthenticate(createBearers({ db, verify, now }));
  }
  const audience = env['OIDC_AUDIENCE'];
  // Without it, a token that was given to any other service of that issuer would open this one.
  if (!audience) throw new Error('OIDC_ISSUER is set, so OIDC_AUDIENCE must be.');
  const verify = tokenVerifier({
    issuer,
    audience,
    keys: remoteKeys(issuer),
    typ: env['OIDC_TOKEN_TYPE'] ?? 'at+jwt',
    now,
  });
  const outside = { issuer, rolesClaim: env['OIDC_ROLES_CLAIM'] ?? 'roles' };
  return createAuthenticate(createBearers({ db, verify, now, outside }));
}
