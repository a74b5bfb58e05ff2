// Passwords: hashed as stated, refused when they are short, long or on everybody's list.
import { argon2Sync, randomBytes } from 'node:crypto';
import { dictionary } from '@zxcvbn-ts/language-common';
import { describe, expect, test } from 'vitest';
import { createPasswords, HashingBusy, passwordFault } from '../../../api/auth/passwords.ts';
import { QUICK } from '../../support/staff.ts';

describe('a hash', () => {
  test('is Argon2id with 64 MiB, three passes and four lanes, salted for itself', async () => {
    const { hash, verify } = createPasswords();
    const first = await hash('correct horse battery');
    expect(first).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=4\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await hash('correct horse battery')).not.toBe(first);
    expect(await verify('correct horse battery', first)).toBe(true);
    expect(await verify('correct horse batterz', first)).toBe(false);
  });

  test('is what Argon2id makes of the password and the salt that it names', async () => {
    const phc = await QUICK.hash('a plain pass phrase');
    const [, , , , salt, hash] = phc.split('$');
    const again = argon2Sync('argon2id', {
      message: 'a plain pass phrase',
      nonce: Buffer.from(salt ?? '', 'base64'),
      parallelism: 1,
      tagLength: 32,
      memory: 8_192,
      passes: 2,
    });
    expect(again.toString('base64').replaceAll('=', '')).toBe(hash);
  });

  test('takes the same password typed on another keyboard for the same', async () => {
    const composed = 'caf\u00e9 au lait, please';
    const decomposed = 'cafe\u0301 au lait, please';
    expect(await QUICK.verify(decomposed, await QUICK.hash(composed))).toBe(true);
  });

  test('of nobody costs a comparison and never matches', async () => {
    expect(await QUICK.verify('whatever it is', undefined)).toBe(false);
  });

  test('waits when there are many, and is refused when there are too many', async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 60 }, () => QUICK.verify('x'.repeat(12), undefined)),
    );
    const refused = tries.filter((each) => each.status === 'rejected');
    expect(refused.map((each) => each.reason)).toEqual(
      Array.from({ length: 18 }, () => expect.any(HashingBusy)),
    );
    expect(await QUICK.verify('x'.repeat(12), undefined)).toBe(false);
  });
});

describe('a new password', () => {
  test.each([
    ['eleven char', 'too-short'],
    ['twelve chars', undefined],
    [`${'ab '.repeat(42)}ab`, undefined],
    [`${'ab '.repeat(43)}`, 'too-long'],
    ['p\u{1f511}'.repeat(5), 'too-short'],
    ['no rule about characters', undefined],
    ['qwertyuiop123', 'common'],
    ['QwertyUiop2026!!', 'common'],
    ['PasswordPassword', 'common'],
    ['aaaaaaaaaaaaaaaa', 'common'],
    ['1q2w3e4r5t6y', 'common'],
    ['Forecourt2026', 'common'],
    ['branch-manager 1', 'common'],
    ['ForecourtForecourt', 'common'],
    ['forecourt in winter', undefined],
  ])('%j: %s', async (password, fault) => {
    expect(await passwordFault(password)).toBe(fault);
  });

  test('is none of the 3,000 that are tried first, in any case', async () => {
    const first = dictionary['passwords-common'].slice(0, 3_000);
    for (const each of first) expect(await passwordFault(each)).toBeDefined();
    const long = dictionary['passwords-common'].filter((each) => each.length >= 12);
    expect(long.length).toBeGreaterThan(100);
    for (const each of long) expect(await passwordFault(each.toUpperCase())).toBe('common');
  });

  test('that is random is accepted', async () => {
    for (let n = 0; n < 200; n += 1) {
      expect(await passwordFault(randomBytes(9).toString('base64'))).toBeUndefined();
    }
  });
});
