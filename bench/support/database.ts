// A migrated database of its own for each bench, so that no bench measures another one's rows.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../db/migrate.ts';

export type BenchDatabase = {
  readonly ownerUrl: string;
  readonly databaseUrl: string;
  readonly drop: () => Promise<void>;
};

export async function createBenchDatabase(
  name: string,
  urls: { readonly ownerUrl: string; readonly databaseUrl: string },
): Promise<BenchDatabase> {
  const database = `forecourt_bench_${name}_${randomBytes(4).toString('hex')}`;
  const ownerUrl = withDatabase(urls.ownerUrl, database);
  const databaseUrl = withDatabase(urls.databaseUrl, database);
  const drop = () => asOwner(urls.ownerUrl, `drop database if exists ${database} with (force)`);
  await asOwner(urls.ownerUrl, `create database ${database}`);
  try {
    await migrate(ownerUrl, databaseUrl);
  } catch (error) {
    await drop();
    throw error;
  }
  return { ownerUrl, databaseUrl, drop };
}

function withDatabase(url: string, database: string): string {
  const named = new URL(url);
  named.pathname = `/${database}`;
  return named.href;
}

async function asOwner(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
