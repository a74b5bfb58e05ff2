// An access token for a demo user, got as a person would: in a browser, by code and PKCE.
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  None,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { stepAt, totpCode } from '../api/auth/totp.ts';
import { SCOPES } from '../domain/people.ts';
import { type FormBrowser, formBrowser, type Page } from './form-browser.ts';

export type DemoUser = {
  readonly userName: string;
  readonly password: string;
  /** In base32, as authenticator apps take it; for those who are asked for a second step. */
  readonly totpSecret?: string | undefined;
};

/** Nothing listens there: the browser stops at the address, which is all that is wanted of it. */
const CALLBACK = 'http://127.0.0.1/callback';

/** `api` is where the running API is; throws an Error that repeats what the page said. */
export async function demoToken(api: string, user: DemoUser): Promise<string> {
  const config = await discovery(
    new URL(`${api}/.well-known/openid-configuration`),
    'forecourt-cli',
    undefined,
    None(),
    { execute: [allowInsecureRequests] },
  );
  const { issuer } = config.serverMetadata();
  const browser = formBrowser(new URL(issuer).origin);
  const verifier = randomPKCECodeVerifier();
  const state = randomState();
  const request = buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: `openid ${SCOPES.join(' ')}`,
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const end = await signIn(browser, await browser.open(request.href), user);
  const tokens = await authorizationCodeGrant(config, end.url, {
    expectedState: state,
    pkceCodeVerifier: verifier,
  });
  return tokens.access_token;
}

async function signIn(browser: FormBrowser, first: Page, user: DemoUser): Promise<Page> {
  const named = { user_name: user.userName, password: user.password };
  let page = await browser.submit(first, '/password', named);
  // Each code is good once: when somebody has just used this one, the next is good already.
  for (const ahead of [0, 1]) {
    if (!page.text.includes('/code"') || user.totpSecret === undefined) break;
    const step = stepAt(new Date().toISOString()) + ahead;
    page = await browser.submit(page, '/code', {
      code: totpCode(fromBase32(user.totpSecret), step),
    });
  }
  if (page.text.includes('/consent"')) page = await browser.submit(page, '/consent');
  if (page.url.searchParams.has('code')) return page;
  const said =
    /role="alert"[^>]*>([^<]*)/.exec(page.text)?.[1] ?? /<h1>([^<]*)/.exec(page.text)?.[1];
  throw new Error(`${user.userName} was not signed in: ${said ?? `status ${page.status}`}`);
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function fromBase32(text: string): Buffer {
  const bits = [...text.toUpperCase().replace(/[^A-Z2-7]/g, '')]
    .map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
