// From the Authorization header to the caller: one scheme, Bearer, for tokens and for API keys.
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';
import type { Caller } from './caller.ts';
import { badToken } from './tokens.ts';

/** Throws a problem of status 401; the header is undefined when the request had none. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/** What a bearer is, by how it begins; each throws a problem of status 401. */
export type Bearers = {
  readonly ofToken: (token: string) => Promise<Caller>;
  readonly ofKey: (key: string) => Promise<Caller>;
};

export const KEY_PREFIX = 'fck_';

/** RFC 6750 section 2.1; the scheme's name has no case (RFC 9110 section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export function createAuthenticate({ ofToken, ofKey }: Bearers): Authenticate {
  return async (authorization) => {
    if (authorization === undefined) {
      throw new ProblemError('unauthenticated', 'Send Authorization: Bearer with a token or key.', {
        headers: { 'www-authenticate': 'Bearer realm="forecourt"' },
      });
    }
    const bearer = BEARER.exec(authorization)?.[1];
    if (bearer === undefined) throw badToken('invalid-token');
    return bearer.startsWith(KEY_PREFIX) ? ofKey(bearer) : ofToken(bearer);
  };
}

/** For everything below /api: no route can forget it, and no address tells strangers apart. */
export function authenticated(authenticate: Authenticate): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('caller', await authenticate(c.req.header('authorization')));
    await next();
  };
}
