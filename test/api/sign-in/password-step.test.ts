// The password step: who gets in and how far, what guessing costs, and what a stranger cannot do.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPasswords } from '../../../api/auth/passwords.ts';
import type { SignIn } from '../../../api/auth/sign-in.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { freshAddress, hire, PASSWORD, QUICK, testSignIn } from '../../support/staff.ts';

/** Many hashes, one after the other, on a machine that does other things too. */
const LONG = { timeout: 120_000 };

let t: TestDatabase;
let signIn: SignIn;
beforeAll(async () => {
  t = await testDatabase();
  signIn = testSignIn(t.db);
});

function attempt(userName: string, address: string, password = 'not the password') {
  return signIn.passwordStep({ userName, password, address });
}

/** Fails that often from the address, one after the other. */
async function fail(userName: string, address: string, times: number): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (let n = 0; n < times; n += 1) outcomes.push((await attempt(userName, address)).outcome);
  return outcomes;
}

describe('the right password', () => {
  test('lets an agent in, and one who decides over money on to the second factor', async () => {
    const agent = await hire(t.db);
    const ok = { outcome: 'ok', staffId: agent.id, next: 'done' };
    expect(await attempt(agent.user_name, freshAddress(), PASSWORD)).toEqual(ok);
    expect(await attempt(` ${agent.user_name.toUpperCase()}`, freshAddress(), PASSWORD)).toEqual(
      ok,
    );
    for (const role of ['branch-manager', 'accountant', 'finance-controller'] as const) {
      const { user_name } = await hire(t.db, { roles: ['counter-agent', role] });
      const outcome = await attempt(user_name, freshAddress(), PASSWORD);
      expect(outcome).toMatchObject({ outcome: 'ok', next: 'enrol' });
    }
  });

  test.each(['suspended', 'left'])(
    'of someone who is %s is refused like a wrong one',
    async (s) => {
      const { id, user_name } = await hire(t.db);
      await sql`update people.staff set status = ${s} where id = ${id}`.execute(t.owner);
      expect(await attempt(user_name, freshAddress(), PASSWORD)).toEqual({ outcome: 'refused' });
    },
  );

  test('forgives what the same person mistyped before from the same address', async () => {
    const { user_name } = await hire(t.db);
    const address = freshAddress();
    await fail(user_name, address, 9);
    expect(await attempt(user_name, address, PASSWORD)).toMatchObject({ outcome: 'ok' });
    expect(await fail(user_name, address, 9)).not.toContain('slowed');
  });
});

describe('guessing', () => {
  test('slows after ten tries from one address, whichever accounts they are for', async () => {
    const address = freshAddress();
    const { user_name } = await hire(t.db);
    for (let n = 0; n < 10; n += 1) await attempt(`nobody-${n}`, address);
    const slowed = await attempt(user_name, address, PASSWORD);
    expect(slowed).toEqual({ outcome: 'slowed', retryAfterS: expect.any(Number) });
    expect(slowed).toMatchObject({ retryAfterS: expect.closeTo(900, -2) });
  });

  test('slows an unknown account as it slows a known one', async () => {
    const { user_name } = await hire(t.db);
    for (const name of [user_name, 'never-hired']) {
      expect(await fail(name, freshAddress(), 12)).toEqual([
        ...Array(10).fill('refused'),
        ...Array(2).fill('slowed'),
      ]);
    }
  });

  test('does not get more tries by making them all at once', async () => {
    const address = freshAddress();
    const { user_name } = await hire(t.db);
    const tries = await Promise.all(Array.from({ length: 30 }, () => attempt(user_name, address)));
    expect(tries.filter((each) => each.outcome === 'refused').length).toBe(10);
  });

  test('from many addresses gets one try from each further one', async () => {
    const { user_name } = await hire(t.db);
    for (let n = 0; n < 10; n += 1) await attempt(user_name, freshAddress());
    const next = freshAddress();
    expect(await fail(user_name, next, 2)).toEqual(['refused', 'slowed']);
  });

  test('is forgotten a quarter of an hour later', async () => {
    const { user_name } = await hire(t.db);
    const address = freshAddress();
    await fail(user_name, address, 10);
    await sql`update people.sign_in_failure set at = at - interval '16 minutes'
      where address = ${address}::inet`.execute(t.owner);
    expect(await attempt(user_name, address, PASSWORD)).toMatchObject({ outcome: 'ok' });
  });

  test('leaves no account names in the database', async () => {
    await attempt('secret-name-typed-here', freshAddress());
    const { rows } = await sql<{ dump: string }>`select string_agg(f::text, ' ') as dump
      from people.sign_in_failure f`.execute(t.owner);
    expect(rows[0]?.dump).not.toContain('secret-name');
    const hex = Buffer.from('secret-name').toString('hex');
    expect(rows[0]?.dump).not.toContain(hex);
  });
});

