// Addresses, heads and times that the API refuses before any rule of the trade is asked.
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, rawBytes, rawRequest, type TestApi, testApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

const CUSTOMERS = '/api/v1/customers';

describe('an address', () => {
  test.each([
    ['/api/v1/rentals/not-a-uuid', 422, 'validation-failed'],
    ['/api/v1/rentals/9223372036854775808', 422, 'validation-failed'],
    ['/api/v1/rentals/%00', 400, 'malformed-url'],
    ['/api/v1/rentals/%zz', 400, 'malformed-url'],
    ['/api/v1/rentals/%ff', 400, 'malformed-url'],
    ['/api/v1/rentals?q=%e4', 400, 'malformed-url'],
    ['/api/v1/rentals/..%2f..%2fetc', 404, 'not-found'],
    ['/api/v1/rentals/..%5cetc', 404, 'not-found'],
    ['/api/v1/nothing', 404, 'not-found'],
    ['/', 404, 'not-found'],
    ['/docs/package.json', 404, 'not-found'],
    ['/api/v1/branches/vie', 422, 'validation-failed'],
    ['/api/v1/rentals/by-number/1000', 422, 'validation-failed'],
    ['/api/v1/rentals/01980a5d-ac96-774b-bcce-b302099a8057', 404, 'not-found'],
  ])('%s is %i %s', async (path, status, slug) => {
    expectProblem(await rawRequest(api, 'GET', path), status, slug);
  });

  test.each([
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1e9',
    'limit=abc',
    'limit=',
    'limit=1&limit=2',
    'cursor=bogus',
    'cursor=bogus&cursor=bogus',
    'status=open',
    'overdue=yes',
    'branchId=%27%20OR%201=1--',
    'customerId=1',
  ])('query ?%s is 422 validation-failed', async (query) => {
    const answer = await api.call('GET', `/api/v1/rentals?${query}`);
    expectProblem(answer, 422, 'validation-failed');
  });

  test('with a query that does not exist is 422 unknown-field', async () => {
    const unknown = await api.call('GET', '/api/v1/rentals?colour=red');
    expectProblem(unknown, 422, 'unknown-field');
    const sorted = await api.call('GET', '/api/v1/rentals?sort=password_hash');
    expectProblem(sorted, 422, 'validation-failed');
  });

  test.each(["' OR 1=1--", '%', '_', '\\', '*', '(a+)+$'])(
    'may search for %s literally',
    async (q) => {
      const answer = await api.call('GET', `${CUSTOMERS}?q=${encodeURIComponent(q)}`);
      expect([answer.status, answer.body]).toEqual([200, { items: [], nextCursor: null }]);
    },
  );

  test('with NUL or too much to search for is 422', async () => {
    expectProblem(await api.call('GET', `${CUSTOMERS}?q=%00`), 422, 'validation-failed');
    const long = 'a'.repeat(10_000);
    expectProblem(await api.call('GET', `${CUSTOMERS}?q=${long}!`), 422, 'too-long');
  });

  test.each(['DELETE', 'PUT', 'TRACE', 'OPTIONS', 'PATCH'])(
    'known, but not for %s, is 405 and says what is offered',
    async (method) => {
      const answer = await rawRequest(api, method, '/api/v1/rentals');
      expectProblem(answer, 405, 'method-not-allowed');
      expect(answer.headers.get('allow')).toBe('POST, GET, HEAD');
    },
  );

  test('known by a pattern is 405 too; unknown ones are 404 for every method', async () => {
    const id = '01980a5d-ac96-774b-bcce-b302099a8057';
    const answer = await rawRequest(api, 'GET', `/api/v1/rentals/${id}/check-out`);
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe('POST');
    expectProblem(await rawRequest(api, 'TRACE', '/api/v1/nothing'), 404, 'not-found');
  });
});

describe('the head of a request', () => {
  test.each(['application/xml', 'text/html', 'application/json;q=0', 'image/*'])(
    'that accepts only %s is 406',
    async (accept) => {
      const answer = await api.call('GET', '/api/v1/branches', { headers: { accept } });
      expectProblem(answer, 406, 'not-acceptable');
    },
  );

  test.each(['*/*', 'application/*', 'text/html, application/json;q=0.5', 'Application/JSON'])(
    'that accepts %s gets JSON',
    async (accept) => {
      const answer = await api.call('GET', '/api/v1/branches', { headers: { accept } });
      expect(answer.status).toBe(200);
    },
  );

  test.each([
    ['Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['two different lengths', 'Content-Length: 5\r\nContent-Length: 6'],
  ])('with %s is 400 by the parser', async (_name, lines) => {
    const head = `POST ${CUSTOMERS} HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n0\r\n\r\n`;
    expect(await rawBytes(api, head)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('without Host is 400, one of 20 kB is 431, also as an address', async () => {
    const none = 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n';
    expect(await rawBytes(api, none)).toMatch(/^HTTP\/1\.1 400 /);
    const long = 'a'.repeat(20_000);
    const header = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`;
    expect(await rawBytes(api, header)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await rawBytes(api, `GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });
});

describe('a time', () => {
  const quote = { branchId: 'VIE', classId: 'CDMR', dueAt: '2099-05-05T10:00:00Z' };

  test.each([
    '2099-02-30T10:00:00Z',
    '2099-05-03T10:00:00',
    '2099-05-03',
    '2099-05-03T25:00:00Z',
    'tomorrow',
    '',
  ])('of "%s" is 422 invalid-time', async (pickUpAt) => {
    const answer = await api.call('POST', '/api/v1/quotes', { body: { ...quote, pickUpAt } });
    expectProblem(answer, 422, 'invalid-time');
    expect(answer.body.errors[0].path).toBe('pickUpAt');
  });

  test('zone that does not exist is 422 invalid-time', async () => {
    const body = { id: 'ZZZ', name: 'Nowhere', timeZone: 'Mars/Olympus', entityId: 'FC-AT' };
    expectProblem(await api.call('POST', '/api/v1/branches', { body }), 422, 'invalid-time');
  });

  test.each([
    ['that ends before it begins', '2099-05-06T10:00:00Z', '2099-05-05T10:00:00Z', 'due-not-later'],
    ['of no length', '2099-05-05T10:00:00Z', '2099-05-05T10:00:00Z', 'due-not-later'],
    ['in the past', '2001-05-05T10:00:00Z', '2001-05-06T10:00:00Z', 'pick-up-in-past'],
    ['of four years', '2099-05-05T10:00:00Z', '2103-05-06T10:00:00Z', 'booking-too-long'],
  ])('span %s is 422', async (_name, pickUpAt, dueAt, slug) => {
    const rental = { branchId: 'VIE', classId: 'CDMR', pickUpAt, dueAt };
    expectProblem(await api.call('POST', '/api/v1/quotes', { body: rental }), 422, slug);
    const body = { ...rental, customerId: '01980a5d-ac96-774b-bcce-b302099a8057' };
    expectProblem(await api.call('POST', '/api/v1/rentals', { body }), 422, slug);
  });
});
