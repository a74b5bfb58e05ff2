// Counts requests by tier and caller: in Redis together with the other processes, or more strictly alone.
import { createHash } from 'node:crypto';
import type { SharedWindow } from './redis.ts';
import { type Quotas, type Tier, WINDOW_S } from './tiers.ts';
import { localWindow, type Verdict } from './window.ts';

export type TierVerdict = Verdict & { readonly tier: Tier };

export type RateLimiter = {
  /** `key` names who asks within the tier; only its hash is kept. Never rejects. */
  readonly take: (tier: Tier, key: string) => Promise<TierVerdict>;
};

export type LimiterOptions = {
  readonly quotas: Quotas;
  /** Left out, this process counts alone, and in full. */
  readonly shared?: SharedWindow | undefined;
  /** Told once each time Redis is lost. */
  readonly onLost?: (error: unknown) => void;
  /** In milliseconds. */
  readonly now?: () => number;
};

const WINDOW_MS = WINDOW_S * 1_000;
/** Alone a process does not know what the others allow: it grants half. */
const SHARE_ALONE = 0.5;
/** After a failure Redis is not asked for so long: requests must not wait for it one by one. */
const PAUSE_MS = 1_000;

export function createRateLimiter(options: LimiterOptions): RateLimiter {
  const { quotas, shared } = options;
  const now = options.now ?? Date.now;
  const local = localWindow(WINDOW_MS, now);
  let askAgainAt = 0;
  return {
    take: async (tier, key) => {
      const counter = `${tier}:${createHash('sha256').update(key).digest('base64url')}`;
      if (shared === undefined) return { tier, ...local.take(counter, quotas[tier], 1) };
      if (now() >= askAgainAt) {
        try {
          const verdict = await shared.take(counter, quotas[tier], WINDOW_MS, 1);
          // So that losing Redis does not hand out the quota a second time.
          if (verdict.allowed) local.note(counter, 1);
          return { tier, ...verdict };
        } catch (error) {
          askAgainAt = now() + PAUSE_MS;
          options.onLost?.(error);
        }
      }
      const alone = Math.max(1, Math.floor(quotas[tier] * SHARE_ALONE));
      return { tier, ...local.take(counter, alone, 1) };
    },
  };
}

/**
 * A try to prove an identity, by whichever way: first the peer's quota, then the account's.
 * `account` is what was typed, known or not, so that the answer does not tell which it is.
 */
export async function takeSignInTry(
  limiter: RateLimiter,
  attempt: { readonly account?: string | undefined; readonly peer: string },
): Promise<TierVerdict> {
  const byPeer = await limiter.take('auth-peer', attempt.peer);
  if (!byPeer.allowed || attempt.account === undefined) return byPeer;
  const account = attempt.account.normalize('NFKC').trim().toLowerCase();
  const byAccount = await limiter.take('auth-account', account);
  return byAccount.allowed && byPeer.remaining < byAccount.remaining ? byPeer : byAccount;
}
