// Verifies access tokens (RFC 9068) by `jose`: ours, or those of an outside issuer.
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { ProblemError, type ProblemSlug } from '../problems.ts';

/** A token lives 15 minutes; nobody's clock should be a minute off. */
export const TOLERANCE_S = 60;
const ALGORITHMS = ['ES256', 'EdDSA'];
/** Entra signs with RSA only, Keycloak and Auth0 do so unless told otherwise. */
export const OUTSIDE_ALGORITHMS: readonly string[] = [...ALGORITHMS, 'RS256', 'PS256'];
/** How long a key that was added, or taken away, may go unnoticed. */
const KEYS_FRESH_MS = 3_000;

export type Issuer = {
  /** Byte for byte what the tokens say in `iss`. */
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  /** `at+jwt`, unless an outside issuer types its access tokens otherwise. */
  readonly typ?: string;
  /** Besides those that every access token has. */
  readonly requiredClaims?: readonly string[];
  /** Left out, those of our own keys. */
  readonly algorithms?: readonly string[];
  /** How old a token may be, whatever it says itself. */
  readonly maxAgeS?: number;
  readonly now: () => string;
};

/** Answers the claims; throws `invalid-token`, `token-expired`, or 503 when the keys are not to be had. */
export type VerifyToken = (token: string) => Promise<JWTPayload & { readonly sub: string }>;

export function tokenVerifier(issuer: Issuer): VerifyToken {
  return async (token) => {
    const { payload } = await verified(token, issuer);
    // A number that JSON.parse could not hold, or before 1970, is no expiry at all.
    for (const time of [payload.exp, payload.iat]) {
      if (!Number.isSafeInteger(time) || Number(time) < 0) throw badToken('invalid-token');
    }
    if (typeof payload.sub !== 'string' || payload.sub === '') throw badToken('invalid-token');
    return { ...payload, sub: payload.sub };
  };
}

async function verified(token: string, { keys, now, ...issuer }: Issuer) {
  try {
    const withKid: JWTVerifyGetKey = (header, input) => {
      if (typeof header.kid !== 'string') throw new errors.JWKSNoMatchingKey();
      return keys(header, input);
    };
    return await jwtVerify(token, withKid, {
      algorithms: [...(issuer.algorithms ?? ALGORITHMS)],
      typ: issuer.typ ?? 'at+jwt',
      issuer: issuer.issuer,
      audience: issuer.audience,
      clockTolerance: TOLERANCE_S,
      ...(issuer.maxAgeS !== undefined && { maxTokenAge: issuer.maxAgeS }),
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub', ...(issuer.requiredClaims ?? [])],
    });
  } catch (error) {
    if (error instanceof errors.JWTExpired && Number(error.payload.exp) > 0) {
      throw badToken('token-expired', error);
    }
    // Fetching the keys of an outside issuer failed: nothing is known about the token.
    if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error;
    throw badToken('invalid-token', error);
  }
}

const DETAILS = {
  'invalid-token': 'The token is not one that this service takes.',
  'token-expired': 'Get a new one.',
  'token-revoked': 'Its session has ended, or what you may do has changed. Sign in again.',
} as const satisfies Partial<Record<ProblemSlug, string>>;

/** RFC 6750 section 3.1: one error for all of them; the slug says more. */
export function badToken(slug: keyof typeof DETAILS, cause?: unknown): ProblemError {
  return new ProblemError(slug, DETAILS[slug], {
    headers: { 'www-authenticate': 'Bearer realm="forecourt", error="invalid_token"' },
    cause,
  });
}

/**
 * Keys that this installation keeps itself. They are looked up by time, never by what a token says:
 * an unknown `kid` costs nothing but an answer. A key must be published `KEYS_FRESH_MS` before it
 * signs.
 */
export function localKeys(load: () => Promise<readonly JWK[]>): JWTVerifyGetKey {
  let known: { readonly at: number; readonly keys: Promise<JWTVerifyGetKey> } | undefined;
  const fresh = (): Promise<JWTVerifyGetKey> => {
    if (known !== undefined && performance.now() - known.at < KEYS_FRESH_MS) return known.keys;
    const before = known;
    const keys = load().then(
      (jwks) => createLocalJWKSet({ keys: [...jwks] }),
      (error: unknown) => {
        // Old keys are better than none: tokens that are good stay good while the store is away.
        if (before !== undefined) return before.keys;
        known = undefined;
        throw error;
      },
    );
    known = { at: performance.now(), keys };
    return keys;
  };
  return async (header, input) => (await fresh())(header, input);
}

/** Keys of an outside issuer, found through its discovery document when the first token comes. */
export function remoteKeys(issuer: string): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined;
  return async (header, input) => {
    found ??= discover(issuer).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return (await found)(header, input);
  };
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(5_000) })
    .then((answer) => answer.json() as Promise<{ issuer?: unknown; jwks_uri?: unknown }>)
    .catch((error: unknown) => {
      throw new ProblemError('service-unavailable', 'The issuer of tokens cannot be reached.', {
        headers: { 'retry-after': '1' },
        cause: error,
      });
    });
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string') {
    throw new Error(`The discovery document of ${issuer} is not its own.`);
  }
  return createRemoteJWKSet(new URL(document.jwks_uri));
}
