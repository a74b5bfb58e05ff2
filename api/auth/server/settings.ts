// The authorization server as the environment configures it; none where an outside issuer serves.
import type { Logger } from 'pino';
import type { Db } from '../../../db/client.ts';
import type { Envelope } from '../../../db/envelope.ts';
import type { TryDeps } from '../pages/tries.ts';
import type { UpstreamSettings } from '../pages/upstream.ts';
import type { SignIn } from '../sign-in.ts';
import { type AuthorizationServer, createAuthorizationServer } from './authorization-server.ts';

type Given = TryDeps & {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly signIn: SignIn;
  readonly log: Logger;
  readonly publicUrl: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `AUTH_COOKIE_KEYS` signs cookies and forms, the first of them; `WEB_REDIRECT_URIS` and
 * `WEB_LOGOUT_URIS` are where the browser application lives; `UPSTREAM_OIDC_ISSUER`, `_CLIENT_ID`,
 * `_CLIENT_SECRET` and `_NAME` offer staff to sign in by another provider. Throws an Error when
 * something needed is missing.
 */
export function authorizationFrom(env: Environment, given: Given): AuthorizationServer | undefined {
  if (env['OIDC_ISSUER']) return undefined;
  const cookieKeys = listOf(env['AUTH_COOKIE_KEYS']);
  if (cookieKeys.length === 0) throw new Error('AUTH_COOKIE_KEYS is not set.');
  const redirectUris = listOf(env['WEB_REDIRECT_URIS']);
  const postLogoutRedirectUris = listOf(env['WEB_LOGOUT_URIS']);
  return createAuthorizationServer({
    ...given,
    cookieKeys,
    ...(redirectUris.length > 0 && { web: { redirectUris, postLogoutRedirectUris } }),
    upstream: upstreamOf(env),
  });
}

function listOf(text: string | undefined): readonly string[] {
  const entries = (text ?? '').split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}

function upstreamOf(env: Environment): UpstreamSettings | undefined {
  const issuer = env['UPSTREAM_OIDC_ISSUER'];
  if (!issuer) return undefined;
  const clientId = env['UPSTREAM_OIDC_CLIENT_ID'];
  const clientSecret = env['UPSTREAM_OIDC_CLIENT_SECRET'];
  if (!clientId || !clientSecret) {
    throw new Error('UPSTREAM_OIDC_ISSUER is set, so its client id and secret must be.');
  }
  return { issuer, clientId, clientSecret, name: env['UPSTREAM_OIDC_NAME'] };
}

/** Keeps keys and storage in order for as long as the process lives; answers how to stop it. */
export function keepUp(authorization: AuthorizationServer, log: Logger): () => void {
  const attempt = (what: string, work: () => Promise<unknown>) => () => {
    work().catch((error: unknown) => log.warn({ err: error }, `${what} failed`));
  };
  const timers = [
    setInterval(attempt('reading the signing keys', authorization.refreshKeys), KEYS_EACH_MS),
    setInterval(attempt('upkeep of sign-ins', authorization.upkeep), UPKEEP_EACH_MS),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** A key is announced an hour before it signs, so seconds do not matter. */
const KEYS_EACH_MS = 5_000;
const UPKEEP_EACH_MS = 600_000;
