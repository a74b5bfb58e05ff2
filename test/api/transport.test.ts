// What surrounds every answer: other sites, compression, caching, HTTPS, and callers that dawdle.
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { corsOrigins } from '../../api/middleware/cors.ts';
import { expectProblem, rawRequest, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

const SITE = 'https://counter.rental.invalid';
const BRANCHES = '/api/v1/branches';

let api: TestApi;
/** Ends with the time that it took until a body that stalls was cut off: all else goes on. */
let stalled: Promise<number>;
beforeAll(async () => {
  api = await testApi({ deps: { corsOrigins: [SITE, 'http://localhost:5173'], isHttps: true } });
  stalled = stallingBody(await tokenOf(await plantStaff(api.database.owner)));
});

describe('another site', () => {
  const preflight = (origin: string) =>
    api.call('OPTIONS', BRANCHES, {
      token: false,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  test('on the list may call, without cookies', async () => {
    const asked = await preflight(SITE);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(SITE);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
    expect(asked.headers.get('vary')).toContain('Origin');
    const answer = await api.call('GET', BRANCHES, { headers: { origin: SITE } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(SITE);
    expect(answer.headers.get('access-control-expose-headers')).toContain('etag');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  test('on the list is told of refusals too', async () => {
    const answer = await api.call('GET', BRANCHES, { token: false, headers: { origin: SITE } });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('access-control-allow-origin')).toBe(SITE);
  });

  test.each([
    'https://evil.invalid',
    'null',
    `${SITE}.evil.invalid`,
    'https://evil-counter.rental.invalid',
    'http://counter.rental.invalid',
    `${SITE}:8443`,
    'https://COUNTER.rental.invalid',
    'http://localhost:51730',
    '',
  ])('that is not on it may not: %s', async (origin) => {
    for (const answer of [
      await preflight(origin),
      await api.call('GET', BRANCHES, { headers: { origin } }),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  });

  test.each(['*', 'null', 'counter.rental.invalid', `${SITE}/`, `${SITE}/path`, 'https://*.a.b'])(
    'cannot be listed as %s',
    (entry) => expect(() => corsOrigins(`${SITE},${entry}`)).toThrow(/CORS_ORIGINS/),
  );

  test('is not listed by default', async () => {
    expect(corsOrigins(undefined)).toEqual([]);
    const strict = await testApi({ database: api.database });
    const answer = await strict.call('GET', BRANCHES, { headers: { origin: SITE } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('an answer', () => {
  const encoded = async (path: string, accepted: string) => {
    const answer = await fetchRaw(path, accepted);
    return { ...answer, encoding: answer.headers['content-encoding'] };
  };

  test.each([
    ['br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['br;q=0.2, gzip;q=0.8', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
    ['br;q=0, *', 'gzip', gunzipSync],
  ])('that is large comes smaller to who accepts %s', async (accepted, encoding, expand) => {
    const plain = await encoded('/openapi.json', 'identity');
    const small = await encoded('/openapi.json', accepted);
    expect(plain.encoding).toBeUndefined();
    expect(small.encoding).toBe(encoding);
    expect(small.headers.vary).toContain('Accept-Encoding');
    expect(small.body.length).toBeLessThan(plain.body.length / 4);
    expect(expand(small.body).equals(plain.body)).toBe(true);
  });

  test('comes as it is to who does not, and when it is small', async () => {
    for (const accepted of ['', 'identity', 'br;q=0, gzip;q=0', 'zstd']) {
      expect((await encoded('/openapi.json', accepted)).encoding).toBeUndefined();
    }
    expect((await encoded('/api/v1/branches', 'br')).encoding).toBeUndefined();
  });

  test('is kept by nobody, but for the description and its pages', async () => {
    const kept = async (path: string) => (await api.call('GET', path)).headers.get('cache-control');
    expect(await kept(BRANCHES)).toBe('no-store');
    expect(await kept('/api/v1/nothing')).toBe('no-store');
    expect(await kept('/health/live')).toBe('no-store');
    expect(await kept('/openapi.json')).toBe('public, max-age=300');
    expect(await kept('/docs')).toBe('public, max-age=300');
    expect(await kept('/docs/swagger-ui.css')).toBe('public, max-age=86400');
    expect(await kept('/docs/nothing.js')).toBe('no-store');
  });

  test('says HTTPS only, for two years, where the API is reached by it', async () => {
    const hsts = 'max-age=63072000; includeSubDomains';
    for (const path of [BRANCHES, '/nothing', '/health/live']) {
      const answer = await api.call('GET', path);
      expect(answer.headers.get('strict-transport-security')).toBe(hsts);
    }
    const plain = await testApi({ database: api.database });
    const answer = await plain.call('GET', BRANCHES);
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  });

  test('leaves the connection open for longer than a balancer in front keeps it idle', async () => {
    expect((await api.call('GET', BRANCHES)).headers.get('keep-alive')).toBe('timeout=65');
  });

  test('to TRACE repeats nothing: 405 with Allow', async () => {
    const answer = await rawRequest(api, 'TRACE', BRANCHES, { 'x-secret': 'planted' });
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toContain('GET');
    expect(answer.text).not.toContain('planted');
  });
});

test('a body that stalls is cut off within 30 s', { timeout: 45_000 }, async () => {
  expect(await stalled).toBeLessThan(31_000);
  expect((await api.call('GET', BRANCHES)).status).toBe(200);
});

function stallingBody(token: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect(api.listening.port, '127.0.0.1', () =>
      socket.write(
        `POST ${BRANCHES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
          'Idempotency-Key: stalled\r\nContent-Type: application/json\r\n' +
          'Content-Length: 1000\r\n\r\n{"id":',
      ),
    );
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(performance.now() - started));
    socket.resume();
  });
}

type RawAnswer = {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** `fetch` would undo the encoding. */
async function fetchRaw(path: string, accepted: string): Promise<RawAnswer> {
  const authorization = `Bearer ${await tokenOf(await plantStaff(api.database.owner))}`;
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'accept-encoding': accepted };
    request(`${api.url}${path}`, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}
