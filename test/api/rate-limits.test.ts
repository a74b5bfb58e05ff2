// The API with the quotas that a company starts with: each tier's next request is 429, and says why.
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { type SharedWindow, sharedWindow } from '../../api/rate-limits/redis.ts';
import { DEFAULT_QUOTAS } from '../../api/rate-limits/tiers.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

const limiter = () => createRateLimiter({ quotas: DEFAULT_QUOTAS });
/** Proxies are trusted on loopback here, so that one test can come from many addresses. */
const proxies = trustedProxies('127.0.0.0/8');

let api: TestApi;
beforeAll(async () => {
  api = await testApi({ deps: { limiter: limiter(), proxies } });
});

/** A busy machine must not look like a lost Redis where the count is to be exact. */
const PATIENT_MS = 5_000;

/** For everybody, and little to deliver. */
const SMALL = '/docs/start.js';

let addresses = 0;
const fresh = () => `198.51.${Math.floor(addresses / 250)}.${(addresses++ % 250) + 1}`;

/** Many at once; answers how many had each status. */
async function storm(count: number, ask: () => Promise<{ readonly status: number }>) {
  const statuses: Record<number, number> = {};
  for (let sent = 0; sent < count; sent += 50) {
    const batch = Array.from({ length: Math.min(50, count - sent) }, ask);
    for (const { status } of await Promise.all(batch))
      statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

/** For a machine with much else to do. */
const PATIENTLY = { timeout: 90_000 };

describe('the default quotas', PATIENTLY, () => {
  test('let a staff member ask 600 times a minute, from wherever', async () => {
    const token = await tokenOf(await plantStaff(api.database.owner));
    const ask = () =>
      api.call('GET', '/api/v1/branches', { token, headers: { 'x-forwarded-for': fresh() } });
    const first = await ask();
    expect(first.headers.get('ratelimit-policy')).toBe('"staff";q=600;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"staff";r=599;t=\d+$/);
    expect(first.headers.get('x-ratelimit-limit')).toBe('600');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('599');
    expect(await storm(600, ask)).toEqual({ 200: 599, 429: 1 });
    const refused = await ask();
    expectProblem(refused, 429, 'quota-exceeded');
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(65);
    expect(refused.headers.get('ratelimit')).toBe(`"staff";r=0;t=${wait}`);
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(refused.headers.get('x-ratelimit-reset')).toBe(String(wait));
    const colleague = await tokenOf(await plantStaff(api.database.owner));
    expect((await api.call('GET', '/api/v1/branches', { token: colleague })).status).toBe(200);
  });

  test('let strangers ask 300 times a minute by address, whatever they claim to be', async () => {
    const from = fresh();
    const ask = () =>
      api.call('GET', SMALL, { token: false, headers: { 'x-forwarded-for': from } });
    expect(await storm(310, ask)).toEqual({ 200: 300, 429: 10 });
    const liar = () =>
      api.call('GET', SMALL, {
        token: false,
        headers: { 'x-forwarded-for': `${fresh()}, ${from}` },
      });
    expect(await storm(100, liar)).toEqual({ 429: 100 });
    const headers = { 'x-forwarded-for': from, authorization: 'Bearer of-nothing' };
    const withToken = () => api.call('GET', SMALL, { token: false, headers });
    expect(await storm(10, withToken)).toEqual({ 429: 10 });
    expect((await api.call('GET', SMALL, { token: false })).status).toBe(200);
  });

  test('let an address be refused 300 times; then it is not listened to, whatever it brings', async () => {
    const from = fresh();
    const guess = (token: string) =>
      api.call('GET', '/api/v1/branches', { token, headers: { 'x-forwarded-for': from } });
    expect(await storm(310, () => guess('guessed'))).toEqual({ 401: 300, 429: 10 });
    const token = await tokenOf(await plantStaff(api.database.owner));
    expectProblem(await guess(token), 429, 'quota-exceeded');
    const elsewhere = { 'x-forwarded-for': fresh() };
    const answer = await api.call('GET', '/api/v1/branches', { token, headers: elsewhere });
    expect(answer.status).toBe(200);
  });

  test('do not count asking for health', async () => {
    const ask = () => api.call('GET', '/health/live', { token: false });
    expect(await storm(310, ask)).toEqual({ 200: 310 });
    expect((await ask()).headers.get('ratelimit')).toBeNull();
  });
});

describe('X-Forwarded-For', PATIENTLY, () => {
  test('from nobody who is trusted changes nothing, another one each time', async () => {
    const strict = await testApi({
      database: api.database,
      deps: { limiter: limiter(), proxies: trustedProxies('10.0.0.0/8') },
    });
    const ask = () =>
      strict.call('GET', SMALL, {
        token: false,
        headers: { 'x-forwarded-for': fresh() },
      });
    expect(await storm(400, ask)).toEqual({ 200: 300, 429: 100 });
  });
});

describe('two processes of the API', PATIENTLY, () => {
  test('share one quota', async () => {
    const windows: readonly SharedWindow[] = [1, 2].map(() =>
      sharedWindow(inject('servers').redisUrl, PATIENT_MS),
    );
    await Promise.all(
      windows.map((shared) =>
        expect.poll(() => shared.take('ready', 9_999, 9, 1).then(Boolean, () => false)).toBe(true),
      ),
    );
    const both = await Promise.all(
      windows.map((shared) => {
        const shares = createRateLimiter({ quotas: DEFAULT_QUOTAS, shared });
        return testApi({ database: api.database, deps: { limiter: shares, proxies } });
      }),
    );
    const token = await tokenOf(await plantStaff(api.database.owner));
    let sent = 0;
    const ask = async () => {
      const one = both[sent++ % 2] ?? api;
      return one.call('GET', '/api/v1/branches', { token });
    };
    const statuses = await storm(640, ask);
    for (const shared of windows) shared.close();
    expect(Math.abs((statuses[200] ?? 0) - 600)).toBeLessThanOrEqual(1);
    expect(statuses[429]).toBe(640 - (statuses[200] ?? 0));
  });
});
