// Sign-outs at an outside issuer, kept for as long as a token from before may be alive.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import { recordAudit } from './audit.ts';

export type OutsideLogout = {
  readonly issuer: string;
  /** The logout token's own id. */
  readonly jti: string;
  /** The issuer's names; one of the two is there. */
  readonly sessionId: string | null;
  readonly subject: string | null;
  /** An instant, by the issuer's clock. */
  readonly loggedOutAt: string;
};

/** Answers false, and does nothing, when that token was taken before. */
export function takeOutsideLogout(db: Db, logout: OutsideLogout): Promise<boolean> {
  const { issuer, jti, sessionId, subject, loggedOutAt } = logout;
  return transact(db, 'people_rw', 'system:outside-issuer', async (tx) => {
    const { numAffectedRows } = await sql`insert into people.outside_logout
      (issuer, jti, session_id, subject, logged_out_at)
      values (${issuer}, ${jti}, ${sessionId}, ${subject}, ${loggedOutAt})
      on conflict (issuer, jti) do nothing`.execute(tx);
    if (numAffectedRows !== 1n) return false;
    const { rows } = await sql<{ id: string }>`select id from people.staff
      where outside_issuer = ${issuer} and outside_subject = ${subject}`.execute(tx);
    await recordAudit(tx, {
      action: 'session.end-outside',
      subjectType: 'session',
      subjectId: sessionId ?? jti,
      after: { staffId: rows[0]?.id ?? null },
    });
    return true;
  });
}
