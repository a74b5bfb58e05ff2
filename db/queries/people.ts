// Reads of staff, partners, their clients and keys, and of approvals.
import { type Selectable, sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import type {
  PeopleApiClient,
  PeopleApiKey,
  PeopleApproval,
  PeoplePartner,
  PeopleStaff,
} from '../schema.ts';
import { type Page, type PageRequest, pageById } from './page.ts';

export type StaffRow = Selectable<PeopleStaff>;
export type PartnerRow = Selectable<PeoplePartner>;
export type ApiClientRow = Omit<Selectable<PeopleApiClient>, 'secret_hash'>;
export type ApiKeyRow = Omit<Selectable<PeopleApiKey>, 'hash'>;
export type ApprovalRow = Selectable<PeopleApproval>;

const READER = 'system:api';
const KEY_COLUMNS = [
  'id',
  'owner',
  'name',
  'prefix',
  'scopes',
  'expires_at',
  'revoked_at',
  'last_used_at',
  'created_by',
  'created_at',
] as const;
const CLIENT_COLUMNS = [
  'id',
  'partner_id',
  'name',
  'scopes',
  'status',
  'version',
  'created_at',
] as const;

export function staffById(db: Db, id: string): Promise<StaffRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('people.staff').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** By the name or the address that they sign in with, in any case. */
export function staffByNameOrEmail(db: Db, given: string): Promise<StaffRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx
      .selectFrom('people.staff')
      .selectAll()
      .where((eb) =>
        eb.or([
          eb('user_name', '=', given.toLowerCase()),
          eb(sql`lower(email)`, '=', sql`lower(${given})`),
        ]),
      )
      .executeTakeFirst(),
  );
}

/** `q` is the beginning of the name, in any case. */
export function listStaff(
  db: Db,
  filter: PageRequest & {
    readonly q?: string | undefined;
    readonly role?: string | undefined;
    readonly status?: string | undefined;
  },
): Promise<Page<StaffRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('people.staff').selectAll();
    if (filter.q !== undefined) {
      query = query.where(sql<boolean>`starts_with(lower(name), lower(${filter.q}))`);
    }
    if (filter.role !== undefined) query = query.where(sql<boolean>`${filter.role} = any(roles)`);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    return pageById(query, filter);
  });
}

/** Ids of the customers with that address: a person may be registered more than once. */
export function customersByEmail(db: Db, email: string): Promise<readonly string[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<{ id: string }>`select id from rentals.customer
      where lower(email) = lower(${email}) and merged_into is null and not is_sandbox
      order by id limit 5`.execute(tx);
    return rows.map((row) => row.id);
  });
}

export function partnerById(db: Db, id: string): Promise<PartnerRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('people.partner').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export function listPartners(db: Db, page: PageRequest): Promise<Page<PartnerRow>> {
  return transact(db, 'api_read', READER, (tx) =>
    pageById(tx.selectFrom('people.partner').selectAll(), page),
  );
}

export function clientsOf(db: Db, partnerId: string): Promise<readonly ApiClientRow[]> {
  return transact(db, 'api_read', READER, (tx) =>
    tx
      .selectFrom('people.api_client')
      .select(CLIENT_COLUMNS)
      .where('partner_id', '=', partnerId)
      .orderBy('id')
      .limit(200)
      .execute(),
  );
}

/** `owner` is a principal; left out, the keys of all. */
export function listApiKeys(
  db: Db,
  filter: PageRequest & { readonly owner?: string | undefined },
): Promise<Page<ApiKeyRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('people.api_key').select(KEY_COLUMNS);
    if (filter.owner !== undefined) query = query.where('owner', '=', filter.owner);
    return pageById(query, filter);
  });
}

export function apiKeyById(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('people.api_key').select(KEY_COLUMNS).where('id', '=', id).executeTakeFirst(),
  );
}

export type KeyUse = { readonly day: string; readonly route: string; readonly requests: number };

/** Requests by day and route, newest day first; `days` back from today. */
export function usageOf(db: Db, keyId: string, days: number): Promise<readonly KeyUse[]> {
  return transact(db, 'api_read', READER, (tx) =>
    tx
      .selectFrom('people.api_key_usage')
      .select(['day', 'route', 'requests'])
      .where('key_id', '=', keyId)
      .where('day', '>', sql<string>`current_date - ${days}::int`)
      .orderBy('day', 'desc')
      .orderBy('route')
      .limit(1_000)
      .execute(),
  );
}

export function approvalById(db: Db, id: string): Promise<ApprovalRow | undefined> {
  return transact(db, 'api_read', READER, (tx) =>
    tx.selectFrom('people.approval').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** `branches` null: every branch and the company; else what lies in one of them. */
export function listApprovals(
  db: Db,
  filter: PageRequest & {
    readonly status?: string | undefined;
    readonly branches: readonly string[] | null;
  },
): Promise<Page<ApprovalRow>> {
  return transact(db, 'api_read', READER, async (tx) => {
    let query = tx.selectFrom('people.approval').selectAll();
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.branches !== null) query = query.where('branch_id', 'in', filter.branches);
    return pageById(query, filter);
  });
}

/** People whose password is printed: production does not start while one can sign in. */
export function hasDemoStaff(db: Db): Promise<boolean> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql`select from people.staff
      where is_demo and status = 'active' limit 1`.execute(tx);
    return rows.length > 0;
  });
}
