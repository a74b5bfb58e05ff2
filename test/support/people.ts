// Real people for tests: rows of staff, customers and partners with sessions, and their tokens.
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { DB } from '../../db/schema.ts';
import { ROLES, type Role, SCOPES, type Scope } from '../../domain/people.ts';
import { signToken, type TokenClaims } from './tokens.ts';

export type Person = {
  readonly id: string;
  readonly sessionId: string;
  readonly version: number;
  readonly kind: 'staff' | 'customer';
};

type StaffOptions = {
  readonly name?: string;
  readonly roles?: readonly Role[];
  /** Left out: every branch. */
  readonly branches?: readonly string[];
};

/**
 * Somebody who has just signed in; a name that is known signs in again. Without roles given, one who
 * may do everything.
 */
export async function plantStaff(owner: Kysely<DB>, options: StaffOptions = {}): Promise<Person> {
  const name = options.name ?? `p${randomUUID()}`;
  const { rows } = await sql<{ id: string; version: number }>`
    insert into people.staff as known (id, user_name, name, email, roles, branches)
    values (${uuidv7()}, ${name}, ${name}, ${`${name}@example.com`}, ${options.roles ?? ROLES},
      ${options.branches ?? null})
    on conflict (user_name) do update set name = known.name returning id, version`.execute(owner);
  const [row] = rows;
  if (row === undefined) throw new Error('Nobody was planted.');
  const sessionId = await plantSession(owner, `staff:${row.id}`);
  return { ...row, kind: 'staff', sessionId };
}

export async function customerPerson(owner: Kysely<DB>, customerId: string): Promise<Person> {
  const sessionId = await plantSession(owner, `customer:${customerId}`);
  return { id: customerId, kind: 'customer', version: 1, sessionId };
}

export async function plantSession(owner: Kysely<DB>, subject: string): Promise<string> {
  const id = uuidv7();
  await sql`insert into people.session (id, subject, device, expires_at)
    values (${id}, ${subject}, 'test', now() + interval '1 day')`.execute(owner);
  return id;
}

export function tokenOf(person: Person, over: TokenClaims = {}): Promise<string> {
  const { id, kind, sessionId, version } = person;
  return signToken({ sub: id, kind, sid: sessionId, uv: version, ...over });
}

export type PlantedClient = { readonly clientId: string; readonly partnerId: string };

export async function plantPartner(
  owner: Kysely<DB>,
  options: { readonly scopes?: readonly Scope[]; readonly branches?: readonly string[] } = {},
): Promise<PlantedClient> {
  const [partnerId, clientId] = [uuidv7(), `client-${randomUUID()}`];
  await sql`insert into people.partner (id, name, branches)
    values (${partnerId}, 'Partner', ${options.branches ?? null})`.execute(owner);
  await sql`insert into people.api_client (id, partner_id, name, secret_hash, scopes)
    values (${clientId}, ${partnerId}, 'Client', sha256(${clientId}::bytea),
      ${options.scopes ?? SCOPES})`.execute(owner);
  return { partnerId, clientId };
}

export function clientToken(client: PlantedClient, over: TokenClaims = {}): Promise<string> {
  return signToken({ sub: client.clientId, client_id: client.clientId, kind: 'partner', ...over });
}
