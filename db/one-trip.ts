// A transaction of one statement in one round trip, for what every command of the API does first.
import type { RawBuilder } from 'kysely';
import type pg from 'pg';
import { actingText } from './acting-text.ts';
import { type Acting, type Db, poolOf, type Role, rowAccess } from './client.ts';
import { literal, type Value } from './literal.ts';

type Options = {
  /** False: do not wait for the disk. Only for what may be lost with a crash of the server. */
  readonly durable?: boolean;
};

/**
 * Like `transact`, for a single statement: role, principal and statement travel as one message,
 * which the server runs as one transaction. Such a message has no parameters, so every value must
 * be inlined with `sql.lit`, which quotes it.
 */
export async function transactInOneTrip<T>(
  db: Db,
  role: Role,
  acting: Acting,
  statement: RawBuilder<T>,
  options: Options = {},
): Promise<readonly T[]> {
  const { sql: inlined, parameters } = statement.compile(db);
  if (parameters.length > 0) throw new Error('A one-trip statement must inline its values.');
  const who = actingText({ role, ...rowAccess(acting) });
  // node-postgres answers one result per statement, which its types do not say.
  const results = (await poolOf(db).query(
    `${who}; ${commitOf(options)};\n${inlined}`,
  )) as unknown as readonly pg.QueryResult[];
  return (results.at(-1)?.rows ?? []) as T[];
}

/** A function or query of the database, as `callInOneTrip` and `readInOneTrip` call it. */
export type PreparedCall = {
  readonly role: Role;
  /** The statement, with $1 and so on, that answers rows with one column `answer`. */
  readonly text: string;
  readonly types: readonly string[];
  /** The name of the prepared statement, one of a kind. */
  readonly name: string;
};

type Answers = readonly (string | null)[];

const prepared = new WeakMap<pg.PoolClient, Set<string>>();

/**
 * Like `transactInOneTrip`, for a statement that is called often: each connection parses and plans
 * it once. Answers what its one row answered, as text.
 */
export async function callInOneTrip(
  db: Db,
  acting: Acting,
  call: PreparedCall,
  values: readonly Value[],
  options: Options = {},
): Promise<string | null> {
  const [answers] = await executeInOneTrip(db, acting, [call], values, commitOf(options));
  return answers?.[0] ?? null;
}

/**
 * Like `callInOneTrip`, for reads: the answers of all rows, call by call. All calls have the same
 * role and the same values. Rows arrive while the next ones are made, which one large text would
 * not. They are planned once and by index, for the reasons of migration 0087, and speak UTC.
 */
export function readInOneTrip(
  db: Db,
  acting: Acting,
  calls: readonly [PreparedCall, ...PreparedCall[]],
  values: readonly Value[],
): Promise<readonly Answers[]> {
  return executeInOneTrip(db, acting, calls, values, READ);
}

const DURABLE = 'set local synchronous_commit = on';
const ASYNCHRONOUS = 'set local synchronous_commit = off';

function commitOf({ durable = true }: Options): string {
  return durable ? DURABLE : ASYNCHRONOUS;
}

const READ = `set local "TimeZone" = 'UTC'; set local enable_seqscan = off;
  set local plan_cache_mode = force_generic_plan`;

async function executeInOneTrip(
  db: Db,
  acting: Acting,
  calls: readonly [PreparedCall, ...PreparedCall[]],
  values: readonly Value[],
  settings: string,
): Promise<readonly Answers[]> {
  const who = actingText({ role: calls[0].role, ...rowAccess(acting) });
  const client = await poolOf(db).connect();
  try {
    for (const call of calls) await prepareOnce(client, call);
    const given = values.map(literal).join(',');
    const executions = calls.map(({ name }) => `execute ${name} (${given})`).join(';');
    const results = (await client.query(
      `${who}; ${settings};${executions}`,
    )) as unknown as readonly pg.QueryResult<{ readonly answer: string | null }>[];
    // Taken out: what keeps a result, dead or not, must not keep its rows from being collected.
    return results
      .slice(-calls.length)
      .map(({ rows }) => rows.splice(0).map(({ answer }) => answer));
  } finally {
    client.release();
  }
}

async function prepareOnce(client: pg.PoolClient, call: PreparedCall): Promise<void> {
  const known = prepared.get(client) ?? new Set();
  if (known.has(call.name)) return;
  // One message is one transaction, so a failure leaves none open on the connection.
  await client.query(`set local role ${call.role};
    prepare ${call.name} (${call.types.join(', ')}) as ${call.text}`);
  prepared.set(client, known.add(call.name));
}
