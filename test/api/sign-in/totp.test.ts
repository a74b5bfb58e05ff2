// One-time codes: the vectors of the RFC, an independent implementation, drift, single use, the lock.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Secret, TOTP, URI } from 'otpauth';
import { beforeAll, describe, expect, test } from 'vitest';
import type { SignIn } from '../../../api/auth/sign-in.ts';
import { base32, matchingStep, stepAt, totpCode } from '../../../api/auth/totp.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { hire, testSignIn } from '../../support/staff.ts';

const RFC_SECRET = Buffer.from('12345678901234567890');

describe('the code', () => {
  test.each([
    ['1970-01-01T00:00:59Z', '94287082'],
    ['2005-03-18T01:58:29Z', '07081804'],
    ['2005-03-18T01:58:31Z', '14050471'],
    ['2009-02-13T23:31:30Z', '89005924'],
    ['2033-05-18T03:33:20Z', '69279037'],
    ['2603-10-11T11:33:20Z', '65353130'],
  ])('of RFC 6238, appendix B, at %s is %s', (at, code) => {
    expect(totpCode(RFC_SECRET, stepAt(at), 8)).toBe(code);
  });

  test('is what an independent implementation shows', () => {
    for (let n = 0; n < 200; n += 1) {
      const secret = randomBytes(20);
      const timestamp = Math.floor(Math.random() * 4e12);
      const theirs = new TOTP({
        secret: new Secret({
          buffer: secret.buffer.slice(secret.byteOffset, secret.byteOffset + 20),
        }),
      });
      const at = new Date(timestamp).toISOString();
      expect(totpCode(secret, stepAt(at))).toBe(theirs.generate({ timestamp }));
      expect(base32(secret)).toBe(theirs.secret.base32);
    }
  });

  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('of %i steps from now is accepted: %s', (distance, accepted) => {
    const now = '2026-11-21T12:00:10Z';
    const code = totpCode(RFC_SECRET, stepAt(now) + distance);
    expect(matchingStep(RFC_SECRET, code, now) !== undefined).toBe(accepted);
  });
});

describe('a person with a second factor', () => {
  let t: TestDatabase;
  let signIn: SignIn;
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  beforeAll(async () => {
    t = await testDatabase();
    signIn = testSignIn(t.db, { now: () => new Date(nowMs).toISOString() });
  });

  async function enrolled() {
    const { id } = await hire(t.db, { roles: ['administrator'] });
    const { uri, secret } = await signIn.beginEnrolment(id);
    const app = URI.parse(uri) as TOTP;
    expect(app.secret.base32).toBe(secret);
    nowMs += 60_000;
    const code = app.generate({ timestamp: nowMs });
    const confirmed = await signIn.confirmEnrolment({ staffId: id, code });
    if (confirmed.outcome !== 'ok') throw new Error('not enrolled');
    nowMs += 60_000;
    const present = () => app.generate({ timestamp: nowMs });
    return { staffId: id, present, recoveryCodes: confirmed.recoveryCodes };
  }

  test('enrols an authenticator app by the code that it shows', async () => {
    const { staffId, present } = await enrolled();
    expect(await signIn.totpStep({ staffId, code: present() })).toEqual({ outcome: 'ok' });
  });

  test('does not enrol by a wrong code, and not twice', async () => {
    const { id } = await hire(t.db);
    await signIn.beginEnrolment(id);
    const wrong = { staffId: id, code: '000000' };
    expect(await signIn.confirmEnrolment(wrong)).toEqual({ outcome: 'refused' });
    expect(await signIn.totpStep(wrong)).toEqual({ outcome: 'refused' });
    const { staffId } = await enrolled();
    await expect(signIn.beginEnrolment(staffId)).rejects.toMatchObject({ code: 'invalid-state' });
  });

  test('uses a code once, also when it comes twice at the same time', async () => {
    const { staffId, present } = await enrolled();
    const twice = await Promise.all(
      [1, 2, 3].map(() => signIn.totpStep({ staffId, code: present() })),
    );
    expect(twice.map((each) => each.outcome).sort()).toEqual(['ok', 'refused', 'refused']);
    expect(await signIn.totpStep({ staffId, code: present() })).toEqual({ outcome: 'refused' });
  });

  test('is locked after five wrong codes, even with the right one, and free again later', async () => {
    const { staffId, present } = await enrolled();
    const tries = await Promise.all(
      Array.from({ length: 8 }, () => signIn.totpStep({ staffId, code: '12345' })),
    );
    const outcomes = tries.map((each) => each.outcome).sort();
    expect(outcomes).toEqual([...Array(3).fill('locked'), ...Array(5).fill('refused')]);
    expect(await signIn.totpStep({ staffId, code: present() })).toEqual({ outcome: 'locked' });
    await sql`update people.totp set locked_until = now() - interval '1 s'
      where subject = ${`staff:${staffId}`}`.execute(t.owner);
    expect(await signIn.totpStep({ staffId, code: present() })).toEqual({ outcome: 'ok' });
  });

  test('has ten recovery codes, each good once and none kept in the clear', async () => {
    const { staffId, recoveryCodes } = await enrolled();
    expect(new Set(recoveryCodes).size).toBe(10);
    // 128 bits: a plain hash is enough.
    for (const each of recoveryCodes) expect(each.replaceAll('-', '')).toMatch(/^[a-z2-7]{26}$/);
    const [code = ''] = recoveryCodes;
    const typed = { staffId, code: ` ${code.toUpperCase()} ` };
    const twice = await Promise.all([1, 2].map(() => signIn.recoveryStep(typed)));
    expect(twice.map((each) => each.outcome).sort()).toEqual(['ok', 'refused']);
    const { rows } = await sql<{ dump: string }>`select string_agg(encode(hash, 'escape'), ' ')
      as dump from people.recovery_code`.execute(t.owner);
    expect(rows[0]?.dump).not.toContain(code.replaceAll('-', ''));
  });

  test('has a secret that opens in its own row only', async () => {
    const one = await enrolled();
    const other = await enrolled();
    await sql`update people.totp set secret = (select secret from people.totp
        where subject = ${`staff:${one.staffId}`})
      where subject = ${`staff:${other.staffId}`}`.execute(t.owner);
    const code = one.present();
    await expect(signIn.totpStep({ staffId: other.staffId, code })).rejects.toThrow('people.totp');
  });
});
