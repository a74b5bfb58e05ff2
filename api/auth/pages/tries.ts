// Tries to prove an identity, held to the quotas of such tries wherever they come in.

import { limitHeaders } from '../../middleware/rate-limit.ts';
import { type RateLimiter, takeSignInTry } from '../../rate-limits/limiter.ts';
import { type Proxies, peerKey, peerOfRequest } from '../../rate-limits/peer.ts';
import type { Context } from './context.ts';
import { PageError } from './forms.ts';

export type TryDeps = { readonly limiter: RateLimiter; readonly proxies: Proxies };

/** Who is on the other end, as text. */
export function addressOf(deps: TryDeps, ctx: Context): string {
  const peer = peerOfRequest(ctx.req, deps.proxies);
  return peer === 'unknown' ? '0.0.0.0' : peer;
}

/** Counts a try; answers in how many seconds the next one is welcome, 0 for this one. */
export async function takeTry(deps: TryDeps, ctx: Context, account?: string): Promise<number> {
  const peer = peerKey(peerOfRequest(ctx.req, deps.proxies));
  const verdict = await takeSignInTry(deps.limiter, { peer, account });
  ctx.set({ ...limitHeaders(verdict) });
  return verdict.allowed ? 0 : Math.max(1, Math.ceil(verdict.resetMs / 1_000));
}

/** As above, for forms that have nothing to keep: throws `PageError` when it is one too many. */
export async function holdTry(deps: TryDeps, ctx: Context, account?: string): Promise<void> {
  const waitS = await takeTry(deps, ctx, account);
  if (waitS > 0) throw new PageError(429, `Too many tries. Wait ${waitS} seconds.`);
}

/**
 * The protocol's own way in: answers true when it has answered for the library. Terminals poll for
 * their tokens, so peers have the quota of the public there, and clients with a secret their own.
 */
export async function refuseFlood(deps: TryDeps, ctx: Context): Promise<boolean> {
  if (ctx.method !== 'POST') return false;
  const guessesCodes = ctx.path === '/oauth/device';
  if (!guessesCodes && !ctx.path.startsWith('/oauth/')) return false;
  if (guessesCodes) {
    if ((await takeTry(deps, ctx)) === 0) return false;
  } else {
    const peer = peerKey(peerOfRequest(ctx.req, deps.proxies));
    const verdict = await deps.limiter.take('public', peer);
    ctx.set({ ...limitHeaders(verdict) });
    const client = basicUser(ctx.get('authorization'));
    if (verdict.allowed && (!client || (await takeTry(deps, ctx, client)) === 0)) return false;
  }
  ctx.status = 429;
  ctx.body = { error: 'slow_down', error_description: 'too many requests' };
  return true;
}

function basicUser(header: string): string | undefined {
  const [scheme, encoded] = header.split(' ');
  if (scheme?.toLowerCase() !== 'basic' || !encoded) return undefined;
  return `client:${Buffer.from(encoded, 'base64').toString().split(':')[0]}`;
}
