// Says where the local stack keeps things: the cache that clones share, and this clone's data
// and logs.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..'));

export const isRoot = process.getuid?.() === 0;

/** Downloads and builds, shared by all clones of one user. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'forecourt');

/**
 * Under root PostgreSQL runs as another user, who may not be able to enter the clone or the home.
 */
export const systemDir = '/var/lib/forecourt';

export const kinds = ['start', 'test', 'bench'];

/**
 * The directories of one stack of this clone.
 * @param {string} kind 'start', 'test' or 'bench': three stacks that can run at once
 */
export function placesOf(kind) {
  const home = join(root, '.forecourt');
  const base = kind === 'start' ? home : join(home, kind);
  const clone = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const data = join(base, 'data');
  return {
    kind,
    home,
    base,
    data,
    logs: join(base, 'logs'),
    run: join(base, 'run'),
    stackFile: join(base, 'stack.json'),
    systemOfClone: join(systemDir, clone),
    postgres: isRoot ? join(systemDir, clone, kind) : data,
  };
}

/** Makes the directories of a stack; only their owner may look inside. */
export function makePlaces(places) {
  mkdirSync(places.home, { recursive: true });
  chmodSync(places.home, 0o700);
  for (const dir of [places.data, places.logs, places.run, places.postgres]) {
    mkdirSync(dir, { recursive: true });
  }
}

/** Writes a file whole or not at all, readable by its owner only. */
export function writeSecretFile(path, text) {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, path);
}

/** The value in a JSON file, or undefined when the file is missing or was cut short. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The stack's passwords and keys, made at its first start; what an older stack lacks is added.
 * They lie beside PostgreSQL's data, because the one is worthless without the other.
 */
export function secretsOf(places) {
  const path = join(places.postgres, 'secrets.json');
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  const secrets = {
    owner: randomBytes(18).toString('hex'),
    app: randomBytes(18).toString('hex'),
    payloadKeys: `k1:${randomBytes(32).toString('base64')}`,
    dataKeys: `d1:${randomBytes(32).toString('base64')}`,
    authCookieKeys: randomBytes(32).toString('base64url'),
    paymentWebhook: randomBytes(32).toString('base64url'),
    demoPassword: randomBytes(8).toString('hex'),
    ...kept,
  };
  if (Object.keys(secrets).some((name) => kept[name] === undefined)) {
    writeSecretFile(path, JSON.stringify(secrets));
  }
  return secrets;
}
