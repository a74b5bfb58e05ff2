// Who is signed in, as the authorization server asks: a session that is open, of somebody active.
import { sql } from 'kysely';
import type { Db } from '../client.ts';
import { asServer } from '../commands/oidc.ts';

export type SignedIn = {
  readonly sessionId: string;
  readonly kind: 'staff' | 'customer';
  readonly id: string;
  /** Of staff; a customer's record has no such version, so 0. */
  readonly version: number;
  /** Null for customers: their names are no business of applications here. */
  readonly name: string | null;
  readonly userName: string | null;
  /** Whether the person proved again, within five minutes, who they are. */
  readonly provedLately: boolean;
};

type Row = Omit<SignedIn, 'kind' | 'id'> & { readonly subject: string };

/** `seen` notes that the session was used just now. */
export function signedInBy(db: Db, sessionId: string, seen = false): Promise<SignedIn | undefined> {
  return asServer(db, async (tx) => {
    if (seen) {
      await sql`update people.session set last_seen_at = now() where id = ${sessionId}::uuid
        and ended_at is null`.execute(tx);
    }
    const { rows } = await sql<Row>`
      select s.id as "sessionId", s.subject, coalesce(f.version, 0) as version, f.name,
        f.user_name as "userName",
        coalesce(s.proved_at > now() - interval '5 minutes', false) as "provedLately"
      from people.session s
      left join people.staff f on f.id = (case when s.subject like 'staff:%'
        then substr(s.subject, 7) end)::uuid
      where s.id = ${sessionId}::uuid and s.ended_at is null and s.expires_at > now()
        and (s.subject like 'customer:%' or f.status = 'active')`.execute(tx);
    const row = rows[0];
    if (row === undefined) return undefined;
    const { subject, ...rest } = row;
    const at = subject.indexOf(':');
    return {
      ...rest,
      kind: subject.slice(0, at) === 'staff' ? 'staff' : 'customer',
      id: subject.slice(at + 1),
    };
  });
}

/** The active staff member whom an outside identity provider knows by `subject`. */
export function staffByOutsideIdentity(
  db: Db,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<{ id: string }>`select id from people.staff
      where outside_issuer = ${issuer} and outside_subject = ${subject} and status = 'active'`.execute(
      tx,
    );
    return rows[0]?.id;
  });
}
