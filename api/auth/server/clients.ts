// The applications that may ask for tokens: our own, and the partners' in the database.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { ApiClient } from '../../../db/commands/oidc.ts';

/** Where the browser application lives: exact addresses, compared as text (RFC 9700, 2.1). */
export type WebAddresses = {
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
};

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Of the pages under /account: it signs people in and gets no token. */
export const ACCOUNT_CLIENT = 'forecourt-account';
/** Of the pages under /docs: whoever reads about a request may send it as themselves. */
export const DOCS_CLIENT = 'forecourt-docs';
export const DOCS_REDIRECT = '/docs/oauth2-redirect.html';
/** A native application listens on any port of the loopback (RFC 8252 section 7.3). */
export const LOOPBACK_REDIRECT = 'http://127.0.0.1/callback';

const PUBLIC = { token_endpoint_auth_method: 'none' } as const;
const NATIVE = {
  ...PUBLIC,
  application_type: 'native',
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
  redirect_uris: [LOOPBACK_REDIRECT],
  post_logout_redirect_uris: [LOOPBACK_REDIRECT],
} as const;

/** The parts of the product itself. None of them can keep a secret, so none has one. */
export function ownClients(issuer: string, web: WebAddresses): readonly ClientMetadata[] {
  return [
    { ...NATIVE, client_id: 'forecourt-cli', client_name: 'Forecourt command line' },
    { ...NATIVE, client_id: 'forecourt-counter', client_name: 'Forecourt counter terminal' },
    {
      ...PUBLIC,
      client_id: 'forecourt-web',
      client_name: 'Forecourt',
      application_type: 'web',
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: web.redirectUris,
      post_logout_redirect_uris: web.postLogoutRedirectUris,
    },
    {
      ...PUBLIC,
      client_id: DOCS_CLIENT,
      client_name: 'Forecourt API pages',
      application_type: 'web',
      response_types: ['code'],
      grant_types: ['authorization_code'],
      redirect_uris: [`${issuer}${DOCS_REDIRECT}`],
    },
    {
      ...PUBLIC,
      client_id: ACCOUNT_CLIENT,
      client_name: 'your account',
      application_type: 'web',
      response_types: ['none'],
      grant_types: [],
      redirect_uris: [`${issuer}/account`],
    },
  ];
}

/**
 * A partner's service: client credentials only. Its `client_secret` is the digest of the secret,
 * which `secretMatches` compares by.
 */
export function partnerClient(client: ApiClient): ClientMetadata {
  return {
    client_id: client.id,
    client_name: client.name,
    client_secret: client.secretHash.toString('base64url'),
    token_endpoint_auth_method: 'client_secret_basic',
    application_type: 'web',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    api_scopes: client.scopes.join(' '),
    api_version: client.version,
  };
}

/** Secrets are 256 random bits, so one SHA-256 protects them as well as a slow hash would. */
export function secretMatches(digest: string | undefined, given: string): boolean {
  const kept = Buffer.from(digest ?? '', 'base64url');
  const asked = createHash('sha256').update(given).digest();
  return kept.length === asked.length && timingSafeEqual(kept, asked);
}
