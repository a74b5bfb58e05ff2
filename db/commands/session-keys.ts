// Keys of encrypted sessions as rows, so that every process of the API can serve every session.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import type { Sealed, SealedAt } from '../envelope.ts';

export function sessionKeyAt(id: string): SealedAt {
  return { table: 'people.session_key', column: 'secret', id };
}

export type NewSessionKey = {
  readonly id: string;
  readonly principal: string;
  readonly secret: Sealed;
  /** An instant. */
  readonly expiresAt: string;
};

/** A repeat, after an answer that nobody got, makes the session anew. */
export function keepSessionKey(db: Db, session: NewSessionKey): Promise<void> {
  const { id, principal, secret, expiresAt } = session;
  return transact(db, 'people_rw', principal, async (tx) => {
    await sql`insert into people.session_key (id, principal, key_id, secret, expires_at)
      values (${id}, ${principal}, ${secret.keyId}, ${secret.bytes}, ${expiresAt})
      on conflict (id) do update set key_id = excluded.key_id, secret = excluded.secret,
        expires_at = excluded.expires_at where session_key.principal = excluded.principal`.execute(
      tx,
    );
  });
}

/** Undefined for a session that is unknown, over, or somebody else's: nobody learns which. */
export function sessionKeyOf(
  db: Db,
  principal: string,
  id: string,
  now: string,
): Promise<Sealed | undefined> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<Sealed>`select key_id as "keyId", secret as bytes
      from people.session_key
      where id = ${id} and principal = ${principal} and expires_at > ${now}`.execute(tx);
    return rows[0];
  });
}

/** Whether `sequence` is later than every message before; then it is the newest. One of two wins. */
export function takeSequence(
  db: Db,
  principal: string,
  id: string,
  sequence: number,
): Promise<boolean> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { numAffectedRows } = await sql`update people.session_key
      set last_sequence = ${sequence}
      where id = ${id} and last_sequence < ${sequence}`.execute(tx);
    return numAffectedRows === 1n;
  });
}

/** Answers how many were over. */
export function forgetSessionKeys(db: Db): Promise<number> {
  return transact(db, 'people_rw', 'system:api', async (tx) => {
    const { numAffectedRows } =
      await sql`delete from people.session_key where expires_at < now()`.execute(tx);
    return Number(numAffectedRows ?? 0n);
  });
}
