// Schemas and roles: one NOLOGIN role a domain writes its schema, none of them owns a table.
import { type Kysely, sql } from 'kysely';

const SCHEMAS = ['vehicles', 'rentals', 'maintenance', 'people', 'accounting', 'events'] as const;

/** api_rw writes the idempotency store only; api_read reads every domain and writes nothing. */
const ROLES = [
  'forecourt_owner',
  ...SCHEMAS.map((schema) => `${schema}_rw`),
  'api_rw',
  'api_read',
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const role of ROLES) await createRole(db, role);
  for (const extension of ['btree_gist', 'pgcrypto', 'pg_trgm']) {
    await sql`create extension if not exists ${sql.id(extension)}`.execute(db);
  }
  for (const schema of SCHEMAS) {
    await sql`create schema ${sql.id(schema)} authorization forecourt_owner`.execute(db);
    await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(`${schema}_rw`)}, api_read`.execute(
      db,
    );
    await sql`alter default privileges for role forecourt_owner in schema ${sql.id(schema)}
      grant select on tables to api_read`.execute(db);
    // A function is nobody's to call until it is published by name.
    await sql`alter default privileges for role forecourt_owner
      revoke execute on functions from public`.execute(db);
  }
}

/** Roles belong to the whole server, so several databases (and tests) may create them at once. */
async function createRole(db: Kysely<unknown>, role: string): Promise<void> {
  await sql`do $$ begin
    execute ${sql.lit(`create role ${role} nologin`)};
  exception when duplicate_object or unique_violation then null;
  end $$`.execute(db);
}
