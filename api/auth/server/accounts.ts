// Who a token is about: the account behind a sign-in session, asked anew for each token.
import {
  type Account,
  type FindAccount,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Db } from '../../../db/client.ts';
import { type SignedIn, signedInBy } from '../../../db/queries/signed-in.ts';
import { SCOPES } from '../../../domain/people.ts';

/** The audience of every access token: this API. */
export const API_RESOURCE = 'urn:forecourt:api';

/** Customers see and book what is theirs; the API narrows these to their own records. */
const CUSTOMER_SCOPES = ['fleet:read', 'rentals:read', 'rentals:write', 'customers:read'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The claims of access tokens about people: `sid`, `uv` (the version of the person), `kind`. */
export type TokenClaims = { readonly sid: string; readonly uv: number; readonly kind: string };

/**
 * Undefined when the session ended or the person may no longer sign in: no code, refresh token or
 * browser session outlives that.
 */
export function accounts(db: Db): FindAccount {
  return async (ctx, sub, token) => {
    const sessionId = sessionOf(ctx, token);
    if (sessionId === undefined || !UUID.test(sessionId)) return undefined;
    const signedIn = await signedInBy(db, sessionId, token?.kind === 'RefreshToken');
    return signedIn?.id === sub ? accountOf(signedIn) : undefined;
  };
}

/** The browser's session takes the id of the sign-in at the request that completes it. */
function sessionOf(ctx: KoaContextWithOIDC, token: Parameters<FindAccount>[2]): string | undefined {
  if (token !== undefined) return 'sessionUid' in token ? token.sessionUid : undefined;
  const session = ctx.oidc.session;
  const signedInNow = ctx.oidc.result?.login?.['sessionId'];
  if (session && typeof signedInNow === 'string') session.uid = signedInNow;
  return session?.uid;
}

function accountOf({ sessionId, id, version, kind, name, userName }: SignedIn): Account {
  const tokenClaims: TokenClaims = { sid: sessionId, uv: version, kind };
  return {
    accountId: id,
    tokenClaims,
    claims: () => ({
      sub: id,
      kind,
      ...(name !== null && { name }),
      ...(userName !== null && { preferred_username: userName }),
    }),
  };
}

export function kindOf(account: Account | undefined): string | undefined {
  return tokenClaimsOf(account)?.kind;
}

export function tokenClaimsOf(account: Account | undefined): TokenClaims | undefined {
  return account?.['tokenClaims'] as TokenClaims | undefined;
}

/** The library's own rules, and ours for sessions that ended and for native applications. */
export function promptPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'session_ended',
        'the sign-in session ended',
        'login_required',
        (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
      ),
    );
  const consent = policy.get('consent');
  consent?.checks.remove('native_client_prompt');
  consent?.checks.add(
    new interactionPolicy.Check(
      'native_client_prompt',
      'native applications need a word from the person',
      'interaction_required',
      asksFirst,
    ),
  );
  return policy;
}

/**
 * Any program on a computer can pretend to be a native application (RFC 8252 section 8.6), so the
 * person is asked. With a device code that was done by confirming the code.
 */
function asksFirst({ oidc }: KoaContextWithOIDC): boolean {
  if (oidc.client?.applicationType !== 'native' || oidc.result?.consent) return false;
  return oidc.route === 'authorization' || oidc.route === 'resume';
}

/** A grant of its own for each authorization, so that each is a family of its own. */
export async function grantFor(ctx: KoaContextWithOIDC) {
  const { oidc } = ctx;
  const agreed = oidc.result?.consent?.grantId;
  if (agreed !== undefined) return oidc.provider.Grant.find(agreed);
  if (asksFirst(ctx) || !oidc.client || !oidc.account) return undefined;
  const grant = new oidc.provider.Grant({
    accountId: oidc.account.accountId,
    clientId: oidc.client.clientId,
  });
  grantAsked(grant, String(oidc.params?.['scope'] ?? ''), kindOf(oidc.account));
  await grant.save();
  return grant;
}

type Grant = NonNullable<KoaContextWithOIDC['oidc']['grant']>;

/** What was asked for, as far as that kind of person may have it; the rest is refused for good. */
export function grantAsked(grant: Grant, asked: string, kind: string | undefined): void {
  const scopes = asked.split(' ');
  grant.addOIDCScope(scopes.filter((scope) => OPENID_SCOPES.includes(scope)));
  const ofApi = scopes.filter((scope) => (SCOPES as readonly string[]).includes(scope));
  const may = (scope: string) => kind !== 'customer' || CUSTOMER_SCOPES.includes(scope);
  grant.addResourceScope(API_RESOURCE, ofApi.filter(may));
  grant.rejectResourceScope(
    API_RESOURCE,
    ofApi.filter((scope) => !may(scope)),
  );
}

export const OPENID_SCOPES: readonly string[] = ['openid', 'offline_access', 'profile'];
