// Sign-in by another identity provider (OpenID Connect), for staff who are known there.
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Db } from '../../../db/client.ts';
import { staffByOutsideIdentity } from '../../../db/queries/signed-in.ts';
import type { Step, Visit } from './deps.ts';
import { PageError } from './forms.ts';

export type UpstreamSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What people call it; left out, the issuer's host. */
  readonly name?: string | undefined;
};

export type Upstream = {
  readonly name: string;
  readonly origin: string;
  /** Sends the browser there. */
  readonly leave: (step: Step) => Promise<void>;
  /**
   * The staff member who came back, and whether the provider says that more than one factor proved
   * it; one that says nothing saw one (ASVS 6.8.4). Throws `PageError` for everybody else.
   */
  readonly arrive: (step: Step) => Promise<Arrived>;
};

type Arrived = { readonly staffId: string; readonly severalFactors: boolean };

/** The only address that the other provider needs to know. */
export const UPSTREAM_CALLBACK = '/sign-in/upstream';

type Left = { readonly state: string; readonly nonce: string; readonly verifier: string };

/** Asks the other provider for its metadata at the first sign-in, so that ours starts without it. */
export function upstreamProvider(db: Db, publicUrl: string, settings: UpstreamSettings): Upstream {
  const issuer = new URL(settings.issuer);
  const redirectUri = `${publicUrl}${UPSTREAM_CALLBACK}`;
  let known: Promise<Configuration> | undefined;
  const metadata = () => {
    // Plain HTTP is for a provider on this machine, as in tests.
    const insecure = issuer.hostname === 'localhost' || issuer.hostname === '127.0.0.1';
    const execute = insecure ? { execute: [allowInsecureRequests] } : undefined;
    const { clientId, clientSecret } = settings;
    known ??= discovery(issuer, clientId, clientSecret, undefined, execute).catch(() => {
      known = undefined;
      throw new PageError(503, 'The other provider does not answer. Try again later.');
    });
    return known;
  };
  return {
    name: settings.name ?? issuer.host,
    origin: issuer.origin,
    leave: async ({ ctx, interaction }) => {
      const config = await metadata();
      const verifier = randomPKCECodeVerifier();
      // The callback's address is fixed, so the state leads back to this sign-in.
      const state = `${interaction.uid}.${randomState()}`;
      const left: Left = { state, nonce: randomNonce(), verifier };
      interaction.result = { upstream: left };
      await interaction.persist();
      const url = buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        nonce: left.nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      ctx.status = 303;
      ctx.redirect(url.href);
    },
    arrive: async ({ ctx, interaction }) => {
      const left = interaction.result?.['upstream'] as Left | undefined;
      if (!left) throw new PageError(400, 'This sign-in was not begun here.');
      const came = new URL(`${redirectUri}?${ctx.querystring}`);
      const { subject, methods } = await subjectOf(await metadata(), came, left);
      const staffId = await staffByOutsideIdentity(db, settings.issuer, subject);
      if (staffId === undefined) throw new PageError(403, 'You are not registered here.');
      return { staffId, severalFactors: methods.includes('mfa') };
    },
  };
}

async function subjectOf(config: Configuration, came: URL, left: Left) {
  try {
    const tokens = await authorizationCodeGrant(config, came, {
      expectedState: left.state,
      expectedNonce: left.nonce,
      pkceCodeVerifier: left.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    // RFC 8176: `mfa` says that several factors were used.
    const amr = claims?.['amr'];
    const methods: readonly unknown[] = Array.isArray(amr) ? amr : [];
    return { subject: claims?.sub ?? '', methods };
  } catch {
    throw new PageError(401, 'The other provider did not sign you in.');
  }
}

/** The callback only finds the sign-in again; its cookie is sent below `/sign-in/<uid>` alone. */
export function serveUpstreamCallback({ ctx }: Visit): void {
  const [uid = ''] = String(ctx.query['state'] ?? '').split('.');
  if (!/^[\w-]{20,}$/.test(uid)) throw new PageError(400, 'This sign-in was not begun here.');
  ctx.status = 303;
  ctx.redirect(`/sign-in/${uid}/upstream?${ctx.querystring}`);
}
