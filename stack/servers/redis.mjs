// Redis: found, fetched from Debian without installing it, started. It holds nothing that may
// not be lost.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fetched, onPath, requireTool, run } from '../fetch.mjs';
import { during, StackError } from '../progress.mjs';
import { endOf, externalPart } from './external.mjs';

const fitting = /^(\d+:)?7\./;
const packages = ['redis-server', 'redis-tools'];
// What these need beyond a minimal Debian; a library that is installed is used from there.
const libraries = ['liblzf1', 'libjemalloc2', 'libatomic1'];

/** @returns {Promise<object>} the part that the supervisor runs, or the address to use as it is */
export async function redis({ places, ports, environment }) {
  const elsewhere = environment.REDIS_URL;
  if (elsewhere) {
    const [host, port] = endOf(elsewhere, 6379);
    return externalPart('redis', 'Redis', elsewhere, 'REDIS_URL', host, port);
  }
  const { dir, how } = await fetched(
    'redis-7',
    (building) => during('fetching Redis 7', () => fetchRedis(building)),
    { installed: installedRedis },
  );
  const data = join(places.data, 'redis');
  mkdirSync(data, { recursive: true });
  return {
    id: 'redis',
    name: 'Redis',
    address: `127.0.0.1:${ports.redis}`,
    how,
    ports: [ports.redis],
    file: join(how === 'PATH' ? dir : join(dir, 'usr/bin'), 'redis-server'),
    // Only keys with a time to live may be evicted; every key has one.
    args: [
      ...['--port', ports.redis, '--bind', '127.0.0.1', '--dir', data],
      ...['--save', '', '--appendonly', 'no'],
      ...['--maxmemory', '128mb', '--maxmemory-policy', 'volatile-lru'],
    ].map(String),
    cwd: data,
    env: how === 'PATH' ? {} : libraryPath(dir),
    stopSignal: 'SIGTERM',
    ready: () => pongs(ports.redis),
  };
}

/** The directory of a fitting redis-server on PATH. */
async function installedRedis() {
  const file = onPath('redis-server');
  if (!file) return undefined;
  const output = await run(file, ['--version'], { why: 'Asking Redis for its version' });
  return /v=7\./.test(output) ? dirname(file) : undefined;
}

async function fetchRedis(dir) {
  const hint = 'Install redis-server 7 (macOS: brew install redis@7) or set REDIS_URL.';
  requireTool('apt-get', "Redis is fetched with Debian's tools", hint);
  requireTool('dpkg', "Redis is fetched with Debian's tools", hint);
  const apt = await aptFor(dir);
  await pinned(apt);
  const files = join(dir, 'packages');
  mkdirSync(files);
  await apt('apt-get', ['download', ...packages], files);
  for (const library of libraries) {
    // Named differently elsewhere than in Debian 12: whether it is needed shows when the
    // server is asked.
    await apt('apt-get', ['download', library], files).catch(() => {});
  }
  for (const file of readdirSync(files).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(files, file), dir], { why: `Unpacking ${file}` });
  }
  rmSync(files, { recursive: true });
  const server = join(dir, 'usr/bin/redis-server');
  const why = 'Starting the fetched Redis for a first time';
  await run(server, ['--version'], { why, env: libraryPath(dir) });
}

/**
 * Debian's tools with package lists that are there: the machine's when it has them, else lists of
 * our own,
 * which any user may fetch. Signatures are checked against the machine's keys either way.
 */
async function aptFor(dir) {
  const why = 'Fetching Redis';
  const plain = (program, args, cwd) => run(program, args, { cwd, why });
  if ((await plain('apt-cache', ['policy', packages[0]]).catch(() => '')).includes('http')) {
    return plain;
  }
  const own = join(dir, 'apt');
  mkdirSync(join(own, 'lists/partial'), { recursive: true });
  mkdirSync(join(own, 'cache/archives/partial'), { recursive: true });
  const options = ['-o', `Dir::State::lists=${own}/lists`, '-o', `Dir::Cache=${own}/cache`];
  const withOwn = (program, args, cwd) => plain(program, [...options, ...args], cwd);
  await withOwn('apt-get', ['update', '-q']);
  return withOwn;
}

async function pinned(apt) {
  const policy = await apt('apt-cache', ['policy', packages[0]]);
  const version = /Candidate: (\S+)/.exec(policy)?.[1] ?? 'none';
  if (!fitting.test(version)) {
    throw new StackError(
      `Redis 7 is wanted, but the package lists offer ${version}: install it or set REDIS_URL.`,
    );
  }
}

function libraryPath(dir) {
  const base = join(dir, 'usr/lib');
  if (!existsSync(base)) return {};
  const dirs = readdirSync(base).filter((name) => name.includes('linux'));
  return { LD_LIBRARY_PATH: dirs.map((name) => join(base, name)).join(':') };
}

/** Whether Redis answers a PING; while it loads it answers an error instead. */
function pongs(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const end = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
