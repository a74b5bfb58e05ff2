// Quotas: exact over every position of the window, shared by processes, stricter when alone.
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { createRateLimiter, takeSignInTry } from '../../api/rate-limits/limiter.ts';
import { peerAddress, peerKey, trustedProxies } from '../../api/rate-limits/peer.ts';
import { type SharedWindow, sharedWindow } from '../../api/rate-limits/redis.ts';
import { DEFAULT_QUOTAS, quotasFrom } from '../../api/rate-limits/tiers.ts';
import { localWindow } from '../../api/rate-limits/window.ts';

const open: { readonly close: () => void }[] = [];
afterAll(() => {
  for (const one of open) one.close();
});

async function connected(): Promise<SharedWindow> {
  // A busy machine must not look like a lost Redis.
  const window = sharedWindow(inject('servers').redisUrl, 5_000);
  open.push(window);
  const ready = () => window.take(`ready-${randomUUID()}`, 1, 1_000, 1).then(() => true);
  await expect.poll(() => ready().catch(() => false)).toBe(true);
  return window;
}

describe('the window', () => {
  test('never holds more than the quota, wherever it begins', () => {
    let now = 1_700_000_000_123;
    const window = localWindow(60_000, () => now);
    const allowed: number[] = [];
    for (let index = 0; index < 4_000; index += 1) {
      now += 37 + ((index * 7_919) % 400);
      if (window.take('a', 50, 1).allowed) allowed.push(now);
    }
    expect(allowed.length).toBeGreaterThan(500);
    for (const end of allowed) {
      const inside = allowed.filter((at) => at > end - 60_000 && at <= end);
      expect(inside.length).toBeLessThanOrEqual(50);
    }
  });

  test('says when there is more again, and keeps that promise', () => {
    let now = 0;
    const window = localWindow(60_000, () => now);
    for (let index = 0; index < 5; index += 1) window.take('a', 5, 1);
    const refused = window.take('a', 5, 1);
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    expect(refused.resetMs).toBeLessThanOrEqual(65_000);
    now += refused.resetMs;
    expect(window.take('a', 5, 1)).toMatchObject({ allowed: true, remaining: 4 });
  });

  test('in Redis slides too, and its counters end by themselves', async () => {
    const window = await connected();
    const key = randomUUID();
    const take = () => window.take(key, 3, 600, 1);
    const first = [await take(), await take(), await take(), await take()];
    expect(first.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    await new Promise((resolve) => setTimeout(resolve, first[3]?.resetMs));
    expect((await take()).allowed).toBe(true);
  });
});

describe('a limit', () => {
  test('is one for all processes: of 400 at once exactly the quota passes', async () => {
    const quotas = quotasFrom('staff=150');
    const processes = await Promise.all([connected(), connected()]);
    const limiters = processes.map((shared) => createRateLimiter({ quotas, shared }));
    const ask = async (n: number) => limiters[n % 2]?.take('staff', key);
    const key = randomUUID();
    const verdicts = [];
    for (let round = 0; round < 10; round += 1) {
      verdicts.push(...(await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n)))));
    }
    expect(verdicts.filter((verdict) => verdict?.allowed)).toHaveLength(150);
  });

  test('of one caller, or of one tier, is not used up by another', async () => {
    const limiter = createRateLimiter({ quotas: quotasFrom('key=1,staff=1') });
    expect((await limiter.take('key', 'a')).allowed).toBe(true);
    expect((await limiter.take('key', 'a')).allowed).toBe(false);
    expect((await limiter.take('key', 'b')).allowed).toBe(true);
    expect((await limiter.take('staff', 'a')).allowed).toBe(true);
  });

  test('of signing in counts the account however it is spelled, and the peer for all accounts', async () => {
    const limiter = createRateLimiter({ quotas: DEFAULT_QUOTAS });
    const tries = [];
    for (const account of ['Anna', 'anna', ' ANNA ', 'anna', 'anna', 'anna']) {
      tries.push(await takeSignInTry(limiter, { account, peer: '192.0.2.1' }));
    }
    expect(tries.map((verdict) => verdict.allowed)).toEqual([true, true, true, true, true, false]);
    expect(tries.at(-1)).toMatchObject({ tier: 'auth-account', quota: 5, remaining: 0 });
    for (let index = 6; index < 30; index += 1) {
      const account = `guess-${index}`;
      expect((await takeSignInTry(limiter, { account, peer: '192.0.2.1' })).allowed).toBe(true);
    }
    const last = await takeSignInTry(limiter, { account: 'another', peer: '192.0.2.1' });
    expect(last).toMatchObject({ allowed: false, tier: 'auth-peer', quota: 30 });
  });
});

