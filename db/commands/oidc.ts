// What the authorization server keeps: its artifacts, each under a digest of the secret that names it.
import { sql } from 'kysely';
import { type Db, type Tx, transact } from '../client.ts';

const PRINCIPAL = 'system:authorization-server';

/** `payload` is the protocol library's own; the rest is what it is found by. */
export type Artifact = {
  readonly kind: string;
  readonly id: string;
  readonly payload: object;
  readonly grantId: string | null;
  readonly uid: string | null;
  readonly userCode: string | null;
  readonly sessionId: string | null;
  /** From now, in seconds. */
  readonly expiresInS: number;
};

export type StoredArtifact = {
  readonly payload: Readonly<Record<string, unknown>>;
  /** In seconds since 1970; null while it is unused. */
  readonly consumedAt: number | null;
};

/** Who a client is that authenticates with a secret; the secret itself is nowhere. */
export type ApiClient = {
  readonly id: string;
  readonly name: string;
  readonly secretHash: Buffer;
  readonly scopes: readonly string[];
  readonly version: number;
};

export function asServer<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(db, 'people_rw', PRINCIPAL, work);
}

/** Inserts or replaces. That it was used once is never taken back. */
export function saveArtifact(db: Db, artifact: Artifact): Promise<void> {
  return asServer(db, async (tx) => {
    await sql`insert into people.oidc_artifact
      (kind, id, payload, grant_id, uid, user_code, session_id, expires_at)
      values (${artifact.kind}, ${artifact.id}, ${JSON.stringify(artifact.payload)}::jsonb,
        ${artifact.grantId}, ${artifact.uid}, ${artifact.userCode}, ${artifact.sessionId}::uuid,
        now() + make_interval(secs => ${artifact.expiresInS}))
      on conflict (kind, id) do update set payload = excluded.payload,
        grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code,
        session_id = excluded.session_id, expires_at = excluded.expires_at`.execute(tx);
  });
}

export function findArtifact(
  db: Db,
  kind: string,
  by: 'id' | 'uid' | 'user_code',
  value: string,
): Promise<StoredArtifact | undefined> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<StoredArtifact>`
      select payload, extract(epoch from consumed_at)::int as "consumedAt"
      from people.oidc_artifact where kind = ${kind} and ${sql.id(by)} = ${value}`.execute(tx);
    return rows[0];
  });
}

/** Marks it used. Of any number of callers at once, exactly one is told `true`. */
export function consumeArtifact(
  db: Db,
  kind: string,
  id: string,
): Promise<{ readonly won: boolean; readonly grantId: string | null }> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<{ grantId: string | null }>`
      update people.oidc_artifact set consumed_at = now()
      where kind = ${kind} and id = ${id} and consumed_at is null
      returning grant_id as "grantId"`.execute(tx);
    if (rows[0]) return { won: true, grantId: rows[0].grantId };
    const known = await sql<{ grantId: string | null }>`select grant_id as "grantId"
      from people.oidc_artifact where kind = ${kind} and id = ${id}`.execute(tx);
    return { won: false, grantId: known.rows[0]?.grantId ?? null };
  });
}

export function deleteArtifact(db: Db, kind: string, id: string): Promise<void> {
  return asServer(db, async (tx) => {
    await sql`delete from people.oidc_artifact
      where kind = ${kind} and id = ${id}`.execute(tx);
  });
}

/**
 * Deletes everything that came of a grant, and the grant itself when its own id is given. Answers
 * the sign-in sessions that it was given in.
 */
export function deleteGrant(
  db: Db,
  grantId: string,
  ownId: string | null,
): Promise<readonly string[]> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<{ sessionId: string }>`with gone as (
        delete from people.oidc_artifact
        where grant_id = ${grantId} or (kind = 'Grant' and id = ${ownId})
        returning session_id)
      select distinct session_id as "sessionId" from gone where session_id is not null`.execute(tx);
    return rows.map((row) => row.sessionId);
  });
}

/** Deletes what is over, up to 10,000 rows at a time; answers how many. */
export function forgetArtifacts(db: Db): Promise<number> {
  return asServer(db, async (tx) => {
    const { numAffectedRows } = await sql`delete from people.oidc_artifact where (kind, id) in (
      select kind, id from people.oidc_artifact where expires_at < now() limit 10000)`.execute(tx);
    return Number(numAffectedRows ?? 0);
  });
}

/** Of an active client of an active partner. */
export function apiClientById(db: Db, id: string): Promise<ApiClient | undefined> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<ApiClient>`select c.id, c.name, c.secret_hash as "secretHash",
        c.scopes, c.version
      from people.api_client c join people.partner p on p.id = c.partner_id
      where c.id = ${id} and c.status = 'active' and p.status = 'active'`.execute(tx);
    return rows[0];
  });
}
