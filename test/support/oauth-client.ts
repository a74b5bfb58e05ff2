// An independent OAuth client (oauth4webapi), and a person at a browser who signs in for it.
import * as oauth from 'oauth4webapi';
import { type FormBrowser, formBrowser, type Page } from '../../workers/form-browser.ts';
import { type SignInServer, signInServer, WEB } from './sign-in-server.ts';
import { type Hired, hire, PASSWORD } from './staff.ts';

/** Plain HTTP, on this machine. */
export const INSECURE = { [oauth.allowInsecureRequests]: true } as const;
export const CALLBACK = `${WEB}/callback`;
export const ALL = 'openid rentals:read rentals:write fleet:read';

export type Tokens = oauth.TokenEndpointResponse;

export type OAuthClient = {
  readonly as: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  /** From the authorization request to tokens, as that person. */
  readonly signIn: (userName: string, browser?: FormBrowser) => Promise<Tokens>;
  readonly code: (userName: string, browser?: FormBrowser) => Promise<Code>;
  readonly redeem: (code: Code) => Promise<Tokens>;
  readonly refresh: (token: string) => Promise<Tokens>;
  readonly revoke: (token: string) => Promise<void>;
};

export type Code = { readonly params: URLSearchParams; readonly verifier: string };

export async function oauthClient(
  { issuer }: Pick<SignInServer, 'issuer'>,
  options: { readonly clientId?: string; readonly redirectUri?: string } = {},
): Promise<OAuthClient> {
  const redirectUri = options.redirectUri ?? CALLBACK;
  const url = new URL(issuer);
  const discovered = await oauth.discoveryRequest(url, INSECURE);
  const as = await oauth.processDiscoveryResponse(url, discovered);
  const client: oauth.Client = { client_id: options.clientId ?? 'forecourt-web' };
  const none = oauth.None();
  const code: OAuthClient['code'] = async (userName, browser = formBrowser(issuer)) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const request = authorizationUrl(as, {
      client_id: client.client_id,
      redirect_uri: redirectUri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    });
    const signedIn = await signInAs(browser, await browser.open(request), userName);
    const asksConsent = signedIn.text.includes('/consent"');
    const page = asksConsent ? await browser.submit(signedIn, '/consent') : signedIn;
    return { params: oauth.validateAuthResponse(as, client, page.url, state), verifier };
  };
  const redeem: OAuthClient['redeem'] = async ({ params, verifier }) => {
    const answer = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      none,
      params,
      redirectUri,
      verifier,
      INSECURE,
    );
    return oauth.processAuthorizationCodeResponse(as, client, answer);
  };
  return {
    as,
    client,
    code,
    redeem,
    signIn: async (userName, browser) => redeem(await code(userName, browser)),
    refresh: async (token) => {
      const answer = await oauth.refreshTokenGrantRequest(as, client, none, token, INSECURE);
      return oauth.processRefreshTokenResponse(as, client, answer);
    },
    revoke: async (token) => {
      const answer = await oauth.revocationRequest(as, client, none, token, INSECURE);
      await oauth.processRevocationResponse(answer);
    },
  };
}

/** A server, a client of it, and somebody who works there. Call it in `beforeAll`. */
export async function signInSetting(options: Parameters<typeof oauthClient>[1] = {}): Promise<{
  readonly server: SignInServer;
  readonly client: OAuthClient;
  readonly pat: Hired;
}> {
  const server = await signInServer();
  const client = await oauthClient(server, options);
  return { server, client, pat: await hire(server.database.db) };
}

/** With `undefined` a parameter is left out. */
export function authorizationUrl(
  as: oauth.AuthorizationServer,
  over: Readonly<Record<string, string | undefined>>,
): string {
  const url = new URL(as.authorization_endpoint ?? '');
  const params = {
    client_id: 'forecourt-web',
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: ALL,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...over,
  };
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/** From the first page; a browser that is signed in already is not asked again. */
export async function signInAs(
  browser: FormBrowser,
  first: Page,
  userName: string,
  password = PASSWORD,
): Promise<Page> {
  if (!first.text.includes('name="password"')) return first;
  return browser.submit(first, '/password', { user_name: userName, password });
}

/** What a token says, unverified. */
export function claimsOf(jwt: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
}

/** A bare request to an endpoint of the protocol: status and body. */
export async function postForm(
  url: string | undefined,
  fields: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const given = Object.entries(fields).filter((field): field is [string, string] => !!field[1]);
  const body = new URLSearchParams(given);
  const answer = await fetch(String(url), { method: 'POST', body, headers });
  const text = await answer.text();
  const said = (text.startsWith('{') ? JSON.parse(text) : {}) as {
    readonly error?: string;
    readonly access_token?: string;
    readonly scope?: string;
    readonly active?: boolean;
  };
  return { status: answer.status, headers: answer.headers, body: said };
}
