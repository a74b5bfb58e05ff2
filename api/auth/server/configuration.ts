// How the authorization server is set up: what it offers, for how long each thing is good.
import { type ClientMetadata, type Configuration, errors, type JWK } from 'oidc-provider';
import type { Db } from '../../../db/client.ts';
import type { SessionEnd } from '../../../db/commands/sessions.ts';
import { SCOPES } from '../../../domain/people.ts';
import { cookieName } from '../pages/cookies.ts';
import {
  confirmDevicePage,
  deviceDonePage,
  enterDeviceCodePage,
  errorPage,
  signedOutPage,
  signOutPage,
} from '../pages/provider-pages.ts';
import {
  API_RESOURCE,
  accounts,
  grantFor,
  OPENID_SCOPES,
  promptPolicy,
  tokenClaimsOf,
} from './accounts.ts';
import { artifactAdapter } from './adapter.ts';
import { ALGORITHM } from './keys.ts';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
const ACCESS_TOKEN_S = 15 * MINUTE_S;
const REFRESH_TOKEN_S = 30 * DAY_S;

type Setup = {
  readonly db: Db;
  readonly keys: readonly JWK[];
  readonly clients: readonly ClientMetadata[];
  /** Sign cookies; the first signs, all of them verify. */
  readonly cookieKeys: readonly string[];
  readonly secure: boolean;
  readonly endSession: (sessionId: string, reason: SessionEnd) => Promise<void>;
};

export function configuration(setup: Setup): Configuration {
  const { db } = setup;
  const { secure } = setup;
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure } as const;
  const names = {
    session: cookieName('_session', secure),
    interaction: cookieName('_interaction', secure, '/sign-in'),
    resume: cookieName('_interaction_resume', secure, '/oauth'),
  };
  return {
    adapter: (kind: string) => artifactAdapter(setup, kind),
    clients: [...setup.clients],
    clientDefaults: { id_token_signed_response_alg: ALGORITHM },
    jwks: { keys: [...setup.keys] },
    cookies: { keys: [...setup.cookieKeys], names, long: cookie, short: cookie },
    extraClientMetadata: { properties: ['api_scopes', 'api_version'] },
    // Secrets are kept as digests, so nothing may be signed or encrypted with them.
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    enabledJWA: { idTokenSigningAlgValues: [ALGORITHM] },
    responseTypes: ['code', 'none'],
    scopes: [...OPENID_SCOPES],
    claims: { openid: ['sub', 'kind'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin, client) =>
      client.redirectUris?.some((uri) => new URL(uri).origin === origin) === true,
    routes,
    features: features(),
    findAccount: accounts(db),
    loadExistingGrant: grantFor,
    interactions: {
      policy: promptPolicy(),
      url: (_ctx, interaction) => `/sign-in/${interaction.uid}`,
    },
    extraTokenClaims: (ctx, token) => {
      if (token.kind === 'AccessToken') return { ...tokenClaimsOf(ctx.oidc.account) };
      return { kind: 'partner', uv: Number(ctx.oidc.client?.['api_version'] ?? 0) };
    },
    // Tied to the sign-in in people.session, which outlives the browser's cookie.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl,
    renderError: errorPage,
  };
}

const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  end_session: '/oauth/logout',
  device_authorization: '/oauth/device-code',
  code_verification: '/oauth/device',
} as const;

/** Rotation renews a refresh token and never its end: 30 days after the sign-in all are over. */
const ttl: NonNullable<Configuration['ttl']> = {
  AccessToken: ACCESS_TOKEN_S,
  ClientCredentials: ACCESS_TOKEN_S,
  AuthorizationCode: MINUTE_S,
  DeviceCode: 10 * MINUTE_S,
  IdToken: HOUR_S,
  Interaction: 30 * MINUTE_S,
  Session: 12 * HOUR_S,
  Grant: REFRESH_TOKEN_S,
  RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? REFRESH_TOKEN_S,
};

/** A client learns about, and ends, what it was given itself. */
function isOwn(
  _ctx: unknown,
  client: { readonly clientId: string },
  token: { readonly clientId?: string | undefined },
): boolean {
  return token.clientId === client.clientId;
}

function features(): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    dPoP: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: isOwn },
    introspection: { enabled: true, allowedPolicy: isOwn },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: enterDeviceCodePage,
      userCodeConfirmSource: confirmDevicePage,
      successSource: deviceDonePage,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: signOutPage,
      postLogoutSuccessSource: signedOutPage,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API_RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource, client) => {
        if (resource !== API_RESOURCE) throw new errors.InvalidTarget();
        return {
          scope: String(client['api_scopes'] ?? SCOPES.join(' ')),
          audience: API_RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ACCESS_TOKEN_S,
          jwt: { sign: { alg: ALGORITHM } },
        };
      },
    },
  };
}
