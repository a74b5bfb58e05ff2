// Temporal: the real server on the stack's PostgreSQL, with its Web UI; built once from pinned
// sources.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetched, isEnding, onPath, requireTool, run } from '../fetch.mjs';
import { root } from '../places.mjs';
import { answers } from '../ports.mjs';
import { during, StackError, say } from '../progress.mjs';
import { externalPart, firstOf } from './external.mjs';
import { temporalCli } from './temporal-cli.mjs';

const version = '1.32.0';
const uiVersion = '2.54.1';
const here = dirname(fileURLToPath(import.meta.url));
const configuration = join(root, 'temporal-config/server');
const programs = {
  'temporal-server': 'go.temporal.io/server/cmd/server',
  'temporal-sql-tool': 'go.temporal.io/server/cmd/tools/sql',
  'temporal-ui': 'github.com/temporalio/ui-server/v2/cmd/server',
};

/**
 * @returns {Promise<object[]>} server and Web UI as parts; one part when another server is named,
 * or when the
 *   command line's development server stands in
 */
export async function temporal(context) {
  const elsewhere = context.environment.TEMPORAL_ADDRESS;
  if (elsewhere) {
    const [host, port] = firstOf(elsewhere);
    return [await externalPart('temporal', 'Temporal', elsewhere, 'TEMPORAL_ADDRESS', host, port)];
  }
  if (context.environment.FORECOURT_TEMPORAL === 'cli') return development(context);
  let found;
  try {
    found = await find();
  } catch (error) {
    if (isEnding()) throw error;
    say(`${error.message}\n  Temporal's development server is taken instead (slower).`);
    return development(context);
  }
  keepKind(context.places, 'real');
  return [serverPart(found, context), uiPart(found, context)];
}

/** Kept only once it is there: a build that fails must not decide whose the data is. */
async function development(context) {
  const parts = await temporalCli(context);
  keepKind(context.places, 'development');
  return parts;
}

/**
 * Open rentals live in the server that runs them. Another kind beside the same data would know
 * none of them, so it is refused with one line.
 */
export function keepKind(places, kind) {
  const file = join(places.data, 'temporal.kind');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : kind;
  if (before !== kind) {
    throw new StackError(
      `The data here belongs to Temporal's ${before} server, and its ${kind} server cannot read it. ` +
        'Run the first again (FORECOURT_TEMPORAL=cli is the development server), or remove the ' +
        'data with npm run clean.',
    );
  }
  writeFileSync(file, kind);
}

async function find() {
  return fetched(
    `temporal-${version}-ui-${uiVersion}`,
    (dir) =>
      during(`building Temporal ${version} (once; 4 to 8 minutes on 2 cores)`, () => build(dir)),
    { installed: installedServer },
  );
}

/** The directory on PATH that holds all three programs, in this version. */
async function installedServer() {
  const file = onPath('temporal-server');
  if (!file || !Object.keys(programs).every((name) => onPath(name))) return undefined;
  const output = await run(file, ['--version'], { why: 'Asking Temporal for its version' });
  return output.includes(`version ${version}`) ? dirname(file) : undefined;
}

async function build(dir) {
  const hint = 'Install Go 1.26 (https://go.dev/dl) or set TEMPORAL_ADDRESS.';
  requireTool('go', 'Temporal is built from its sources', hint);
  const source = join(dir, 'source');
  mkdirSync(source);
  for (const name of ['go.mod', 'go.sum']) {
    copyFileSync(join(here, 'temporal', name), join(source, name));
  }
  for (const [name, path] of Object.entries(programs)) {
    const args = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', join(dir, name)];
    await run('go', [...args, path], { cwd: source, why: `Building ${name}` });
  }
}

function serverPart({ dir, how }, context) {
  const { places, ports, database } = context;
  return {
    id: 'temporal',
    name: 'Temporal',
    address: `127.0.0.1:${ports.temporal}`,
    how,
    ports: temporalPorts(ports),
    prepare: () => schema(dir, database),
    file: join(dir, 'temporal-server'),
    args: ['start'],
    cwd: places.data,
    env: serverEnv(ports, database),
    stopSignal: 'SIGTERM',
    ready: () => responds(`http://127.0.0.1:${ports.temporalHttp}/api/v1/namespaces`),
  };
}

function temporalPorts(ports) {
  return Object.keys(ports)
    .filter((name) => name.startsWith('temporal'))
    .map((name) => ports[name]);
}

/** Creates or upgrades both databases; each step does nothing when it was done before. */
async function schema(dir, { host, port, user, password }) {
  const server = ['--plugin', 'postgres12_pgx', '--ep', host, '-p', String(port), '-u', user];
  const schemas = { temporal: 'temporal', temporal_visibility: 'visibility' };
  for (const [name, schemaName] of Object.entries(schemas)) {
    const steps = [
      ['create-database', '--defaultdb', 'postgres'],
      ['setup-schema', '-v', '0.0'],
      ['update-schema', '--schema-name', `postgresql/v12/${schemaName}`],
    ];
    for (const step of steps) {
      await run(join(dir, 'temporal-sql-tool'), [...server, '--db', name, ...step], {
        env: { SQL_PASSWORD: password },
        why: "Setting up Temporal's database",
      });
    }
  }
}

function serverEnv(ports, { host, port, user, password }) {
  return {
    TEMPORAL_SERVER_CONFIG_FILE_PATH: join(configuration, 'temporal.yaml'),
    TEMPORAL_DYNAMIC_CONFIG: join(configuration, 'dynamic.yaml'),
    // Sign-in to Temporal is not set up locally: it listens on the loopback interface only.
    TEMPORAL_ALLOW_NO_AUTH: 'true',
    TEMPORAL_BROADCAST_ADDRESS: '127.0.0.1',
    TEMPORAL_DB_ADDRESS: `${host}:${port}`,
    TEMPORAL_DB_USER: user,
    TEMPORAL_DB_PASSWORD: password,
    TEMPORAL_FRONTEND_PORT: String(ports.temporal),
    TEMPORAL_HTTP_PORT: String(ports.temporalHttp),
    TEMPORAL_HISTORY_PORT: String(ports.temporalHistory),
    TEMPORAL_MATCHING_PORT: String(ports.temporalMatching),
    TEMPORAL_WORKER_PORT: String(ports.temporalWorker),
    TEMPORAL_FRONTEND_MEMBERSHIP_PORT: String(ports.temporalFrontendMembership),
    TEMPORAL_HISTORY_MEMBERSHIP_PORT: String(ports.temporalHistoryMembership),
    TEMPORAL_MATCHING_MEMBERSHIP_PORT: String(ports.temporalMatchingMembership),
    TEMPORAL_WORKER_MEMBERSHIP_PORT: String(ports.temporalWorkerMembership),
  };
}

function uiPart({ dir, how }, { places, ports }) {
  return {
    id: 'temporal-ui',
    name: 'Temporal Web UI',
    address: `http://localhost:${ports.ui}`,
    how,
    ports: [ports.ui],
    file: join(dir, 'temporal-ui'),
    args: ['--root', configuration, '--config', '.', '--env', 'ui', 'start'],
    cwd: places.data,
    env: {
      TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
      TEMPORAL_UI_PORT: String(ports.ui),
      TEMPORAL_UI_ORIGIN: `http://localhost:${ports.ui}`,
      TEMPORAL_CODEC_ENDPOINT: `http://localhost:${ports.codec}`,
    },
    stopSignal: 'SIGTERM',
    ready: () => answers('127.0.0.1', ports.ui),
  };
}

/** Whether a URL answers with success within a second. */
export async function responds(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}
