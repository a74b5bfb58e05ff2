// Statements that come again and again: each connection parses and plans them once.
import { createHash } from 'node:crypto';
import type { PostgresPool, PostgresPoolClient } from 'kysely';

/** Once is no habit: what comes seldom would only fill the server's memory. */
const HABIT = 5;
/** Each connection keeps each of them, with its plan. */
const MOST_PREPARED = 250;
/** Texts that are still being counted, so that texts made of data cannot fill this process. */
const MOST_COUNTED = 2_000;

export type Statements = {
  /** The name under which `text` is prepared; undefined as long as it is not worth it. */
  readonly nameOf: (text: string) => string | undefined;
  /** All are prepared anew, under new names: what they answer may have changed its columns. */
  readonly renew: () => void;
};

export function openStatements(): Statements {
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  let generation = 0;
  return {
    nameOf: (text) => {
      const name = names.get(text);
      if (name !== undefined) return name;
      if (names.size >= MOST_PREPARED) return undefined;
      if (counts.size >= MOST_COUNTED) counts.clear();
      const count = (counts.get(text) ?? 0) + 1;
      counts.set(text, count);
      if (count < HABIT) return undefined;
      counts.delete(text);
      const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
      names.set(text, `s${generation}_${digest}`);
      return names.get(text);
    },
    renew: () => {
      generation += 1;
      names.clear();
    },
  };
}

/**
 * Whether a statement was prepared before a migration changed what it answers. Known by the place in
 * the server that refuses it: the code means all that is not supported, the text has a language.
 */
export function isOutdated(error: unknown): boolean {
  return (error as { readonly routine?: string }).routine === 'RevalidateCachedQuery';
}

/**
 * The pool as Kysely sees it. `mayPrepare` is asked at each statement with parameters: a plan that
 * is made once suits rows that are asked for by key, less so lists whose filters change.
 */
export function preparing(
  pool: PostgresPool,
  statements: Statements,
  mayPrepare: () => boolean,
): PostgresPool {
  const clients = new WeakMap<PostgresPoolClient, PostgresPoolClient>();
  return {
    ...(pool.Client && { Client: pool.Client }),
    options: pool.options,
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect();
      const known = clients.get(client) ?? preparingClient(client, statements, mayPrepare);
      clients.set(client, known);
      return known;
    },
  };
}

function preparingClient(
  client: PostgresPoolClient,
  statements: Statements,
  mayPrepare: () => boolean,
): PostgresPoolClient {
  const { processID } = client;
  // Kysely's types know a statement and its values only; the driver takes a name as well.
  const driver = client as unknown as { query: (asked: unknown, values?: unknown) => unknown };
  const query = (text: unknown, values: readonly unknown[] = []) => {
    const isStatement = typeof text === 'string' && values.length > 0;
    const name = isStatement && mayPrepare() ? statements.nameOf(text) : undefined;
    return name === undefined ? driver.query(text, values) : driver.query({ name, text, values });
  };
  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy),
    ...(processID !== undefined && { processID }),
  };
}
