// Sign-in sessions: a device on which somebody signed in, until that ends.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';

/** Why a session ended; `expired` ones end by their time and have no reason. */
export type SessionEnd = 'signed-out' | 'revoked' | 'password-changed' | 'left' | 'token-reused';

export type SessionView = {
  readonly id: string;
  readonly device: string;
  readonly address: string | null;
  readonly signedInAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
};

/** As long as the refresh tokens of a session live, at most. */
const SESSION_DAYS = 30;
const MAX_DEVICE = 200;

/** `subject` and `principal` are principals; answers the session's id. */
export function openSession(
  db: Db,
  given: { readonly subject: string; readonly device: string; readonly address: string | null },
): Promise<string> {
  return transact(db, 'people_rw', given.subject, async (tx) => {
    const id = uuidv7();
    await sql`insert into people.session (id, subject, device, address, expires_at)
      values (${id}, ${given.subject}, ${given.device.slice(0, MAX_DEVICE)}, ${given.address}::inet,
        now() + make_interval(days => ${SESSION_DAYS}))`.execute(tx);
    await recordAudit(tx, { action: 'session.open', subjectType: 'session', subjectId: id });
    return id;
  });
}

/** Notes that the person proved again, just now, who they are. */
export function proveSession(db: Db, subject: string, id: string): Promise<void> {
  return transact(db, 'people_rw', subject, async (tx) => {
    await sql`update people.session set proved_at = now()
      where id = ${id} and subject = ${subject} and ended_at is null`.execute(tx);
  });
}

/** Those that are open, newest first. */
export function sessionsOf(db: Db, subject: string): Promise<readonly SessionView[]> {
  return transact(db, 'people_rw', subject, async (tx) => {
    const { rows } = await sql<SessionView>`select id, device, host(address) as address,
      signed_in_at as "signedInAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt"
      from people.session where subject = ${subject} and ended_at is null and expires_at > now()
      order by id desc limit 200`.execute(tx);
    return rows;
  });
}

/** Ends one; answers whether it was open, and with `subject` whether it was that person's too. */
export function endSession(
  db: Db,
  principal: string,
  given: { readonly id: string; readonly reason: SessionEnd; readonly subject?: string },
): Promise<boolean> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<{ id: string }>`update people.session
      set ended_at = now(), end_reason = ${given.reason}
      where id = ${given.id} and ended_at is null
        and (${given.subject ?? null}::text is null or subject = ${given.subject ?? null})
      returning id`.execute(tx);
    if (rows.length > 0) await recordEnd(tx, given.id, given.reason);
    return rows.length > 0;
  });
}

export function endSessions(
  db: Db,
  principal: string,
  subject: string,
  reason: SessionEnd,
): Promise<void> {
  return transact(db, 'people_rw', principal, (tx) => endSessionsIn(tx, subject, reason));
}

/** Ends all of a person's sessions but `except`, as a part of what ends them. */
export async function endSessionsIn(
  tx: Tx,
  subject: string,
  reason: SessionEnd,
  except?: string,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`update people.session
    set ended_at = now(), end_reason = ${reason}
    where subject = ${subject} and ended_at is null and id is distinct from ${except ?? null}::uuid
    returning id`.execute(tx);
  for (const { id } of rows) await recordEnd(tx, id, reason);
}

function recordEnd(tx: Tx, id: string, reason: SessionEnd): Promise<void> {
  return recordAudit(tx, { action: 'session.end', subjectType: 'session', subjectId: id, reason });
}
