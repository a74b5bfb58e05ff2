// Encrypted sessions: what is sealed opens in its place and once, and nothing personal lies in the clear.
import { createECDH, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { sealMessage } from '../../api/session-keys/keys.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { type SealedSession, sealedSession } from '../support/sealed-session.ts';

let api: TestApi;
let session: SealedSession;
let path: string;
let sequence = 0;
const licence = { number: 'D-PLANTED-77', birthDate: '1990-05-03' };

beforeAll(async () => {
  api = await testApi();
  session = await sealedSession(api);
  path = await newCustomer();
});

async function newCustomer(): Promise<string> {
  const { body } = await api.call('POST', '/api/v1/customers', { body: { name: 'Licensed' } });
  return `/api/v1/customers/${body.id}/licence`;
}

const next = () => ++sequence;

describe('a licence', () => {
  test('goes in and comes out sealed, in both directions', async () => {
    const own = await newCustomer();
    const put = await session.send('PUT', own, next(), { body: licence, ifMatch: '"1"' });
    expect([put.status, put.headers.get('etag')]).toEqual([200, '"2"']);
    expect(Object.keys(put.body)).toEqual(['sealed']);
    const read = await session.send('GET', own, next());
    expect(read.headers.get('x-sequence')).toBe(String(sequence));
    expect(read.text).not.toContain('PLANTED');
    const aad = `GET ${own} ${sequence} ${session.id}`;
    expect(JSON.parse(await session.open(read.body.sealed, aad))).toEqual(licence);
    await expect(
      session.open(read.body.sealed, `PUT ${own} ${sequence} ${session.id}`),
    ).rejects.toThrow();
  });

  test('lies nowhere in the clear: not in the row, events, audit entries or the log', async () => {
    const own = await newCustomer();
    await session.send('PUT', own, next(), { body: licence, ifMatch: '"1"' });
    const { rows } = await sql<{
      text: string;
    }>`select to_jsonb(c)::text as text from rentals.customer c
      union all select encode(licence_number, 'escape') from rentals.customer
        where licence_number is not null
      union all select event::text from events.outbox
      union all select to_jsonb(a)::text from people.audit_entry a
      union all select to_jsonb(k)::text from people.session_key k`.execute(api.database.owner);
    expect(rows.length).toBeGreaterThan(5);
    const everything = rows.map((row) => row.text).join() + api.logLines.join();
    expect(everything).not.toContain('PLANTED');
    expect(everything).not.toContain('1990-05-03');
    const other = await api.call('GET', own.replace('/licence', ''));
    expect(Object.keys(other.body)).not.toContain('licence');
  });

  test('is refused by the same rules as any body, in the clear and without it', async () => {
    const refuse = (body: unknown) => session.send('PUT', path, next(), { body, ifMatch: '"1"' });
    expectProblem(await refuse({ ...licence, role: 'admin' }), 422, 'unknown-field');
    expectProblem(await refuse({ ...licence, birthDate: '1990-02-30' }), 422, 'validation-failed');
    expectProblem(await refuse({ ...licence, number: '' }), 422, 'validation-failed');
    expectProblem(await refuse({ ...licence, number: 'a\u0000' }), 422, 'validation-failed');
    expectProblem(
      await session.send('PUT', path, next(), { body: licence }),
      428,
      'precondition-required',
    );
    const stale = await session.send('PUT', path, next(), { body: licence, ifMatch: '"9"' });
    expectProblem(stale, 412, 'version-conflict');
    expect(stale.text).not.toContain('PLANTED');
  });

  test('that nobody set, or of nobody, is 404', async () => {
    expectProblem(await session.send('GET', await newCustomer(), next()), 404, 'not-found');
    const nobody = '/api/v1/customers/01980a5d-ac96-774b-bcce-b302099a8057/licence';
    expectProblem(await session.send('GET', nobody, next()), 404, 'not-found');
  });
});

describe('a message', () => {
  const failed = async (options: Parameters<SealedSession['send']>[3]) =>
    session.send('PUT', path, next(), { body: licence, ifMatch: '"1"', ...options });

  test('with a flipped bit, cut short, or of another key does not open: one text for all', async () => {
    const other = await sealedSession(api);
    const foreign = Buffer.from(await other.seal('{}', 'PUT'), 'base64url');
    const answers = [
      await failed({ tamper: (sealed) => flipped(sealed, sealed.length - 1) }),
      await failed({ tamper: (sealed) => flipped(sealed, 0) }),
      await failed({ tamper: (sealed) => flipped(sealed, 14) }),
      await failed({ tamper: (sealed) => sealed.subarray(0, 27) }),
      await failed({ tamper: () => Buffer.alloc(0) }),
      await failed({ tamper: () => foreign }),
    ];
    for (const answer of answers) expectProblem(answer, 400, 'decryption-failed');
    expect(new Set(answers.map((answer) => answer.body.detail)).size).toBe(1);
  });

  test('moved to another path, method, sequence or session does not open', async () => {
    const own = `PUT ${path} ${sequence + 1} ${session.id}`;
    const elsewhere = [
      own.replace('/licence', '/licences'),
      own.replace('PUT', 'GET'),
      own.replace(` ${sequence + 1} `, ` ${sequence + 2} `),
      own.replace(session.id, '01980a5d-ac96-774b-bcce-b302099a8057'),
    ];
    for (const sealedFor of elsewhere) {
      expect(sealedFor).not.toBe(own);
      const answer = await session.send('PUT', path, sequence + 1, {
        body: licence,
        ifMatch: '"1"',
        sealedFor,
      });
      expectProblem(answer, 400, 'decryption-failed');
    }
    const another = await sealedSession(api);
    const moved = await session.send('GET', path, next(), { sessionId: another.id });
    expectProblem(moved, 400, 'decryption-failed');
  });

  test('is accepted once, not after a later one, and by one of many at once', async () => {
    const [first, later] = [next(), next()];
    expect((await session.send('GET', path, later)).status).toBe(404);
    expectProblem(await session.send('GET', path, later), 409, 'sequence-reused');
    expectProblem(await session.send('GET', path, first), 409, 'sequence-reused');
    const same = next();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => session.send('GET', path, same)),
    );
    expect(all.filter(({ status }) => status === 404)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  test('that does not open uses up no sequence', async () => {
    const one = next();
    const broken = await session.send('GET', path, one, { tamper: () => randomBytes(40) });
    expectProblem(broken, 400, 'decryption-failed');
    expect((await session.send('GET', path, one)).status).toBe(404);
  });

  test.each(['0', '-1', '1.5', '1e3', '٣', '9'.repeat(16), 'x'])(
    'with the sequence %s is 422',
    async (given) => {
      const headers = { 'x-session-key': session.id, 'x-sequence': encodeURIComponent(given) };
      expectProblem(await api.call('GET', path, { headers }), 422, 'validation-failed');
    },
  );

  test('in the clear is not taken', async () => {
    const headers = { 'if-match': '"1"' };
    const put = await api.call('PUT', path, { body: licence, headers });
    expectProblem(put, 400, 'encryption-required');
    expectProblem(await api.call('GET', path), 400, 'encryption-required');
  });
});

describe('a session', () => {
  test('is of no use without a token, to another person, or to one who may not', async () => {
    const without = await session.send('GET', path, next(), { token: false });
    expectProblem(without, 401, 'unauthenticated');
    const stranger = await tokenOf(await plantStaff(api.database.owner));
    const answer = await session.send('GET', path, next(), { token: stranger });
    expectProblem(answer, 401, 'session-expired');
    const technician = await plantStaff(api.database.owner, { roles: ['technician'] });
    const token = await tokenOf(technician);
    const tamper = () => randomBytes(40);
    expectProblem(await session.send('GET', path, next(), { token, tamper }), 403, 'forbidden');
  });

  test('that is unknown, malformed or over is 401, in the same words', async () => {
    const unknown = { sessionId: '01980a5d-ac96-774b-bcce-b302099a8057' };
    const first = await session.send('GET', path, next(), unknown);
    expectProblem(first, 401, 'session-expired');
    const malformed = await session.send('GET', path, next(), { sessionId: "' or 1=1" });
    expectProblem(malformed, 401, 'session-expired');
    const short = await sealedSession(api);
    await sql`update people.session_key set expires_at = now() - interval '1 second'
      where id = ${short.id}`.execute(api.database.owner);
    const over = await short.send('GET', path, 1);
    expectProblem(over, 401, 'session-expired');
    expect(over.body.detail).toBe(first.body.detail);
  });

  test('is served by every process', async () => {
    const twin = await testApi({ database: api.database, deps: { envelope: api.deps.envelope } });
    const token = await tokenOf(await plantStaff(api.database.owner));
    const own = await sealedSession(api, token);
    const aad = `GET ${path} 1 ${own.id}`;
    const answer = await twin.call('GET', path, {
      token,
      headers: { 'x-session-key': own.id, 'x-sequence': '1', 'x-sealed': await own.seal('', aad) },
    });
    expectProblem(answer, 404, 'not-found');
  });

  test('is made by a key of the curve and by nothing else: 400 invalid-key', async () => {
    const point = createECDH('prime256v1').generateKeys();
    const offCurve = Buffer.from(point);
    offCurve[64] = (offCurve[64] ?? 0) ^ 1;
    const keys = {
      offCurve,
      infinity: Buffer.from([0]),
      zeros: Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]),
      tooLarge: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 255)]),
      otherCurve: createECDH('secp384r1').generateKeys(),
      sameLengthOtherCurve: createECDH('secp256k1').generateKeys(),
      compressed: Buffer.from(createECDH('prime256v1').generateKeys('hex', 'compressed'), 'hex'),
      hybrid: Buffer.concat([Buffer.from([6]), point.subarray(1)]),
      short: point.subarray(0, 64),
      long: Buffer.concat([point, Buffer.alloc(1)]),
      empty: Buffer.alloc(0),
    };
    for (const [name, bytes] of Object.entries(keys)) {
      const body = { publicKey: bytes.toString('base64url') };
      const answer = await api.call('POST', '/api/v1/session-keys', { body });
      expect([name, answer.status, answer.body.type]).toEqual([name, 400, '/problems/invalid-key']);
    }
  });
});

test('100,000 messages have 100,000 different IVs', { timeout: 180_000 }, async () => {
  const key = randomBytes(32);
  const place = { sessionId: 's', method: 'GET', path: '/', sequence: 1 };
  const seen = new Set<string>();
  for (let n = 0; n < 100_000; n += 1) {
    seen.add(sealMessage(key, Buffer.alloc(0), place).toString('latin1', 0, 12));
    if (n % 1_000 === 0) await new Promise(setImmediate);
  }
  expect(seen.size).toBe(100_000);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
