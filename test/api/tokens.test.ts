// Which tokens open the API: ours, unspoilt, in time, under the one scheme; and no others.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { type Person, plantStaff, tokenOf } from '../support/people.ts';
import { accessClaims, KID, signBytes, signToken, testJwk } from '../support/tokens.ts';

let api: TestApi;
let person: Person;
beforeAll(async () => {
  api = await testApi();
  person = await plantStaff(api.database.owner);
});

const PATH = '/api/v1/branches';

function ask(token: string): Promise<ApiAnswer> {
  return api.call('GET', PATH, { token });
}

function claims(over: Readonly<Record<string, unknown>> = {}) {
  const { id, sessionId, version } = person;
  return { sub: id, kind: 'staff', sid: sessionId, uv: version, ...over };
}

function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  );
}

function signedText(payload: string): Promise<string> {
  return signBytes(new TextEncoder().encode(payload));
}

function expectRefused(answer: ApiAnswer, slug = 'invalid-token'): void {
  expectProblem(answer, 401, slug);
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
}

test('a token of ours opens it', async () => {
  expect((await ask(await tokenOf(person))).status).toBe(200);
});

test('without Authorization it is 401 unauthenticated, also where there is nothing', async () => {
  for (const path of [PATH, '/api/v1/nothing', '/api/v1/rentals/not-a-uuid']) {
    const answer = await api.call('GET', path, { token: false });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="forecourt"');
  }
});

test('what everybody may see needs no token', async () => {
  for (const path of ['/health/live', '/openapi.json', '/docs']) {
    expect((await api.call('GET', path, { token: false })).status).toBe(200);
  }
});

describe('the head of a token', () => {
  test.each(['none', 'None', 'NONE'])('alg %s is refused', async (alg) => {
    const head = part({ alg, typ: 'at+jwt', kid: KID });
    expectRefused(await ask(`${head}.${part(accessClaims(claims()))}.`));
    expectRefused(await ask(`${head}.${part(accessClaims(claims()))}.${part('signature')}`));
  });

  test('HS256 with our public key as the secret is refused', async () => {
    const input = `${part({ alg: 'HS256', typ: 'at+jwt', kid: KID })}.${part(accessClaims(claims()))}`;
    const mac = createHmac('sha256', JSON.stringify(await testJwk())).update(input);
    expectRefused(await ask(`${input}.${mac.digest('base64url')}`));
  });

  test.each(['../../dev/null', "' or 1=1--", 'unknown', '', undefined, 7])(
    'kid %s is refused',
    async (kid) => expectRefused(await ask(await signToken(claims(), { kid } as never))),
  );

  test.each(['JWT', 'id_token', undefined])('typ %s is refused', async (typ) => {
    expectRefused(await ask(await signToken(claims(), { typ } as never)));
  });

  test('keys that a token brings or names are neither used nor fetched', async () => {
    let hits = 0;
    const canary = createServer((_request, response) => {
      hits += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/jwks`;
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const more of [{ jku: url }, { x5u: url }, { jwk }, { jku: url, kid: 'theirs', jwk }]) {
      const head = { alg: 'ES256', typ: 'at+jwt', kid: KID, ...more };
      const body = new TextEncoder().encode(JSON.stringify(accessClaims(claims())));
      const forged = await new CompactSign(body).setProtectedHeader(head).sign(privateKey);
      expectRefused(await ask(forged));
    }
    canary.close();
    expect(hits).toBe(0);
  });
});

describe('the claims of a token', () => {
  const now = () => Math.floor(Date.now() / 1_000);

  test('expired by 61 s it is token-expired, within the tolerance it is good', async () => {
    const late = await ask(await signToken(claims({ exp: now() - 61 })));
    expectRefused(late, 'token-expired');
    expect((await ask(await signToken(claims({ exp: now() - 30 })))).status).toBe(200);
  });

  test.each([
    ['missing', undefined],
    ['a word', 'abc'],
    ['before 1970', -1],
    ['a number as text', String(Math.floor(Date.now() / 1_000) + 900)],
    ['a fraction', Date.now() / 1_000 + 900.5],
    ['nothing', null],
  ])('exp that is %s is refused', async (_name, exp) => {
    expectRefused(await ask(await signedText(JSON.stringify(accessClaims(claims({ exp }))))));
  });

  test('exp beyond any number is refused', async () => {
    const text = JSON.stringify(accessClaims(claims({ exp: 424_242 })));
    expectRefused(await ask(await signedText(text.replace('424242', '1e400'))));
  });

  test.each([
    ['another audience', { aud: 'urn:other:api' }],
    ['no audience', { aud: undefined }],
    ['another issuer, with our key', { iss: 'https://evil.test' }],
    ['no issuer', { iss: undefined }],
    ['no subject', { sub: undefined }],
    ['a subject that is no id', { sub: "x' or true--" }],
    ['no kind', { kind: undefined }],
    ['the kind system', { kind: 'system' }],
    ['no id of its own', { jti: undefined }],
    ['no client', { client_id: undefined }],
    ['no scope', { scope: undefined }],
    ['no session', { sid: undefined }],
    ['no version', { uv: undefined }],
    ['not yet good', { nbf: Math.floor(Date.now() / 1_000) + 900 }],
  ])('%s is refused', async (_name, over) => {
    expectRefused(await ask(await signToken(claims(over))));
  });
});

describe('the text of a token', () => {
  test('edited under the old signature, or without one, it is refused', async () => {
    const [head, body, signature] = (await tokenOf(person)).split('.') as [string, string, string];
    const edited = part({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), uv: 2 });
    expectRefused(await ask(`${head}.${edited}.${signature}`));
    expectRefused(await ask(`${head}.${body}.`));
    expectRefused(await ask(`${head}.${body}`));
    expectRefused(await ask('x'));
    expectRefused(await ask(`${head}.${body}.${signature}x`));
  });

  test.each(['Basic', 'Token', 'DPoP', ''])(
    'under the scheme "%s" it is refused',
    async (scheme) => {
      const authorization = `${scheme} ${await tokenOf(person)}`.trim();
      const answer = await api.call('GET', PATH, { token: false, headers: { authorization } });
      expectRefused(answer);
    },
  );

  test('twice, or with another beside it, it is refused', async () => {
    const bearer = `Bearer ${await tokenOf(person)}`;
    const headers = { authorization: `${bearer}, ${bearer}` };
    expectRefused(await api.call('GET', PATH, { token: false, headers }));
  });

  test('in the query it is not read, and not logged', async () => {
    const token = await tokenOf(person);
    const answer = await api.call('GET', `${PATH}?access_token=${token}`, { token: false });
    expectProblem(answer, 401, 'unauthenticated');
    const key = 'fck_ABCDEFGH_secretsecretsecretsecretsecretse';
    const keyed = await api.call('GET', `${PATH}?api_key=${key}`, { token: false });
    expectProblem(keyed, 401, 'unauthenticated');
    for (const secret of [token, key]) {
      expect(api.logLines.some((line) => line.includes(secret))).toBe(false);
    }
  });
});
