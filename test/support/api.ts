// The API on a real socket with a database of its own, and the few ways in which tests call it.
import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { DestinationStream } from 'pino';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { createApp } from '../../api/app.ts';
import { createAuthenticate } from '../../api/auth/authenticate.ts';
import { type BearerOptions, createBearers } from '../../api/auth/bearers.ts';
import { ownTokenVerifier } from '../../api/auth/settings.ts';
import { localKeys } from '../../api/auth/tokens.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createHealth, postgresProbe, temporalProbe } from '../../api/health.ts';
import { type Listening, listen } from '../../api/listen.ts';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { quotasFrom } from '../../api/rate-limits/tiers.ts';
import { type Db, openDb } from '../../db/client.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { localStore } from '../../storage/local-store.ts';
import { openClient } from '../../temporal-config/connection.ts';
import { NAMESPACE } from '../../temporal-config/names.ts';
import { parsePayloadKeys } from '../../temporal-config/payload-codec.ts';
import { createLogger } from '../../workers/logging.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { whenDone } from './endings.ts';
import { type Person, plantStaff, tokenOf } from './people.ts';
import { ISSUER, testJwk } from './tokens.ts';

/** Nothing listens there: port 1 is reserved and closed. */
export const CLOSED_ADDRESS = '127.0.0.1:1';

/** Far more than any test asks for; test/api/rate-limits.test.ts runs the defaults. */
const AMPLE = quotasFrom(
  'auth-account=100000,auth-peer=100000,staff=1000000,key=1000000,public=1000000',
);

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what the assertion names.
  readonly body: any;
};

export type CallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Serialised as JSON, unless it is text or bytes already. */
  readonly body?: unknown;
  /** The Idempotency-Key; false sends none, left out sends a fresh one with each POST. */
  readonly key?: string | false;
  /** The bearer; false sends none, left out sends that of somebody who may do everything. */
  readonly token?: string | false;
  readonly signal?: AbortSignal;
};

export type TestApi = {
  readonly database: TestDatabase;
  readonly url: string;
  readonly deps: ApiDeps;
  readonly listening: Listening;
  readonly logLines: readonly string[];
  /** The staff member of that name, who may do everything. */
  readonly person: (name: string) => Promise<Person>;
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<ApiAnswer>;
};

type Options = {
  /** Instead of a database that is made for the test. */
  readonly database?: TestDatabase;
  readonly temporal?: Client;
  /** What the API uses, where it shall not be the database's own. */
  readonly db?: Db;
  readonly deps?: Partial<ApiDeps>;
  /** See `listen`. */
  readonly noticeMs?: number;
  readonly port?: number;
  readonly authorization?: Parameters<typeof listen>[2]['authorization'];
};

/**
 * Call it in `beforeAll`. Temporal is unreachable unless a client is given. The caller is the
 * staff member named by the header `x-test-actor`, so that tests can be several people; all of them
 * are real rows with real tokens.
 */
export async function testApi(options: Options = {}): Promise<TestApi> {
  const database = options.database ?? (await testDatabase());
  const temporal = options.temporal ?? unreachableTemporal();
  const db = options.db ?? database.db;
  const health = createHealth({ postgres: postgresProbe(db), temporal: temporalProbe(temporal) });
  const objects = join(tmpdir(), `forecourt-objects-${process.pid}`);
  whenDone(() => rm(objects, { recursive: true, force: true }));
  const logLines: string[] = [];
  const sink: DestinationStream = { write: (line) => void logLines.push(line) };
  const deps: ApiDeps = {
    db,
    temporal,
    authenticate: testAuthenticate({ db }),
    actorOf: (c) => c.get('caller').actor,
    now: () => new Date().toISOString(),
    log: createLogger('api', sink),
    metrics: new Registry(),
    health,
    envelope: openEnvelope(`test:${randomBytes(32).toString('base64')}`),
    objects: localStore(objects),
    limiter: createRateLimiter({ quotas: AMPLE }),
    proxies: trustedProxies(undefined),
    ...options.deps,
  };
  const listening = await listen(createApp(deps), health, {
    port: options.port ?? 0,
    noticeMs: options.noticeMs ?? 0,
    authorization: options.authorization,
  });
  whenDone(async () => {
    await listening.close();
    // One that never connected still tries to, and takes a closed channel for an error.
    if (options.temporal) await options.temporal.connection.close().catch(() => undefined);
  });
  const url = `http://127.0.0.1:${listening.port}`;
  const people = new Map<string, Promise<Person>>();
  const person = (name: string) => {
    const one = people.get(name) ?? plantStaff(database.owner, { name });
    people.set(name, one);
    return one;
  };
  return { database, url, deps, listening, logLines, person, call: caller(url, person) };
}

/** As the API process does it, with the tests' own issuer in place of the authorization server. */
export function testAuthenticate(options: Pick<BearerOptions, 'db'> & Partial<BearerOptions>) {
  const now = () => new Date().toISOString();
  const keys = localKeys(async () => [await testJwk()]);
  const verify = ownTokenVerifier({ issuer: ISSUER, keys, now });
  return createAuthenticate(createBearers({ verify, now, ...options }));
}

function unreachableTemporal(): Client {
  const keys = parsePayloadKeys(`test:${randomBytes(32).toString('base64')}`);
  return openClient({ address: CLOSED_ADDRESS, namespace: NAMESPACE, keys });
}

/** A pool to a PostgreSQL that is not there. */
export function unreachableDb(): Db {
  return openDb(`postgres://nobody:nothing@${CLOSED_ADDRESS}/nowhere`, { max: 2 });
}

/** Whom calls come from that name nobody. */
export const SOMEBODY = 'demo-agent';

function caller(url: string, person: TestApi['person']): TestApi['call'] {
  return async (method, path, { headers, body, key, signal, token } = {}) => {
    const sent =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
    const sentKey = key ?? (method === 'POST' ? randomUUID() : false);
    const bearer = token ?? (await tokenOf(await person(headers?.['x-test-actor'] ?? SOMEBODY)));
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...(sentKey !== false && { 'idempotency-key': sentKey }),
        ...(bearer !== false && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent as string }),
      ...(signal && { signal }),
    });
    return answerOf(response.status, response.headers, await response.text());
  };
}

function answerOf(status: number, headers: Headers, text: string): ApiAnswer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status, headers, text, body };
}

/** For methods and paths that `fetch` refuses or rewrites. */
export async function rawRequest(
  api: TestApi,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiAnswer> {
  const all = { authorization: `Bearer ${await tokenOf(await api.person(SOMEBODY))}`, ...headers };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: api.listening.port, method, path, headers: all },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const all = new Headers();
          for (const [name, value] of Object.entries(response.headers)) {
            all.set(name, String(value));
          }
          resolve(answerOf(response.statusCode ?? 0, all, Buffer.concat(chunks).toString()));
        });
      },
    );
    request.on('error', reject);
    request.end();
  });
}

/** Bytes as they are, and everything that comes back until the server closes. */
export function rawBytes(api: TestApi, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(api.listening.port, '127.0.0.1', () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
    socket.setTimeout(3_000, () => socket.destroy());
  });
}

/** A refusal as every one must look: the right status, type, media type and instance. */
export function expectProblem(answer: ApiAnswer, status: number, slug: string): void {
  expect([answer.status, answer.body?.type]).toEqual([status, `/problems/${slug}`]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body.status).toBe(status);
  expect(answer.body.title).not.toBe('');
  expect(answer.body.instance).toBe(`urn:uuid:${answer.headers.get('x-request-id')}`);
}
