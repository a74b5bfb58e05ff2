// Partners and the API clients by which their systems sign in.
import { randomBytes } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/people.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import type { ApiClientRow } from '../queries/people.ts';
import type { PeoplePartner } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { sha256 } from './credentials.ts';
import { named, updateVersion } from './master-data.ts';

type PartnerRow = Selectable<PeoplePartner>;

export type NewPartner = {
  readonly id: string;
  readonly name: string;
  /** Null: every branch. */
  readonly branches: readonly string[] | null;
  /** For ever: its keys and clients reach the branches of the sandbox and no other. */
  readonly sandbox?: boolean | undefined;
  /** Codes of the negotiated rates that it may book by. */
  readonly rates?: readonly string[] | undefined;
  /** The customer who is invoiced for its vouchers; without one it sends none. */
  readonly payerId?: string | null | undefined;
};

export type PartnerChange = Partial<Pick<NewPartner, 'rates' | 'payerId'>> & {
  /** Suspending ends what its clients and keys may do. */
  readonly status?: 'active' | 'suspended' | undefined;
};

/**
 * A repeat with the same id answers the partner that is there. Throws `duplicate` for a payer who is
 * another partner's.
 */
export function registerPartner(
  db: Db,
  principal: string,
  partner: NewPartner,
): Promise<PartnerRow> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await named(() =>
      sql<PartnerRow>`insert into people.partner (id, name, branches, is_sandbox, rates, payer_id)
      values (${partner.id}, ${partner.name}, ${list(partner.branches)}::text[],
        ${partner.sandbox ?? false}, ${[...(partner.rates ?? [])]}::text[],
        ${partner.payerId ?? null})
      on conflict (id) do nothing returning *`.execute(tx),
    );
    const row = rows[0];
    if (row === undefined) return partnerIn(tx, partner.id);
    await publish(tx, {
      type: 'forecourt.partner.registered.v1',
      aggregateId: row.id,
      sequence: row.version,
      data: { partnerId: row.id },
    });
    const after = { rates: row.rates, payerId: row.payer_id };
    await recordAudit(tx, { action: 'partner.register', ...aboutPartner(row.id), after });
    return row;
  });
}

/**
 * What is left out stays. Throws `not-found`, `duplicate` as above, or `version-conflict` when
 * somebody changed the partner meanwhile.
 */
export function changePartner(
  db: Db,
  principal: string,
  id: string,
  version: number,
  { payerId, ...rest }: PartnerChange,
): Promise<PartnerRow> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const change = { ...rest, payer_id: payerId };
    const row = await updateVersion<PartnerRow>(tx, 'people.partner', id, version, change);
    const { status } = row;
    await publish(tx, {
      type: 'forecourt.partner.changed.v1',
      aggregateId: id,
      sequence: row.version,
      data: { partnerId: id, status },
    });
    const after = { status, rates: row.rates, payerId: row.payer_id };
    await recordAudit(tx, { action: 'partner.change', ...aboutPartner(id), after });
    return row;
  });
}

export function newClientSecret(): string {
  return `fcs_${randomBytes(32).toString('base64url')}`;
}

export type NewApiClient = {
  readonly id: string;
  readonly partnerId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
};

/** Keeps the secret's hash. Throws `not-found` for the partner, `duplicate` when the id is taken. */
export function createApiClient(
  db: Db,
  principal: string,
  client: NewApiClient,
  secret: string,
): Promise<ApiClientRow> {
  return transact(db, 'people_rw', principal, async (tx) => {
    await partnerIn(tx, client.partnerId);
    const { rows } = await sql<ApiClientRow>`insert into people.api_client
        (id, partner_id, name, secret_hash, scopes)
      values (${client.id}, ${client.partnerId}, ${client.name}, ${sha256(secret)},
        ${[...client.scopes]}::text[])
      on conflict (id) do nothing
      returning id, partner_id, name, scopes, status, version, created_at`.execute(tx);
    const row = rows[0];
    if (row === undefined) throw new DomainError('duplicate', 'This client id is taken.');
    await recordClient(tx, 'create', row);
    return row;
  });
}

/** Revoking twice is revoking. Throws `not-found`. */
export function revokeApiClient(
  db: Db,
  principal: string,
  partnerId: string,
  id: string,
): Promise<void> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<ApiClientRow>`update people.api_client
      set status = 'revoked', version = version + 1
      where id = ${id} and partner_id = ${partnerId} and status = 'active'
      returning id, partner_id, name, scopes, status, version, created_at`.execute(tx);
    if (rows[0] !== undefined) return recordClient(tx, 'revoke', rows[0]);
    const known = await sql`select from people.api_client
      where id = ${id} and partner_id = ${partnerId}`.execute(tx);
    if (known.rows.length === 0) throw new DomainError('not-found', 'There is no such client.');
  });
}

async function recordClient(tx: Tx, verb: 'create' | 'revoke', row: ApiClientRow): Promise<void> {
  await publish(tx, {
    type: `forecourt.api-client.${verb === 'create' ? 'created' : 'revoked'}.v1`,
    aggregateId: codeAggregate('api-client', row.id),
    sequence: row.version,
    data: { clientId: row.id, partnerId: row.partner_id },
  });
  await recordAudit(tx, {
    action: `api-client.${verb}`,
    subjectType: 'api_client',
    subjectId: row.id,
    after: { partnerId: row.partner_id, scopes: row.scopes },
  });
}

async function partnerIn(tx: Tx, id: string): Promise<PartnerRow> {
  const { rows } = await sql<PartnerRow>`select * from people.partner where id = ${id}`.execute(tx);
  if (rows[0] === undefined) {
    throw new DomainError('not-found', 'There is no such partner.', { of: 'partner' });
  }
  return rows[0];
}

function aboutPartner(id: string) {
  return { subjectType: 'partner', subjectId: id } as const;
}

function list(branches: readonly string[] | null): string[] | null {
  return branches === null ? null : [...branches];
}
