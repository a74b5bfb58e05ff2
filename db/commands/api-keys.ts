// API keys: shown once, kept as a hash; what they were used for is counted by day and route.
import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/people.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { ApiKeyRow } from '../queries/people.ts';
import { recordAudit } from './audit.ts';
import { sha256 } from './credentials.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX_LENGTH = 8;
/** 62^32 is 190 bits. */
const RANDOM_LENGTH = 32;
/** 62^6 holds the 32 bits of a CRC. */
const CHECKSUM_LENGTH = 6;
const TOKEN = /^fck_([0-9A-Za-z]{8})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

export type NewApiKey = {
  readonly id: string;
  /** The principal whose rights end where the key's do: `staff:<id>` or `partner:<id>`. */
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string;
};

/** The text of a new key: `fck_<prefix>_<random><checksum>`; scanners for leaked secrets know it by that. */
export function newApiKeyToken(): string {
  const body = `fck_${randomText(PREFIX_LENGTH)}_${randomText(RANDOM_LENGTH)}`;
  return body + checksumOf(body);
}

/** Whether it can be a key at all; a mistyped one is refused without asking the database. */
export function isApiKeyToken(token: string): boolean {
  if (!TOKEN.test(token)) return false;
  return checksumOf(token.slice(0, -CHECKSUM_LENGTH)) === token.slice(-CHECKSUM_LENGTH);
}

/**
 * Keeps the key's hash. Throws `duplicate` when the id is taken: its text is gone, so a repeat
 * cannot answer it again.
 */
export function createApiKey(
  db: Db,
  principal: string,
  key: NewApiKey,
  token: string,
): Promise<ApiKeyRow> {
  const prefix = TOKEN.exec(token)?.[1] ?? '';
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<ApiKeyRow>`insert into people.api_key
        (id, owner, name, prefix, hash, scopes, expires_at, created_by)
      values (${key.id}, ${key.owner}, ${key.name}, ${prefix}, ${sha256(token)},
        ${[...key.scopes]}::text[], ${key.expiresAt}, ${principal})
      on conflict (id) do nothing
      returning id, owner, name, prefix, scopes, expires_at, revoked_at, last_used_at, created_by,
        created_at`.execute(tx);
    const row = rows[0];
    if (row === undefined) throw new DomainError('duplicate', 'This key was made already.');
    await recordKey(tx, 'create', row, 1);
    return row;
  });
}

/** Revoking twice is revoking. With `owner`, only that principal's. Throws `not-found`. */
export function revokeApiKey(
  db: Db,
  principal: string,
  given: { readonly id: string; readonly owner?: string | undefined },
): Promise<void> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const { rows } = await sql<{ id: string; owner: string; before: string | null }>`
      with known as (
        select id, owner, revoked_at from people.api_key where id = ${given.id}
          and (${given.owner ?? null}::text is null or owner = ${given.owner ?? null}) for update)
      update people.api_key k set revoked_at = coalesce(known.revoked_at, now()) from known
      where k.id = known.id returning k.id, k.owner, known.revoked_at as before`.execute(tx);
    const row = rows[0];
    if (row === undefined) throw new DomainError('not-found', 'There is no such key.');
    if (row.before === null) await recordKey(tx, 'revoke', row, 2);
  });
}

export type KnownApiKey = {
  readonly id: string;
  /** A principal. */
  readonly owner: string;
  readonly scopes: readonly Scope[];
  readonly state: 'active' | 'expired' | 'revoked';
  readonly expiresAt: string;
};

/** The key of that text, also when it is good no more; undefined when there never was one. */
export async function apiKeyByToken(db: Db, token: string): Promise<KnownApiKey | undefined> {
  if (!isApiKeyToken(token)) return undefined;
  return transact(db, 'people_rw', 'system:sign-in', async (tx) => {
    const { rows } = await sql<KnownApiKey>`select id, owner, scopes, expires_at as "expiresAt",
        case when revoked_at is not null then 'revoked'
          when expires_at <= now() then 'expired' else 'active' end as state
      from people.api_key where hash = ${sha256(token)}`.execute(tx);
    return rows[0];
  });
}

export type ApiKeyUse = {
  readonly keyId: string;
  /** Method and pattern, e.g. `GET /api/v1/rentals/{id}`. */
  readonly route: string;
  readonly requests: number;
  /** The instant of the last of them. */
  readonly at: string;
};

/** Adds up what was used since the last call. Rows are taken in one order, so writers queue. */
export function noteUse(db: Db, uses: readonly ApiKeyUse[]): Promise<void> {
  if (uses.length === 0) return Promise.resolve();
  return transact(db, 'people_rw', 'system:api', async (tx) => {
    const given = JSON.stringify(uses);
    await sql`insert into people.api_key_usage as known (key_id, day, route, requests)
      select "keyId", (at at time zone 'UTC')::date, route, sum(requests)
      from jsonb_to_recordset(${given}::jsonb)
        as given("keyId" uuid, at timestamptz, route text, requests bigint)
      group by 1, 2, 3 order by 1, 2, 3
      on conflict (key_id, day, route) do update
        set requests = known.requests + excluded.requests`.execute(tx);
    await sql`update people.api_key k
      set last_used_at = greatest(k.last_used_at, used.at)
      from (select "keyId", max(at) as at from jsonb_to_recordset(${given}::jsonb)
        as given("keyId" uuid, at timestamptz) group by 1) used
      where k.id in (select id from people.api_key
          where id = used."keyId" order by id for update)`.execute(tx);
  });
}

async function recordKey(
  tx: Tx,
  verb: 'create' | 'revoke',
  row: { readonly id: string; readonly owner: string; readonly scopes?: readonly string[] },
  sequence: number,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.api-key.${verb === 'create' ? 'created' : 'revoked'}.v1`,
    aggregateId: row.id,
    sequence,
    data: { keyId: row.id, owner: row.owner },
  });
  await recordAudit(tx, {
    action: `api-key.${verb}`,
    subjectType: 'api_key',
    subjectId: row.id,
    after: { owner: row.owner, scopes: row.scopes },
  });
}

function randomText(length: number): string {
  return Array.from({ length }, () => BASE62[randomInt(BASE62.length)]).join('');
}

function checksumOf(body: string): string {
  let left = crc32(body);
  let text = '';
  for (let n = 0; n < CHECKSUM_LENGTH; n += 1) {
    text = (BASE62[left % 62] ?? '') + text;
    left = Math.floor(left / 62);
  }
  return text;
}
