// Mailed links, new passwords and sessions: what is good once, and what ends what.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import type { SignIn } from '../../../api/auth/sign-in.ts';
import { createCustomer } from '../../../db/commands/customers.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { freshAddress, hire, PASSWORD, QUICK, testSignIn } from '../../support/staff.ts';

const NEW_PASSWORD = 'three ravens, a hill';

let t: TestDatabase;
let signIn: SignIn;
beforeAll(async () => {
  t = await testDatabase();
  signIn = testSignIn(t.db);
});

/** The tokens in the letters to an address, oldest first. */
async function tokensTo(address: string): Promise<readonly string[]> {
  await signIn.lettersSent();
  const { rows } = await sql<{ body: string }>`select body from people.mail
    where to_address = ${address} and body like '%token=%' order by id`.execute(t.owner);
  return rows.map(({ body }) => /token=([\w-]{43})\b/.exec(body)?.[1] ?? '');
}

async function lastLetterTo(address: string): Promise<string | undefined> {
  await signIn.lettersSent();
  const { rows } = await sql<{ about: string }>`select subject_line as about from people.mail
    where to_address = ${address} order by id desc limit 1`.execute(t.owner);
  return rows[0]?.about;
}

async function resetToken(person: { readonly user_name: string; readonly email: string }) {
  await signIn.requestReset({ userNameOrEmail: person.user_name, address: freshAddress() });
  return (await tokensTo(person.email)).at(-1) ?? '';
}

function open(subject: string): Promise<string> {
  return signIn.openSession({ subject, device: 'Firefox', address: '192.0.2.7' });
}

async function canSignIn(userName: string, password: string): Promise<boolean> {
  const given = { userName, password, address: freshAddress() };
  return (await signIn.passwordStep(given)).outcome === 'ok';
}

describe('a forgotten password', () => {
  test('is replaced by a mailed link: sessions, devices and old tokens end with it', async () => {
    const person = await hire(t.db);
    await open(person.principal);
    const given = { staffId: person.id, description: 'Laptop' };
    const { cookie } = await signIn.rememberDevice(given);
    const token = await resetToken(person);
    expect(await signIn.reset({ token, password: NEW_PASSWORD })).toEqual({ outcome: 'ok' });
    expect(await canSignIn(person.user_name, PASSWORD)).toBe(false);
    expect(await canSignIn(person.user_name, NEW_PASSWORD)).toBe(true);
    expect(await signIn.sessionsOf(person.principal)).toEqual([]);
    expect(await lastLetterTo(person.email)).toBe('Your password was changed');
    const { rows } = await sql`select s.version, (select count(*) from people.remembered_device
        where subject = ${person.principal}) as devices, p.changed_at > s.created_at as changed
      from people.staff s join people.password p on p.subject = 'staff:' || s.id
      where s.id = ${person.id}`.execute(t.owner);
    expect(rows).toEqual([{ version: 2, devices: 0, changed: true }]);
    expect(cookie).toMatch(/^[\w-]{43}$/);
    expect(await actsOf(person.id)).toEqual([
      'system:test staff.hire',
      `${person.principal} staff.remember-device`,
      `${person.principal} staff.change-password`,
    ]);
    expect(await factsOf(person.id)).toEqual([
      'forecourt.staff.hired.v1 1',
      'forecourt.staff.password-changed.v1 2',
    ]);
  });

  test('takes each link once, also when it is used twice at the same time', async () => {
    const token = await resetToken(await hire(t.db));
    const twice = await Promise.all(
      [1, 2].map((n) => signIn.reset({ token, password: `${NEW_PASSWORD} ${n}` })),
    );
    expect(twice.map((each) => each.outcome).sort()).toEqual(['ok', 'refused']);
  });

  test('takes no link that is old, made up, or followed by a newer password', async () => {
    const person = await hire(t.db);
    const [first, second] = [await resetToken(person), await resetToken(person)];
    await signIn.reset({ token: second, password: NEW_PASSWORD });
    const late = await resetToken(person);
    await sql`update people.single_use_token set expires_at = now()
      where hash = sha256(${late}::bytea)`.execute(t.owner);
    for (const token of [first, second, late, 'made-up', '']) {
      const outcome = await signIn.reset({ token, password: 'five gold rings' });
      expect([token, outcome]).toEqual([token, { outcome: 'refused' }]);
    }
  });

  test('keeps the link when the new password is too weak', async () => {
    const token = await resetToken(await hire(t.db));
    const weak = await signIn.reset({ token, password: 'password1234' });
    expect(weak).toEqual({ outcome: 'weak', fault: 'common' });
    expect(await signIn.reset({ token, password: NEW_PASSWORD })).toEqual({ outcome: 'ok' });
  });

  test('is asked for by address too, and answers the same for whom nobody knows', async () => {
    const person = await hire(t.db);
    const { email } = person;
    const address = freshAddress();
    for (const userNameOrEmail of [email.toUpperCase(), 'nobody', 'nobody@example.com', `'; --`]) {
      expect(await signIn.requestReset({ userNameOrEmail, address })).toBeUndefined();
    }
    expect((await tokensTo(email)).length).toBe(1);
    expect(await tokensTo('nobody@example.com')).toEqual([]);
  });

  test('is mailed three times an hour at most, and not to who left', async () => {
    const [busy, gone] = [await hire(t.db), await hire(t.db)];
    for (let n = 0; n < 5; n += 1) await resetToken(busy);
    expect((await tokensTo(busy.email)).length).toBe(3);
    await sql`update people.staff set status = 'left' where id = ${gone.id}`.execute(t.owner);
    await resetToken(gone);
    expect(await tokensTo(gone.email)).toEqual([]);
  });

  test('of which the letter is lost is told to whoever watches, not to who asked', async () => {
    const errors: unknown[] = [];
    const lost = new Error('mail server down');
    const offline = testSignIn(t.db, {
      mail: { send: () => Promise.reject(lost) },
      onLetterFailed: (error) => errors.push(error),
    });
    const { email } = await hire(t.db);
    await offline.requestReset({ userNameOrEmail: email, address: freshAddress() });
    await offline.lettersSent();
    expect(errors).toEqual([lost]);
  });
});

