// A database of its own for a test file: cloned from the migrated template, dropped at the end.
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { inject } from 'vitest';
import { type Db, openDb } from '../../db/client.ts';
import type { DB } from '../../db/schema.ts';
import { whenDone } from './endings.ts';
import { administer, databaseUrl } from './global-setup.ts';

export type TestDatabase = {
  /** As the processes connect: no right outside `transact`. */
  readonly db: Db;
  /** As the owner of everything, for looking and for planting. */
  readonly owner: Kysely<DB>;
  readonly url: string;
  readonly ownerUrl: string;
};

/** Call it in `beforeAll`; the database goes when the file's tests are done. */
export async function testDatabase(): Promise<TestDatabase> {
  const servers = inject('servers');
  const name = `forecourt_test_${randomBytes(6).toString('hex')}`;
  await administer(servers.ownerUrl, `create database ${name} template ${servers.template}`);
  const url = databaseUrl(servers.appUrl, name);
  const ownerUrl = databaseUrl(servers.ownerUrl, name);
  const db = openDb(url);
  const owner = openDb(ownerUrl, { max: 3, limitMs: 0 });
  whenDone(async () => {
    await db.destroy();
    await owner.destroy();
    await administer(servers.ownerUrl, `drop database if exists ${name} with (force)`);
  });
  return { db, owner, url, ownerUrl };
}
