// Once per run: a migrated template database that every test file clones.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../db/migrate.ts';
import { writeBundle } from '../../workers/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly servers: Servers;
    /** The workflows as every worker of this run gets them: bundled once. */
    readonly workflowBundlePath: string;
  }
}

/** Where the test servers are; all of them real. `template` is the database to clone. */
export type Servers = {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly template: string;
  readonly temporalAddress: string;
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
  readonly temporalTestServer: string;
};

/** The bundler's progress is no news in a test run. */
const silent = new DefaultLogger('WARN');

/** What the first project has set up, the others find: they inherit what the root provides. */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const root = project.vitest.getRootProject();
  if (root.getProvidedContext().servers !== undefined) return undefined;
  const servers = {
    ownerUrl: address('DATABASE_OWNER_URL'),
    appUrl: address('DATABASE_URL'),
    template: `forecourt_template_${process.pid}`,
    temporalAddress: address('TEMPORAL_ADDRESS'),
    kafkaBrokers: address('KAFKA_BROKERS'),
    redisUrl: address('REDIS_URL'),
    temporalTestServer: address('TEMPORAL_TEST_SERVER'),
  };
  const bundlePath = join(process.cwd(), '.forecourt/test', `workflows-${process.pid}.js`);
  const bundled = writeBundle(bundlePath, { logger: silent });
  await makeTemplate(servers);
  await bundled;
  root.provide('servers', servers);
  root.provide('workflowBundlePath', bundlePath);
  return async () => {
    await rm(bundlePath, { force: true });
    await administer(servers.ownerUrl, `drop database ${servers.template} with (force)`);
  };
}

/** `npm test` has just migrated an empty database, and says which: a copy takes no time at all. */
async function makeTemplate({ ownerUrl, appUrl, template }: Servers): Promise<void> {
  const migrated = process.env['MIGRATED_DATABASE'];
  if (migrated) return administer(ownerUrl, `create database ${template} template ${migrated}`);
  await administer(ownerUrl, `create database ${template}`);
  await migrate(databaseUrl(ownerUrl, template), databaseUrl(appUrl, template));
}

function address(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests by npm test.`);
  return value;
}

export function databaseUrl(url: string, database: string): string {
  const named = new URL(url);
  named.pathname = `/${database}`;
  return named.href;
}

export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