describe('a new password of one who knows the old one', () => {
  test('ends the other sessions and keeps this one', async () => {
    const person = await hire(t.db);
    const [here] = [await open(person.principal), await open(person.principal)];
    const given = { staffId: person.id, sessionId: here, address: freshAddress() };
    const change = (current: string, password: string) =>
      signIn.changePassword({ ...given, current, password });
    expect(await change('wrong one', NEW_PASSWORD)).toEqual({ outcome: 'refused' });
    expect(await change(PASSWORD, 'short')).toEqual({ outcome: 'weak', fault: 'too-short' });
    expect((await signIn.sessionsOf(person.principal)).length).toBe(2);
    expect(await change(PASSWORD, NEW_PASSWORD)).toEqual({ outcome: 'ok' });
    const left = await signIn.sessionsOf(person.principal);
    expect(left.map((session) => session.id)).toEqual([here]);
    expect(await canSignIn(person.user_name, NEW_PASSWORD)).toBe(true);
  });
});

describe('a customer', () => {
  test('comes in by a mailed link, once, as the customer it was mailed to', async () => {
    const id = uuidv7();
    const email = 'Renter@Example.com';
    await createCustomer(t.db, 'system:test', { id, name: 'Rita Renter', email });
    const address = freshAddress();
    await signIn.requestCustomerLink({ email: 'renter@example.com', address });
    await signIn.requestCustomerLink({ email: 'unknown@example.com', address });
    const [token = ''] = await tokensTo('renter@example.com');
    const [reset] = [await signIn.reset({ token, password: NEW_PASSWORD })];
    expect(reset).toEqual({ outcome: 'refused' });
    expect(await signIn.redeemCustomerLink(token)).toBe(id);
    expect(await signIn.redeemCustomerLink(token)).toBeNull();
    expect(await signIn.redeemCustomerLink('made-up')).toBeNull();
    expect(await tokensTo('unknown@example.com')).toEqual([]);
    const { rows } = await sql<{ dump: string }>`select string_agg(encode(hash, 'escape'), ' ')
      as dump from people.single_use_token`.execute(t.owner);
    expect(rows[0]?.dump).not.toContain(token.slice(-20));
  });
});

describe('a session', () => {
  test('is listed with its device and address until it ends', async () => {
    const { principal } = await hire(t.db);
    const [one, two] = [await open(principal), await open(principal)];
    const listed = await signIn.sessionsOf(principal);
    expect(listed.map(({ id }) => id)).toEqual([two, one]);
    expect(listed[0]).toMatchObject({ device: 'Firefox', address: '192.0.2.7' });
    await signIn.endSession({ sessionId: one, reason: 'signed-out' });
    expect((await signIn.sessionsOf(principal)).map(({ id }) => id)).toEqual([two]);
    await signIn.endSessions({ subject: principal, reason: 'revoked' });
    expect(await signIn.sessionsOf(principal)).toEqual([]);
    const { rows } = await sql`select end_reason from people.session
      where subject = ${principal} order by id`.execute(t.owner);
    expect(rows).toEqual([{ end_reason: 'signed-out' }, { end_reason: 'revoked' }]);
  });

  test('is not ended by somebody else', async () => {
    const [mine, other] = [await hire(t.db), await hire(t.db)];
    const sessionId = await open(mine.principal);
    await signIn.endSession({ sessionId, reason: 'revoked', subject: other.principal });
    expect((await signIn.sessionsOf(mine.principal)).length).toBe(1);
  });
});

test('a password is set through what was tested here, at its full price', async () => {
  expect(await QUICK.hash(PASSWORD)).toContain('m=8192');
  const { user_name, email } = await hire(t.db);
  const full = testSignIn(t.db, { passwords: undefined as never });
  const token = await resetToken({ user_name, email });
  await full.reset({ token, password: NEW_PASSWORD });
  const { rows } = await sql<{ hash: string }>`select hash from people.password
    where hash like '%m=65536%'`.execute(t.owner);
  expect(rows.length).toBe(1);
});

async function actsOf(subjectId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ act: string }>`select actor || ' ' || action as act
    from people.audit_entry where subject_id = ${subjectId} order by id`.execute(t.owner);
  return rows.map((row) => row.act);
}

async function factsOf(aggregateId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ fact: string }>`select type || ' ' || seq as fact
    from events.outbox where aggregate_id = ${aggregateId} order by seq`.execute(t.owner);
  return rows.map((row) => row.fact);
}
