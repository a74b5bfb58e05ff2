// Staff, how they prove who they are, their sessions, and partners with their clients and keys.
import { type Kysely, sql } from 'kysely';

const TABLES = [
  'staff',
  'partner',
  'api_client',
  'api_key',
  'api_key_usage',
  'password',
  'totp',
  'recovery_code',
  'remembered_device',
  'session',
  'single_use_token',
  'sign_in_failure',
  'oidc_artifact',
  'signing_key',
  'mail',
] as const;

/** Reading everything else does not include these: they are proofs, not records. */
const SECRET = new Set<string>(TABLES.slice(TABLES.indexOf('password')));

export async function up(db: Kysely<unknown>): Promise<void> {
  await createStaff(db);
  await createPartners(db);
  await createCredentials(db);
  await createSessions(db);
  await createAuthorizationServer(db);
  for (const table of TABLES) {
    const name = sql.id('people', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert, update on ${name} to people_rw`.execute(db);
    if (SECRET.has(table)) {
      await sql`grant delete on ${name} to people_rw`.execute(db);
      await sql`revoke all on ${name} from api_read`.execute(db);
    } else {
      await sql`grant select on ${name} to api_read`.execute(db);
    }
  }
}

/** `version` is in every token: a change of roles, branches, status or password ends older ones. */
async function createStaff(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.staff (
      id uuid primary key,
      user_name text not null check (user_name ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
      name text not null check (name <> ''),
      email text not null check (email <> ''),
      roles text[] not null check (cardinality(roles) > 0 and roles <@ array['counter-agent',
        'senior-agent', 'branch-manager', 'fleet-planner', 'technician', 'accountant',
        'finance-controller', 'auditor', 'administrator']),
      -- Null: every branch.
      branches text[] check (cardinality(branches) > 0),
      status text not null default 'active' check (status in ('active', 'suspended', 'left')),
      employed_from date not null default current_date,
      employed_until date check (employed_until >= employed_from),
      -- Of an outside identity provider: its issuer and the subject that it knows the person by.
      outside_issuer text,
      outside_subject text,
      -- Their passwords are printed: production does not start while there is one.
      is_demo boolean not null default false,
      version int not null default 1,
      created_at timestamptz not null default now(),
      unique (user_name),
      unique (outside_issuer, outside_subject),
      check ((outside_issuer is null) = (outside_subject is null))
    )`.execute(db);
  await sql`create unique index staff_email on people.staff (lower(email))`.execute(db);
}

async function createPartners(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.partner (
      id uuid primary key,
      name text not null check (name <> ''),
      status text not null default 'active' check (status in ('active', 'suspended')),
      branches text[] check (cardinality(branches) > 0),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table people.api_client (
      id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{2,62}$'),
      partner_id uuid not null references people.partner,
      name text not null,
      secret_hash bytea not null check (length(secret_hash) = 32),
      scopes text[] not null,
      status text not null default 'active' check (status in ('active', 'revoked')),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  // The owner is who made it (staff) or whom it is for (a partner): a key never has more rights.
  await sql`
    create table people.api_key (
      id uuid primary key,
      owner text not null check (owner ~ '^(staff|partner):[0-9a-f-]{36}$'),
      name text not null check (name <> ''),
      prefix text not null unique,
      hash bytea not null unique check (length(hash) = 32),
      scopes text[] not null check (cardinality(scopes) > 0),
      expires_at timestamptz not null,
      revoked_at timestamptz,
      last_used_at timestamptz,
      created_by text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index api_key_owner on people.api_key (owner)`.execute(db);
  await sql`
    create table people.api_key_usage (
      key_id uuid not null references people.api_key,
      day date not null,
      route text not null,
      requests bigint not null,
      primary key (key_id, day, route)
    )`.execute(db);
}

/** `subject` is a principal: `staff:<id>` or `customer:<id>`. Encrypted columns name their key. */
async function createCredentials(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.password (
      subject text primary key,
      hash text not null check (hash like '$argon2id$%'),
      changed_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table people.totp (
      subject text primary key,
      key_id text not null,
      secret bytea not null,
      confirmed_at timestamptz,
      -- The newest time step that was used: a code is good once (RFC 6238 section 5.2).
      last_step bigint not null default 0,
      failures int not null default 0,
      locked_until timestamptz,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table people.recovery_code (
      subject text not null,
      hash bytea not null check (length(hash) = 32),
      used_at timestamptz,
      primary key (subject, hash)
    )`.execute(db);
  await sql`
    create table people.remembered_device (
      id uuid primary key,
      subject text not null,
      hash bytea not null unique check (length(hash) = 32),
      description text not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index remembered_device_subject on people.remembered_device (subject)`.execute(
    db,
  );
  // One row a failed try; counted by account and by address, forgotten after a day.
  await sql`
    create table people.sign_in_failure (
      id bigint generated always as identity primary key,
      account_hash bytea not null,
      address inet not null,
      at timestamptz not null default now()
    )`.execute(db);
  await sql`create index sign_in_failure_account on people.sign_in_failure (account_hash, at)`.execute(
    db,
  );
  await sql`create index sign_in_failure_address on people.sign_in_failure (address, at)`.execute(
    db,
  );
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.session (
      id uuid primary key,
      subject text not null,
      device text not null,
      address inet,
      signed_in_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      expires_at timestamptz not null,
      ended_at timestamptz,
      end_reason text check ((end_reason is null) = (ended_at is null))
    )`.execute(db);
  await sql`create index session_subject on people.session (subject)`.execute(db);
  // Mailed links (password reset, a customer's sign-in) and whatever else is good once.
  await sql`
    create table people.single_use_token (
      hash bytea primary key check (length(hash) = 32),
      purpose text not null,
      subject text not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table people.mail (
      id uuid primary key,
      to_address text not null,
      subject_line text not null,
      body text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`comment on table people.mail is
    'What the simulated mail adapter would have sent; with a real one it stays empty.'`.execute(db);
}

async function createAuthorizationServer(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.oidc_artifact (
      kind text not null,
      id text not null,
      payload jsonb not null,
      grant_id text,
      uid text,
      user_code text,
      session_id uuid,
      consumed_at timestamptz,
      expires_at timestamptz not null,
      primary key (kind, id)
    )`.execute(db);
  for (const column of ['grant_id', 'uid', 'user_code', 'session_id', 'expires_at'] as const) {
    await sql`create index ${sql.id(`oidc_artifact_${column}`)}
      on people.oidc_artifact (${sql.id(column)}) where ${sql.id(column)} is not null`.execute(db);
  }
  // The next key is published before it signs, the last one until its tokens are over.
  await sql`
    create table people.signing_key (
      kid text primary key,
      algorithm text not null check (algorithm in ('ES256', 'EdDSA')),
      public_jwk jsonb not null,
      key_id text not null,
      private_jwk bytea not null,
      created_at timestamptz not null default now(),
      signs_from timestamptz not null,
      retires_at timestamptz
    )`.execute(db);
}
