// Brings a database to the newest schema and lets the processes' login act in its roles.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kysely, sql } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import { postgresDialect } from './client.ts';

const ROLES_OF_THE_LOGIN = [
  'vehicles_rw',
  'rentals_rw',
  'maintenance_rw',
  'people_rw',
  'accounting_rw',
  'events_rw',
  'api_rw',
  'api_read',
] as const;

/**
 * Migrates the database behind `ownerUrl` and prepares the login of `appUrl` (created with that
 * URL's password when absent). Repeating it changes nothing; two at once wait for each other.
 */
export async function migrate(ownerUrl: string, appUrl: string): Promise<readonly string[]> {
  const db = new Kysely<unknown>({ dialect: postgresDialect(ownerUrl, { max: 2 }) });
  try {
    const migrator = new Migrator({
      db,
      provider: new FileMigrationProvider({
        fs,
        path,
        migrationFolder: fileURLToPath(new URL('./migrations', import.meta.url)),
      }),
    });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    await prepareLogin(db, new URL(appUrl));
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
}

/** The login inherits nothing: outside `transact` it may not even read. */
async function prepareLogin(db: Kysely<unknown>, url: URL): Promise<void> {
  const login = decodeURIComponent(url.username);
  await db.transaction().execute(async (tx) => {
    // Roles are the server's: two migrations at once would collide on the same catalogue row.
    await sql`select pg_advisory_xact_lock(hashtext('forecourt login'))`.execute(tx);
    const { rows } = await sql`select from pg_roles where rolname = ${login}`.execute(tx);
    if (rows.length === 0) {
      const password = decodeURIComponent(url.password);
      await sql`create role ${sql.id(login)} login password ${sql.lit(password)}`.execute(tx);
    }
    for (const role of ROLES_OF_THE_LOGIN) {
      await sql`grant ${sql.id(role)} to ${sql.id(login)} with inherit false, set true`.execute(tx);
    }
  });
}

if (import.meta.main) {
  const ownerUrl = process.env['DATABASE_OWNER_URL'] ?? process.env['DATABASE_URL'];
  const appUrl = process.env['DATABASE_URL'];
  if (!ownerUrl || !appUrl) throw new Error('Set DATABASE_URL (and DATABASE_OWNER_URL).');
  const applied = await migrate(ownerUrl, appUrl);
  console.log(applied.length === 0 ? 'schema is current' : `applied ${applied.join(', ')}`);
}
