// The only way to PostgreSQL: one pool a process, and transactions that say who acts in which role.
import { setTimeout as delay } from 'node:timers/promises';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { ActingDialect, beginAs } from './acting-dialect.ts';
import { currentOrigin } from './origin.ts';
import { isOutdated, openStatements, type Statements } from './prepared.ts';
import type { DB } from './schema.ts';
import { wakeIfPublished } from './wake.ts';

const tracer = trace.getTracer('forecourt/db');

export type Db = Kysely<DB>;
export type Tx = Transaction<DB>;
export type Role =
  | 'vehicles_rw'
  | 'rentals_rw'
  | 'maintenance_rw'
  | 'people_rw'
  | 'accounting_rw'
  | 'events_rw'
  | 'api_rw'
  | 'api_read';

/**
 * Who acts, and which rows of branch-bound and personal tables the policies let through: all (`*`),
 * those of some branches (`branches:VIE,GRZ`), a customer's own (`customer:<id>`), or none of them.
 */
export type RowAccess = { readonly principal: string; readonly scope: string };

/** A principal alone acts for the system, whose work knows no branches: effects, relays, upkeep. */
export type Acting = string | RowAccess;

export function rowAccess(acting: Acting): RowAccess {
  return typeof acting === 'string' ? { principal: acting, scope: '*' } : acting;
}

const INT8 = 20;
const DATE = 1082;
const TIMESTAMPTZ = 1184;

export type PoolOptions = {
  readonly max?: number;
  /** How long a statement, or an idle transaction, may hold its locks; 0 for ever. */
  readonly limitMs?: number;
};

/** Far above any statement of the product; below the time after which an activity is repeated. */
const LIMIT_MS = 8_000;
const CONNECT_MS = 5_000;

/**
 * Eight connections: on two cores more only queue inside the server. A process that freezes in the
 * middle of a transaction loses it, so that others need not wait for its locks.
 * `int8` arrives as a safe integer and `timestamptz` as an ISO 8601 string in UTC.
 */
export function openDb(connectionString: string, options: PoolOptions = {}): Db {
  const pool = openPool(connectionString, { limitMs: LIMIT_MS, ...options });
  const statements = openStatements();
  const db = new Kysely<DB>({ dialect: new ActingDialect(pool, statements) });
  pools.set(db, pool);
  prepared.set(db, statements);
  return db;
}

const pools = new WeakMap<Db, pg.Pool>();
const prepared = new WeakMap<Db, Statements>();

/** The pool behind `db`, for one-trip.ts alone. */
export function poolOf(db: Db): pg.Pool {
  const pool = pools.get(db);
  if (pool === undefined) throw new Error('This db was not opened by openDb.');
  return pool;
}

export function postgresDialect(
  connectionString: string,
  options: PoolOptions = {},
): PostgresDialect {
  return new PostgresDialect({ pool: openPool(connectionString, options) });
}

function openPool(connectionString: string, options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: options.max ?? 8,
    types: { getTypeParser },
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: options.limitMs ?? 0,
    idle_in_transaction_session_timeout: options.limitMs ?? 0,
  });
  // An idle connection that the server ends is replaced at the next query; nothing is lost by it.
  pool.on('error', () => undefined);
  // One that is in use tells its query; without a listener it would end the process as well.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Runs `work` in one transaction as `role`, for `acting` (`kind:id`); both end with it. After a
 * deadlock or a serialization failure, or when a migration outdated a prepared statement, the server
 * has undone everything, so `work` runs again: it must touch nothing but `tx`. Wakes the relay after a commit that published facts.
 */
export function transact<T>(
  db: Db,
  role: Role,
  acting: Acting,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(`transact ${role}`, { kind: SpanKind.CLIENT }, async (span) => {
    try {
      return await retrying(db, () => once(db, role, acting, work));
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

async function once<T>(
  db: Db,
  role: Role,
  acting: Acting,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { principal, scope } = rowAccess(acting);
  const settings = { role, principal, scope, origin: currentOrigin() };
  let transaction: Tx | undefined;
  const result = await beginAs(settings, () =>
    db.transaction().execute((tx) => {
      transaction = tx;
      return work(tx);
    }),
  );
  if (transaction) wakeIfPublished(db, transaction);
  return result;
}

const DEADLOCK = '40P01';
const SERIALIZATION = '40001';
const ATTEMPTS = 5;

async function retrying<T>(db: Db, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { readonly code?: string };
      const mayPass = code === DEADLOCK || code === SERIALIZATION || isOutdated(error);
      if (!mayPass || attempt === ATTEMPTS) throw error;
      if (isOutdated(error)) prepared.get(db)?.renew();
      await delay(attempt * 5 * (1 + Math.random()));
    }
  }
}

const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') => {
  if (format !== 'binary') {
    if (oid === INT8) return safeInteger;
    if (oid === TIMESTAMPTZ) return isoInstant;
    // A calendar date has no zone: as a Date it would shift.
    if (oid === DATE) return (text: string) => text;
  }
  return pg.types.getTypeParser(oid, format as 'text');
}) as typeof pg.types.getTypeParser;

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${text} is beyond a safe integer.`);
  return value;
}

function isoInstant(text: string): string {
  return new Date(text).toISOString();
}
