// How this process knows callers, from its environment: by our own tokens or an outside issuer's.
import type { Db } from '../../db/client.ts';
import { publicSigningKeys } from '../../db/queries/identity.ts';
import { isOnThisMachine } from '../../notifications/loopback.ts';
import { type Authenticate, createAuthenticate } from './authenticate.ts';
import { logoutTaker, type TakeLogout } from './backchannel-logout.ts';
import { createBearers } from './bearers.ts';
import {
  type Issuer,
  localKeys,
  OUTSIDE_ALGORITHMS,
  remoteKeys,
  tokenVerifier,
  type VerifyToken,
} from './tokens.ts';

/** The resource that access tokens are for. */
export const AUDIENCE = 'urn:forecourt:api';

/** Sign-outs are remembered for a little longer (db/commands/people-upkeep.ts). */
const OUTSIDE_MAX_AGE_S = 24 * 3_600;

/** Of the built-in issuer, whose tokens have all that RFC 9068 section 2.2 asks for. */
export function ownTokenVerifier(own: Pick<Issuer, 'issuer' | 'keys' | 'now'>): VerifyToken {
  const requiredClaims = ['jti', 'client_id', 'scope', 'kind'];
  return tokenVerifier({ ...own, audience: AUDIENCE, requiredClaims });
}

const now = () => new Date().toISOString();

/**
 * `OIDC_ISSUER` replaces the built-in issuer, whose name is `publicUrl`: `OIDC_AUDIENCE` is then what
 * its tokens are for, `OIDC_ROLES_CLAIM` where they name roles (a path with dots), and
 * `OIDC_TOKEN_TYPE` their `typ` where that is not `at+jwt` (Keycloak and Entra say `JWT`).
 */
export function authenticateFrom(env: NodeJS.ProcessEnv, db: Db, publicUrl: string): Authenticate {
  const outside = outsideOf(env);
  if (outside === undefined) {
    const keys = localKeys(() => publicSigningKeys(db));
    const verify = ownTokenVerifier({ issuer: publicUrl, keys, now });
    return createAuthenticate(createBearers({ db, verify, now }));
  }
  const { issuer, audience } = outside;
  const verify = tokenVerifier({
    issuer,
    audience,
    keys: remoteKeys(issuer),
    typ: env['OIDC_TOKEN_TYPE'] ?? 'at+jwt',
    algorithms: OUTSIDE_ALGORITHMS,
    maxAgeS: OUTSIDE_MAX_AGE_S,
    now,
  });
  const rolesClaim = env['OIDC_ROLES_CLAIM'] ?? 'roles';
  return createAuthenticate(createBearers({ db, verify, now, outside: { issuer, rolesClaim } }));
}

/**
 * Takes the outside issuer's logout tokens, which are for `OIDC_LOGOUT_AUDIENCE`: the client ids
 * under which it knows our applications, `OIDC_AUDIENCE` where that is left out.
 */
export function logoutTakerFrom(env: NodeJS.ProcessEnv, db: Db): TakeLogout | undefined {
  const outside = outsideOf(env);
  if (outside === undefined) return undefined;
  const { issuer } = outside;
  const clients = (env['OIDC_LOGOUT_AUDIENCE'] || outside.audience).split(',');
  const audience = clients.map((client) => client.trim()).filter((client) => client !== '');
  return logoutTaker({ db, issuer, audience, keys: remoteKeys(issuer), now });
}

function outsideOf(env: NodeJS.ProcessEnv) {
  const issuer = env['OIDC_ISSUER'];
  if (issuer === undefined || issuer === '') return undefined;
  const audience = env['OIDC_AUDIENCE'];
  // Without it, a token that was given to any other service of that issuer would open this one.
  if (!audience) throw new Error('OIDC_ISSUER is set, so OIDC_AUDIENCE must be.');
  // Keys that anybody on the way may change would let anybody in.
  if (!issuer.startsWith('https:') && !isOnThisMachine(issuer)) {
    throw new Error('OIDC_ISSUER must be an https address.');
  }
  return { issuer, audience };
}
