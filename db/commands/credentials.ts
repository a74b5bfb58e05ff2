// What proves who somebody is: passwords, links that are good once, and the simulated mail.
import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { endSessionsIn } from './sessions.ts';

/** Before it is known who it is. */
const SIGN_IN = 'system:sign-in';
const TOKEN_BYTES = 32;

export type LinkPurpose = 'password-reset' | 'customer-sign-in';

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export type Credentials = {
  readonly staffId: string;
  readonly userName: string;
  readonly roles: readonly string[];
  readonly status: string;
  readonly hash: string | null;
  readonly secondFactor: boolean;
};

/** Of the person with that user name, whatever the status. */
export function credentialsOf(db: Db, userName: string): Promise<Credentials | undefined> {
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    const { rows } = await sql<Credentials>`select s.id as "staffId", s.user_name as "userName",
      s.roles, s.status, p.hash, coalesce(t.confirmed_at is not null, false) as "secondFactor"
      from people.staff s
      left join people.password p on p.subject = 'staff:' || s.id
      left join people.totp t on t.subject = 'staff:' || s.id
      where s.user_name = ${userName}`.execute(tx);
    return rows[0];
  });
}

/** The password of a new person, who has no session and no token yet. */
export async function setFirstPassword(tx: Tx, staffId: string, hash: string): Promise<void> {
  await sql`insert into people.password (subject, hash) values (${`staff:${staffId}`}, ${hash})
    on conflict (subject) do nothing`.execute(tx);
}

/**
 * Replaces the password: tokens, sessions (but `exceptSession`), remembered devices and open reset
 * links end with it. Nothing happens for a person who left or is suspended.
 */
export function changePassword(
  db: Db,
  principal: string,
  given: {
    readonly staffId: string;
    readonly hash: string;
    readonly exceptSession?: string | undefined;
  },
): Promise<void> {
  return transact(db, 'people_rw', principal, (tx) => changePasswordIn(tx, given));
}

async function changePasswordIn(
  tx: Tx,
  given: {
    readonly staffId: string;
    readonly hash: string;
    readonly exceptSession?: string | undefined;
  },
): Promise<void> {
  const { staffId, hash } = given;
  const subject = `staff:${staffId}`;
  const { rows } = await sql<{ version: number }>`update people.staff set version = version + 1
    where id = ${staffId} and status = 'active' returning version`.execute(tx);
  const version = rows[0]?.version;
  if (version === undefined) return;
  await sql`insert into people.password (subject, hash) values (${subject}, ${hash})
    on conflict (subject) do update set hash = excluded.hash, changed_at = now()`.execute(tx);
  await sql`delete from people.remembered_device where subject = ${subject}`.execute(tx);
  await sql`update people.single_use_token set used_at = now()
    where subject = ${subject} and used_at is null`.execute(tx);
  await endSessionsIn(tx, subject, 'password-changed', given.exceptSession);
  await publish(tx, {
    type: 'forecourt.staff.password-changed.v1',
    aggregateId: staffId,
    sequence: version,
    data: { staffId },
  });
  await recordAudit(tx, {
    action: 'staff.change-password',
    subjectType: 'staff',
    subjectId: staffId,
  });
}

/** A link's token, for those found by `subjects`; none when too many were asked for lately. */
export function issueLink(
  db: Db,
  given: {
    readonly subject: string;
    readonly purpose: LinkPurpose;
    readonly minutes: number;
    readonly mostInAnHour: number;
  },
): Promise<string | undefined> {
  const { subject, purpose, minutes, mostInAnHour } = given;
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`${purpose} ${subject}`}, 0))`.execute(
      tx,
    );
    const { rows } = await sql`insert into people.single_use_token
        (hash, purpose, subject, expires_at)
      select ${sha256(token)}, ${purpose}, ${subject}, now() + make_interval(mins => ${minutes})
      where (select count(*) from people.single_use_token where subject = ${subject}
        and purpose = ${purpose} and created_at > now() - interval '1 hour') < ${mostInAnHour}
      returning 1`.execute(tx);
    return rows.length > 0 ? token : undefined;
  });
}

/** Whether the link is still good, without using it. */
export function isLinkGood(db: Db, purpose: LinkPurpose, token: string): Promise<boolean> {
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    const { rows } = await sql`select from people.single_use_token where hash = ${sha256(token)}
      and purpose = ${purpose} and used_at is null and expires_at > now()`.execute(tx);
    return rows.length > 0;
  });
}

/** Whom a link belongs to, once: of parallel uses one wins. */
export function redeemLink(
  db: Db,
  purpose: LinkPurpose,
  token: string,
): Promise<string | undefined> {
  return transact(db, 'people_rw', SIGN_IN, (tx) => redeemIn(tx, purpose, token));
}

async function redeemIn(tx: Tx, purpose: LinkPurpose, token: string): Promise<string | undefined> {
  const { rows } = await sql<{ subject: string }>`update people.single_use_token
    set used_at = now() where hash = ${sha256(token)} and purpose = ${purpose}
      and used_at is null and expires_at > now() returning subject`.execute(tx);
  return rows[0]?.subject;
}

/** Uses a reset link and sets the password, both or neither; answers whose it was. */
export function resetPassword(db: Db, token: string, hash: string): Promise<string | undefined> {
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    const subject = await redeemIn(tx, 'password-reset', token);
    if (subject === undefined) return undefined;
    // The link proves who it is: from here on it is that person who acts.
    await sql`select set_config('app.principal', ${subject}, true)`.execute(tx);
    await changePasswordIn(tx, { staffId: subject.slice('staff:'.length), hash });
    return subject;
  });
}

export function keepMail(
  db: Db,
  letter: { readonly to: string; readonly subject: string; readonly text: string },
): Promise<void> {
  return transact(db, 'people_rw', 'system:mail', async (tx) => {
    await sql`insert into people.mail (id, to_address, subject_line, body)
      values (${uuidv7()}, ${letter.to}, ${letter.subject}, ${letter.text})`.execute(tx);
  });
}