describe('a stranger who guesses', () => {
  test('does not keep the owner out who comes from elsewhere', async () => {
    const { user_name } = await hire(t.db);
    await fail(user_name, freshAddress(), 12);
    const since = performance.now();
    expect(await attempt(user_name, freshAddress(), PASSWORD)).toMatchObject({ outcome: 'ok' });
    expect(performance.now() - since).toBeGreaterThan(1_000);
  });

  test('does not keep the owner out who sits beside him at a remembered device', async () => {
    const { id, user_name } = await hire(t.db);
    const { cookie } = await signIn.rememberDevice({ staffId: id, description: 'Counter 1' });
    const address = freshAddress();
    await fail(user_name, address, 12);
    const own = { userName: user_name, password: PASSWORD, address, rememberedDevice: cookie };
    expect(await signIn.passwordStep(own)).toMatchObject({ outcome: 'ok' });
    expect(await signIn.passwordStep({ ...own, rememberedDevice: `${cookie}x` })).toMatchObject({
      outcome: 'slowed',
    });
  });

  test('gains nothing from a device of his own, nor endless tries from a stolen one', async () => {
    const [victim, other] = [await hire(t.db), await hire(t.db)];
    const given = { staffId: other.id, description: 'Phone' };
    const { cookie: rememberedDevice } = await signIn.rememberDevice(given);
    const address = freshAddress();
    for (const [userName, tries] of [
      [victim.user_name, 10],
      [other.user_name, 10],
    ] as const) {
      const guess = { userName, password: 'guess', address, rememberedDevice };
      for (let n = 0; n < tries; n += 1) await signIn.passwordStep(guess);
      expect(await signIn.passwordStep(guess)).toMatchObject({ outcome: 'slowed' });
    }
    // His guesses counted against the account that he guessed at.
    expect(await fail(victim.user_name, freshAddress(), 2)).toEqual(['refused', 'slowed']);
  });
});

describe('an unknown name and a wrong password', () => {
  /** How many times longer one takes than the other, by the medians of `tries` by turns. */
  async function ratio(service: SignIn, userName: string, tries: number): Promise<number> {
    const known: number[] = [];
    const unknown: number[] = [];
    for (let n = 0; n < tries; n += 1) {
      const isKnown = n % 2 === 0;
      // Neither is slowed: what is measured is the check itself.
      await sql`delete from people.sign_in_failure`.execute(t.owner);
      const given = { password: 'not the password', address: freshAddress() };
      const since = performance.now();
      const answer = await service.passwordStep({
        ...given,
        userName: isKnown ? userName : `nobody-${n}`,
      });
      (isKnown ? known : unknown).push(performance.now() - since);
      expect(answer).toEqual({ outcome: 'refused' });
    }
    const [slow, quick] = [median(known), median(unknown)];
    return Math.max(slow, quick) / Math.min(slow, quick);
  }

  test.each([
    ['a quick hash', QUICK, 40],
    ['the product’s own, of 64 MiB', createPasswords(), 6],
  ] as const)('are answered the same and take the same, by %s', LONG, async (_what, by, tries) => {
    const service = testSignIn(t.db, { passwords: by });
    const { user_name, principal } = await hire(t.db);
    await sql`update people.password set hash = ${await by.hash(PASSWORD)}
      where subject = ${principal}`.execute(t.owner);
    const ratios: number[] = [];
    // A busy machine may blur a round; without a hash one is many times quicker in each.
    while (ratios.length < 3 && !ratios.some((each) => each < 1.5)) {
      ratios.push(await ratio(service, user_name, tries));
    }
    expect(Math.min(...ratios)).toBeLessThan(1.5);
  });
});

describe('the second factor', () => {
  test('is left out on a remembered device, until that is forgotten or too old', async () => {
    const { id, user_name } = await hire(t.db, { roles: ['accountant'] });
    await sql`insert into people.totp (subject, key_id, secret, confirmed_at)
      values (${`staff:${id}`}, 'k', 'x', now())`.execute(t.owner);
    const { cookie } = await signIn.rememberDevice({ staffId: id, description: 'Laptop' });
    const next = async (rememberedDevice?: string) => {
      const given = { userName: user_name, password: PASSWORD, address: freshAddress() };
      return signIn.passwordStep({ ...given, rememberedDevice });
    };
    expect(await next(cookie)).toMatchObject({ next: 'done' });
    expect(await next()).toMatchObject({ next: 'totp' });
    await sql`update people.remembered_device set expires_at = now()`.execute(t.owner);
    expect(await next(cookie)).toMatchObject({ next: 'totp' });
  });

  test('is asked of whom the company says', async () => {
    const strict = testSignIn(t.db, { secondFactorFor: ['counter-agent'] });
    const { user_name } = await hire(t.db);
    const given = { userName: user_name, password: PASSWORD, address: freshAddress() };
    expect(await strict.passwordStep(given)).toMatchObject({ next: 'enrol' });
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
