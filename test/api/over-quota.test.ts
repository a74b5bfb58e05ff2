// What over-quota callers cost: a read more is done and kept from them, then nothing, and no change.
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { Caller } from '../../api/auth/caller.ts';
import type { ApiEnv } from '../../api/deps.ts';
import { limitCallers } from '../../api/middleware/rate-limit.ts';
import { ProblemError } from '../../api/problems.ts';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { createRefusals } from '../../api/rate-limits/refusals.ts';
import { DEFAULT_QUOTAS } from '../../api/rate-limits/tiers.ts';

const CALLER = {
  actor: { kind: 'staff', id: '0190a1b2-0000-7000-8000-000000000001' },
  via: 'access-token',
  keyId: null,
} as Caller;

function appOf(quota: number) {
  const limiter = createRateLimiter({ quotas: { ...DEFAULT_QUOTAS, staff: quota } });
  const done = { reads: 0, changes: 0 };
  const app = new Hono<ApiEnv>();
  app.onError((error, c) =>
    c.text('refused', error instanceof ProblemError ? 429 : 500, { 'x-problem': error.message }),
  );
  app.use(async (c, next) => {
    c.set('caller', CALLER);
    await next();
  });
  app.use(limitCallers({ limiter, proxies: trustedProxies(undefined) }));
  app.get('/thing', (c) => {
    done.reads += 1;
    return c.text('secret');
  });
  app.post('/thing', (c) => {
    done.changes += 1;
    return c.text('done');
  });
  return { app, done };
}

test('a read over the quota is not answered, and the next ones are not even done', async () => {
  const { app, done } = appOf(2);
  for (let asked = 0; asked < 2; asked += 1) expect((await app.request('/thing')).status).toBe(200);
  for (let asked = 0; asked < 50; asked += 1) {
    const answer = await app.request('/thing');
    expect(answer.status).toBe(429);
    expect(await answer.text()).toBe('refused');
  }
  // On a machine that stands still for a second, one more may be.
  expect(done.reads).toBeLessThan(10);
});

test('a change over the quota is never done', async () => {
  const { app, done } = appOf(1);
  const ask = () => app.request('/thing', { method: 'POST' });
  expect((await ask()).status).toBe(200);
  for (let asked = 0; asked < 20; asked += 1) expect((await ask()).status).toBe(429);
  expect(done.changes).toBe(1);
});

test('the quota is told with a read as with a change', async () => {
  const { app } = appOf(9);
  const read = await app.request('/thing');
  expect(read.headers.get('x-ratelimit-remaining')).toBe('8');
  const change = await app.request('/thing', { method: 'POST' });
  expect(change.headers.get('x-ratelimit-remaining')).toBe('7');
});

test('a refusal is remembered for its time, and no longer', async () => {
  const refusals = createRefusals();
  const verdict = { tier: 'staff', allowed: false, quota: 1, remaining: 0, resetMs: 30 } as const;
  refusals.remember('a', verdict, 60_000);
  expect(refusals.of('a')?.resetMs).toBeLessThanOrEqual(30);
  expect(refusals.of('b')).toBeUndefined();
  await expect.poll(() => refusals.of('a')).toBeUndefined();
});
