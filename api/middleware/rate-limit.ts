// Holds every caller to the quota of its tier, and tells it in each answer what is left.
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { Caller } from '../auth/caller.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { ProblemError, problemResponse } from '../problems.ts';
import type { TierVerdict } from '../rate-limits/limiter.ts';
import { type Proxies, peerAddress, peerKey } from '../rate-limits/peer.ts';
import { createRefusals } from '../rate-limits/refusals.ts';
import { type Tier, WINDOW_S } from '../rate-limits/tiers.ts';

type Deps = Pick<ApiDeps, 'limiter' | 'proxies'>;

/** A caller's refusal is remembered no longer: without Redis a process refuses more than it need. */
const REFUSED_MS = 1_000;

/** RFC 9110 section 9.2.1: they change nothing. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Before authentication. Whoever brings no credentials is counted by address; whoever does is
 * counted there only when they are refused, so that colleagues behind one address do not share a
 * quota, and an address that only guesses is turned away before anything is verified.
 */
export function limitPeers({ limiter, proxies }: Deps): MiddlewareHandler<ApiEnv> {
  const refusals = createRefusals();
  return async (c, next) => {
    const peer = peerKey(peerOf(c, proxies));
    if (isOpen(c) || c.req.header('authorization') === undefined) {
      hold(c, await limiter.take('public', peer));
      await next();
      return;
    }
    const known = refusals.of(peer);
    if (known !== undefined) throw quotaExceeded(known);
    await next();
    if (c.res.status !== 401) return;
    const verdict = await limiter.take('public', peer);
    setLimitHeaders(c.res.headers, verdict);
    if (verdict.allowed) return;
    refusals.remember(peer, verdict, verdict.resetMs);
    c.res = problemResponse(c, quotaExceeded(verdict));
  };
}

/** By address alone, for an address of a tier of its own. */
export function limitAs(tier: Tier, { limiter, proxies }: Deps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    hold(c, await limiter.take(tier, peerKey(peerOf(c, proxies))));
    await next();
  };
}

/**
 * After authentication, in front of everything that changes something. A read is done while its
 * quota is asked for, and not answered when there is none left: who goes on asking then is turned
 * away without being read for.
 */
export function limitCallers({ limiter }: Deps): MiddlewareHandler<ApiEnv> {
  const refusals = createRefusals();
  return async (c, next) => {
    const caller = c.get('caller');
    const key = keyOf(caller);
    const known = refusals.of(key);
    if (known !== undefined) throw quotaExceeded(known);
    const asked = limiter.take(tierOf(caller), key);
    const isRead = SAFE_METHODS.has(c.req.method);
    if (isRead) await next();
    const verdict = await asked;
    if (!verdict.allowed) refusals.remember(key, verdict, REFUSED_MS);
    hold(c, verdict);
    if (!isRead) await next();
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
