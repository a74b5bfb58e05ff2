// The whole system as its own processes, on the test servers: what `npm start` runs, for one file.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { openSigningKeys } from '../../api/auth/server/keys.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { setUpTemporal } from '../../temporal-config/setup.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { whenDone } from './endings.ts';
import { plantStaff } from './people.ts';
import { signToken } from './tokens.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const endWithParent = fileURLToPath(new URL('./end-with-parent.ts', import.meta.url));

/** Only what hangs should meet it, as the limits of vitest.config.ts. */
const READY_MS = 120_000;

export type Part = {
  readonly pid: number;
  readonly port: number;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Resolves when it has ended, by whatever cause. */
  readonly ended: Promise<number | null>;
  readonly log: () => Promise<string>;
};

export type System = TestDatabase & {
  readonly namespace: string;
  readonly env: NodeJS.ProcessEnv;
  /** Starts a process from its entry file and waits until it says that it is ready. */
  readonly start: (entry: string, extra?: NodeJS.ProcessEnv) => Promise<Part>;
  /** A token of somebody who may do everything, for the API that was started last. */
  readonly token: () => Promise<string>;
  /** `http://127.0.0.1:port` of an API started by `start('api/server.ts')`. */
  readonly base: (api: Part) => string;
};

/** A database, and a Temporal namespace of its own (topics are shared); the parts are yours to start. */
export async function testSystem(name: string): Promise<System> {
  const servers = inject('servers');
  const database = await testDatabase();
  const id = `${name}-${randomBytes(4).toString('hex')}`;
  await setUpTemporal(servers.temporalAddress, id);
  const logs = path.join(root, '.forecourt', 'test-logs', id);
  await mkdir(logs, { recursive: true });
  const env = {
    ...process.env,
    TZ: 'UTC',
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: id,
    KAFKA_BROKERS: servers.kafkaBrokers,
    REDIS_URL: servers.redisUrl,
    PAYLOAD_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    DATA_KEYS: `d1:${randomBytes(32).toString('base64')}`,
    AUTH_COOKIE_KEYS: randomBytes(32).toString('base64'),
    // One person gives all the commands here.
    RATE_LIMITS: 'staff=1000000,public=1000000',
    LOG_LEVEL: 'info',
    MAIL_FOLDER: path.join(logs, 'mail'),
    // Made once for all tests; making it takes a worker as long as everything else.
    WORKFLOW_BUNDLE: inject('workflowBundlePath'),
  };
  let issuer = '';
  return {
    ...database,
    token: async () => ownToken(database, issuer, env.DATA_KEYS),
    namespace: id,
    env,
    start: async (entry, extra = {}) => {
      const [port, internalPort] = [await freePort(), await freePort()];
      const ports = { PORT: String(port), INTERNAL_PORT: String(internalPort) };
      const file = path.join(logs, `${path.basename(entry, '.ts')}-${internalPort}.log`);
      const child = spawn(process.execPath, ['--import', endWithParent, path.join(root, entry)], {
        cwd: root,
        env: { ...env, ...ports, ...extra },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      if (entry === 'api/server.ts') issuer = extra['PUBLIC_URL'] ?? `http://localhost:${port}`;
      const part = partOf(child, port, file);
      whenDone(() => part.stop('SIGKILL'));
      await untilReady(child, internalPort, part);
      return part;
    },
    base: (api) => `http://127.0.0.1:${api.port}`,
  };
}

/** Signed by the key that the authorization server of that database signs with. */
async function ownToken(
  { db, owner }: TestDatabase,
  issuer: string,
  dataKeys: string,
): Promise<string> {
  const [key] = (await openSigningKeys(db, openEnvelope(dataKeys))).current().privateKeys;
  if (key === undefined) throw new Error('There is no key to sign with.');
  const { id, sessionId, version } = await plantStaff(owner, { name: 'everybody' });
  return signToken({ iss: issuer, sub: id, kind: 'staff', sid: sessionId, uv: version }, {}, key);
}

function partOf(child: ChildProcess, port: number, file: string): Part {
  const sink = createWriteStream(file);
  child.stdout?.pipe(sink, { end: false });
  child.stderr?.pipe(sink, { end: false });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid ?? 0,
    port,
    ended,
    stop: (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
    log: () => readFile(file, 'utf8'),
  };
}

async function untilReady(child: ChildProcess, port: number, part: Part): Promise<void> {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline; await delay(50)) {
    if (child.exitCode !== null) throw new Error(`ended early:\n${await part.log()}`);
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
    if (answer?.ok) return;
  }
  throw new Error(`not ready in ${READY_MS} ms:\n${await part.log()}`);
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks until it holds. Throws when it does not within `ms`. */
export async function until(holds: () => Promise<boolean>, ms = 20_000): Promise<void> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await delay(50)) {
    if (await holds()) return;
  }
  throw new Error(`It did not come to hold within ${ms} ms.`);
}
