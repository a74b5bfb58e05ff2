// Reads behind authentication: whether a person, a session or a client is still what a token says.
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../client.ts';
import { transactInOneTrip } from '../one-trip.ts';

/** Authentication acts before anybody is known. */
const PRINCIPAL = 'system:authentication';
const { lit } = sql;

export type StaffIdentity = {
  readonly status: string;
  readonly roles: readonly string[];
  /** Null: every branch. */
  readonly branches: readonly string[] | null;
  readonly version: number;
  /** Whether the session asked for is this person's and neither ended nor expired. */
  readonly sessionOpen: boolean;
};

/** Without a session (API keys), `sessionOpen` is false. */
export function staffIdentity(
  db: Db,
  staffId: string,
  sessionId: string | null,
): Promise<StaffIdentity | undefined> {
  return first<StaffIdentity>(
    db,
    sql`select status, roles, branches, version,
      ${openSession(`staff:${staffId}`, sessionId)} as "sessionOpen"
      from people.staff where id = ${lit(staffId)}`,
  );
}

/** Of somebody whom an outside issuer vouches for. */
export async function staffIdBySubject(
  db: Db,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  const row = await first<{ id: string }>(
    db,
    sql`select id from people.staff
      where outside_issuer = ${lit(issuer)} and outside_subject = ${lit(subject)}`,
  );
  return row?.id;
}

export type OutsideSignOut = {
  /** The session itself was ended. */
  readonly ended: boolean;
  /** Seconds since 1970: what was issued by then is over; null when nothing is. */
  readonly before: number | null;
};

/**
 * What an outside issuer told of the sign-outs of a token's session and subject. A sign-out that
 * names a session ends that one alone, unless the token does not say which session it is of.
 */
export async function outsideSignOut(
  db: Db,
  issuer: string,
  subject: string,
  sessionId: string | null,
): Promise<OutsideSignOut> {
  const row = await first<OutsideSignOut>(
    db,
    sql`select coalesce(bool_or(session_id = ${lit(sessionId)}), false) as ended,
      extract(epoch from max(logged_out_at) filter (where subject = ${lit(subject)}
        and (session_id is null or ${lit(sessionId)} is null)))::bigint as before
      from people.outside_logout where issuer = ${lit(issuer)}
        and (session_id = ${lit(sessionId)} or subject = ${lit(subject)})`,
  );
  return row ?? { ended: false, before: null };
}

export async function customerSessionOpen(
  db: Db,
  customerId: string,
  sessionId: string,
): Promise<boolean> {
  const row = await first<{ open: boolean }>(
    db,
    sql`select ${openSession(`customer:${customerId}`, sessionId)} as open`,
  );
  return row?.open ?? false;
}

export type PartnerIdentity = {
  readonly partnerId: string;
  readonly status: string;
  /** Those of its side of the sandbox that it may act at. */
  readonly branches: readonly string[];
  /** The negotiated rates that it may book by. */
  readonly rates: readonly string[];
};

const BRANCHES = sql`vehicles.branches_of_side(p.is_sandbox, p.branches) as branches`;

export type ClientIdentity = PartnerIdentity & {
  readonly clientStatus: string;
  readonly scopes: readonly string[];
};

export function clientIdentity(db: Db, clientId: string): Promise<ClientIdentity | undefined> {
  return first<ClientIdentity>(
    db,
    sql`select p.id as "partnerId", p.status, p.rates, ${BRANCHES}, c.status as "clientStatus", c.scopes
      from people.api_client c join people.partner p on p.id = c.partner_id
      where c.id = ${lit(clientId)}`,
  );
}

export function partnerIdentity(db: Db, partnerId: string): Promise<PartnerIdentity | undefined> {
  return first<PartnerIdentity>(
    db,
    sql`select p.id as "partnerId", p.status, p.rates, ${BRANCHES}
      from people.partner p
      where p.id = ${lit(partnerId)}`,
  );
}

/** The public halves of the keys that tokens may be signed with: the next, the present, the last. */
export async function publicSigningKeys(db: Db): Promise<readonly Record<string, unknown>[]> {
  const rows = await transactInOneTrip<{ readonly jwk: Record<string, unknown> }>(
    db,
    'people_rw',
    PRINCIPAL,
    sql`select public_jwk || jsonb_build_object('kid', kid, 'alg', algorithm) as jwk
      from people.signing_key where retires_at is null or retires_at > now()`,
  );
  return rows.map(({ jwk }) => jwk);
}

function openSession(subject: string, sessionId: string | null): RawBuilder<boolean> {
  return sql<boolean>`exists (select from people.session
    where id = ${lit(sessionId)} and subject = ${lit(subject)}
      and ended_at is null and expires_at > now())`;
}

async function first<T>(db: Db, statement: RawBuilder<unknown>): Promise<T | undefined> {
  const rows = await transactInOneTrip(db, 'people_rw', PRINCIPAL, statement);
  return rows[0] as T | undefined;
}
