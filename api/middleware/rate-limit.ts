// Holds every caller to the quota of its tier, and tells it in each answer what is left.
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { Caller } from '../auth/caller.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { ProblemError, problemResponse } from '../problems.ts';
import type { TierVerdict } from '../rate-limits/limiter.ts';
import { type Proxies, peerAddress, peerKey } from '../rate-limits/peer.ts';
import { type Tier, WINDOW_S } from '../rate-limits/tiers.ts';

type Deps = Pick<ApiDeps, 'limiter' | 'proxies'>;

/** How many peers a process remembers as refused; each for a window at most. */
const MAX_REFUSED = 10_000;

/**
 * Before authentication. Whoever brings no credentials is counted by address; whoever does is
 * counted there only when they are refused, so that colleagues behind one address do not share a
 * quota, and an address that only guesses is turned away before anything is verified.
 */
export function limitPeers({ limiter, proxies }: Deps): MiddlewareHandler<ApiEnv> {
  const refused = new Map<string, { readonly until: number; readonly verdict: TierVerdict }>();
  return async (c, next) => {
    const peer = peerKey(peerOf(c, proxies));
    if (isOpen(c) || c.req.header('authorization') === undefined) {
      hold(c, await limiter.take('public', peer));
      await next();
      return;
    }
    const known = refused.get(peer);
    if (known !== undefined) {
      const resetMs = known.until - performance.now();
      if (resetMs > 0) throw quotaExceeded({ ...known.verdict, resetMs });
      refused.delete(peer);
    }
    await next();
    if (c.res.status !== 401) return;
    const verdict = await limiter.take('public', peer);
    setLimitHeaders(c.res.headers, verdict);
    if (verdict.allowed) return;
    const [oldest] = refused.keys();
    if (refused.size >= MAX_REFUSED && oldest !== undefined) refused.delete(oldest);
    refused.set(peer, { until: performance.now() + verdict.resetMs, verdict });
    c.res = problemResponse(c, quotaExceeded(verdict));
  };
}

/** After authentication, in front of everything that costs more. */
export function limitCallers({ limiter }: Deps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const caller = c.get('caller');
    hold(c, await limiter.take(tierOf(caller), keyOf(caller)));
    await next();
  };
}

function tierOf(caller: Caller): Tier {
  return caller.actor.kind === 'staff' && caller.via === 'access-token' ? 'staff' : 'key';
}

/** An API key counts for itself, everything else for who holds it: tokens come and go. */
function keyOf({ actor, keyId }: Caller): string {
  return keyId === null ? `${actor.kind}:${actor.id}` : `key:${keyId}`;
}

/** The address that a request came from, for limits and for the audit log. */
export function peerOf(c: Context<ApiEnv>, proxies: Proxies): string {
  // Without a server in front, as in some tests, there is no socket.
  const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage };
  return peerAddress(incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), proxies);
}

/** Nobody looks at credentials there, so bringing some must not make a difference. */
function isOpen(c: Context<ApiEnv>): boolean {
  return !c.req.path.startsWith('/api/');
}

function hold(c: Context<ApiEnv>, verdict: TierVerdict): void {
  if (!verdict.allowed) throw quotaExceeded(verdict);
  for (const [name, value] of Object.entries(limitHeaders(verdict))) c.header(name, value);
}

function setLimitHeaders(headers: Headers, verdict: TierVerdict): void {
  for (const [name, value] of Object.entries(limitHeaders(verdict))) headers.set(name, value);
}

/** For whoever answers outside the app too: status 429 with these headers. */
export function limitHeaders(verdict: TierVerdict): Readonly<Record<string, string>> {
  const resetS = String(Math.max(1, Math.ceil(verdict.resetMs / 1_000)));
  return {
    'ratelimit-policy': `"${verdict.tier}";q=${verdict.quota};w=${WINDOW_S}`,
    ratelimit: `"${verdict.tier}";r=${verdict.remaining};t=${resetS}`,
    'x-ratelimit-limit': String(verdict.quota),
    'x-ratelimit-remaining': String(verdict.remaining),
    'x-ratelimit-reset': resetS,
    ...(!verdict.allowed && { 'retry-after': resetS }),
  };
}

export function quotaExceeded(verdict: TierVerdict): ProblemError {
  const detail = `At most ${verdict.quota} requests in ${WINDOW_S} s are granted here.`;
  return new ProblemError('quota-exceeded', detail, { headers: limitHeaders(verdict) });
}