describe('without Redis', () => {
  const quotas = DEFAULT_QUOTAS;
  /** All within one moment: a busy machine's second would end in the middle of it. */
  const now = () => 1_000_000;

  test('half is granted, at once, and the loss is told once a second', async () => {
    const lost: unknown[] = [];
    const shared = sharedWindow('redis://127.0.0.1:1');
    open.push(shared);
    const limiter = createRateLimiter({ quotas, shared, now, onLost: (e) => lost.push(e) });
    const started = performance.now();
    const tries = [];
    for (let index = 0; index < 400; index += 1) tries.push(await limiter.take('staff', 'a'));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(tries.filter((verdict) => verdict.allowed)).toHaveLength(300);
    expect(lost).toHaveLength(1);
    const signIns = [];
    for (let index = 0; index < 6; index += 1) {
      signIns.push(await takeSignInTry(limiter, { account: 'anna', peer: '192.0.2.1' }));
    }
    expect(signIns.filter((verdict) => verdict.allowed)).toHaveLength(2);
  });

  test('that stops answering, only one request in a second waits, for 50 ms', async () => {
    const frozen = await freezable();
    const shared = sharedWindow(`redis://127.0.0.1:${frozen.port}`);
    open.push(shared, frozen);
    const answers = () => shared.take(`ready-${randomUUID()}`, 1, 1_000, 1).then(() => true);
    await expect.poll(() => answers().catch(() => false)).toBe(true);
    frozen.freeze();
    const limiter = createRateLimiter({ quotas, shared, now });
    const waited: number[] = [];
    for (let index = 0; index < 50; index += 1) {
      const started = performance.now();
      await limiter.take('public', 'a');
      waited.push(performance.now() - started);
    }
    expect(Math.max(...waited)).toBeGreaterThan(40);
    expect(Math.max(...waited)).toBeLessThan(1_000);
    // One waits for Redis; some more may have waited for the machine.
    expect(waited.filter((ms) => ms > 40).length).toBeLessThanOrEqual(10);
  });

  test('what was used before it went stays used, and it is asked again later', async () => {
    let now = 0;
    const up: SharedWindow = {
      take: async (_key, quota) => ({ allowed: true, quota, remaining: 1, resetMs: 1 }),
      close: () => undefined,
    };
    let current = up;
    const shared: SharedWindow = { ...up, take: (...asked) => current.take(...asked) };
    const limiter = createRateLimiter({ quotas, shared, now: () => now });
    for (let index = 0; index < 50; index += 1) await limiter.take('key', 'a');
    current = { ...up, take: () => Promise.reject(new Error('gone')) };
    expect((await limiter.take('key', 'a')).allowed).toBe(false);
    current = up;
    expect((await limiter.take('key', 'a')).allowed).toBe(false);
    now += 1_001;
    expect((await limiter.take('key', 'a')).allowed).toBe(true);
  });
});

describe('the peer', () => {
  const proxies = trustedProxies('10.0.0.0/8, 2001:db8:1::/48,192.0.2.7');

  test.each<[string | undefined, string | undefined, string, string]>([
    ['198.51.100.1', '203.0.113.9', '198.51.100.1', 'a stranger cannot say who he is'],
    ['10.1.2.3', '203.0.113.9', '203.0.113.9', 'our proxy can'],
    ['10.1.2.3', '1.1.1.1, 203.0.113.9', '203.0.113.9', 'only the part that it wrote counts'],
    ['10.1.2.3', '1.1.1.1, 203.0.113.9, 192.0.2.7', '203.0.113.9', 'through two of ours'],
    ['::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9', 'whichever socket it came in by'],
    ['2001:db8:1::5', '203.0.113.9', '203.0.113.9', 'in the newer form'],
    ['10.1.2.3', 'nonsense', '10.1.2.3', 'nonsense is nobody'],
    ['10.1.2.3', undefined, '10.1.2.3', 'silent, it speaks for itself'],
    ['10.1.2.3', '203.0.113.9, nonsense', '10.1.2.3', 'nonsense hides what was before'],
    [undefined, '203.0.113.9', 'unknown', 'without a socket there is nobody to believe'],
  ])('%s with %s is %s: %s', (socket, forwarded, peer) => {
    expect(peerAddress(socket, forwarded, proxies)).toBe(peer);
  });

  test('of IPv6 is counted by its /64', () => {
    expect(peerKey('2001:db8:0:7:1:2:3:4')).toBe(peerKey('2001:db8:0:7::9'));
    expect(peerKey('2001:db8:0:7::9')).not.toBe(peerKey('2001:db8:0:8::9'));
    expect(peerKey('::1')).toBe('0:0:0:0::/64');
    expect(peerKey('198.51.100.1')).toBe('198.51.100.1');
  });

  test.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', '10.0.0.0/', '::/129', '1.2.3.4/8/9'])(
    'is not found by a list with %s in it',
    (list) => expect(() => trustedProxies(list)).toThrow(/TRUSTED_PROXIES/),
  );

  test.each(['staff', 'staff=0', 'staff=-1', 'nobody=5', 'staff=1.5', 'staff=1=2'])(
    'has no quota by %s',
    (text) => expect(() => quotasFrom(text)).toThrow(/RATE_LIMITS/),
  );
});

/** A way to Redis that can be made to carry nothing any more. */
async function freezable() {
  const redis = new URL(inject('servers').redisUrl);
  let isFrozen = false;
  const server = createServer((socket) => {
    const onward = connect(Number(redis.port), redis.hostname);
    open.push({ close: () => [socket, onward].forEach((end) => void end.destroy()) });
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.on('data', (bytes) => isFrozen || onward.write(bytes));
    onward.on('data', (bytes) => isFrozen || socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const freeze = () => {
    isFrozen = true;
  };
  return { port, freeze, close: () => void server.close() };
}
