// Where an outside issuer tells of sign-outs: OpenID Connect Back-Channel Logout 1.0.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Db } from '../../db/client.ts';
import { type OutsideLogout, takeOutsideLogout } from '../../db/commands/outside-logouts.ts';
import type { ApiEnv } from '../deps.ts';
import { OUTSIDE_ALGORITHMS, TOLERANCE_S } from './tokens.ts';

export const LOGOUT_PATH = '/oauth/backchannel-logout';

/** Section 2.4; older issuers do not type these tokens of their own. */
const TYPES: readonly unknown[] = [undefined, 'JWT', 'logout+jwt', 'application/logout+jwt'];
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Issuers make them for minutes; older ones may have been forgotten, so a replay could pass. */
const MAX_AGE_S = 3_600;
/** OpenID Connect Core section 2 bounds subjects; the other names are as short. */
const MAX_NAME = 255;
const MAX_BYTES = 65_536;

type Setup = {
  readonly db: Db;
  readonly issuer: string;
  /** Our client ids at that issuer. */
  readonly audience: readonly string[];
  readonly keys: JWTVerifyGetKey;
  readonly now: () => string;
};

/** Answers whether it was a logout token of ours, which holds from now on. */
export type TakeLogout = (token: string) => Promise<boolean>;

/** Rejects when the issuer's keys or the database cannot be had: the issuer then tries again. */
export function logoutTaker(setup: Setup): TakeLogout {
  return async (token) => {
    const logout = await verified(token, setup);
    return logout !== undefined && takeOutsideLogout(setup.db, logout);
  };
}

/** Section 2.6, all of its steps but the one about replays. */
async function verified(token: string, setup: Setup): Promise<OutsideLogout | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, setup.keys, {
      algorithms: [...OUTSIDE_ALGORITHMS],
      issuer: setup.issuer,
      audience: [...setup.audience],
      clockTolerance: TOLERANCE_S,
      maxTokenAge: MAX_AGE_S,
      currentDate: new Date(setup.now()),
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
    });
    return TYPES.includes(protectedHeader.typ) ? logoutOf(setup.issuer, payload) : undefined;
  } catch (error) {
    // The keys were not to be had: nothing is known about the token.
    if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error;
    return undefined;
  }
}

function logoutOf(issuer: string, claims: JWTPayload): OutsideLogout | undefined {
  const events = claims['events'] as Readonly<Record<string, unknown>> | null;
  const event = events?.[EVENT];
  if (typeof event !== 'object' || event === null) return undefined;
  // An ID token has one: neither kind passes for the other.
  if (claims['nonce'] !== undefined) return undefined;
  const { jti, sub, sid } = claims;
  const named = [sub, sid].filter((name) => name !== undefined);
  if (named.length === 0 || ![jti, ...named].every(isName)) return undefined;
  return {
    issuer,
    jti: jti as string,
    sessionId: (sid as string | undefined) ?? null,
    subject: sub ?? null,
    loggedOutAt: new Date(Number(claims.iat) * 1_000).toISOString(),
  };
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME;
}

/** One address: `POST` of a form with `logout_token`, answered by 200, or 400 with an error. */
export function logoutRoutes(take: TakeLogout): Hono<ApiEnv> {
  const refusal = (description: string) =>
    ({ error: 'invalid_request', error_description: description }) as const;
  const tooLarge = bodyLimit({
    maxSize: MAX_BYTES,
    onError: (c) => c.json(refusal('the form is too long'), 400),
  });
  return new Hono<ApiEnv>().post(LOGOUT_PATH, tooLarge, async (c) => {
    const type = c.req.header('content-type') ?? '';
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
      return c.json(refusal('send a form'), 400);
    }
    const form = new URLSearchParams(await c.req.text());
    const [token, ...more] = form.getAll('logout_token');
    if (token === undefined || more.length > 0 || !(await take(token))) {
      return c.json(refusal('the logout token is not valid'), 400);
    }
    return c.body(null, 200);
  });
}
