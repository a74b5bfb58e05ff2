// The rows of the idempotency store: claim a key, save its answer, free it, forget old ones.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, transact } from '../client.ts';
import { callInOneTrip, type PreparedCall, transactInOneTrip } from '../one-trip.ts';

/** Who asked, by which route (method and pattern), under which key. */
export type KeyScope = {
  readonly principal: string;
  readonly route: string;
  readonly key: string;
};

export type SavedAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Claim =
  /** Ours to run, under this id; also after another run of it was lost. */
  | { readonly outcome: 'run'; readonly boundId: string }
  | { readonly outcome: 'running' }
  | { readonly outcome: 'reused' }
  | { readonly outcome: 'answered'; readonly answer: SavedAnswer };

type Row = {
  readonly same: boolean;
  readonly bound_id: string;
  readonly state: string;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
};

/** Longer than any request may take, so a lock that old belongs to a process that is gone. */
export const LOCK_SECONDS = 30;
/** Callers may retry for a day; twice that is kept. */
export const KEEP_HOURS = 48;

/** $1 principal, $2 route, $3 key, $4 hash in hex, $5 fresh id. Answers the id when it is ours to run. */
const CLAIM_KEY: PreparedCall = {
  role: 'api_rw',
  name: 'claim_key',
  types: ['text', 'text', 'text', 'text', 'uuid'],
  text: `insert into events.idempotency as held
      (principal, route, key, request_hash, bound_id, locked_until)
    values ($1, $2, $3, decode($4, 'hex'), $5, now() + make_interval(secs => ${LOCK_SECONDS}))
    on conflict (principal, route, key) do update set locked_until = excluded.locked_until
      where held.state = 'in_progress' and held.locked_until < now()
        and held.request_hash = excluded.request_hash
    returning bound_id as answer`,
};

/** $1 principal, $2 route, $3 key, $4 status, $5 headers, $6 body. Answers nothing when it has one. */
const SAVE_ANSWER: PreparedCall = {
  role: 'api_rw',
  name: 'save_answer',
  types: ['text', 'text', 'text', 'int', 'jsonb', 'text'],
  text: `update events.idempotency set state = 'done', status = $4, headers = $5, body = $6
    where principal = $1 and route = $2 and key = $3 and state = 'in_progress'
    returning state as answer`,
};

/**
 * Binds a fresh id to the key, or finds what it is bound to. `requestHash` is SHA-256 in hex.
 * The claim is on disk before anything happens: a lost one would let a retry act under another id.
 */
export async function claimKey(db: Db, scope: KeyScope, requestHash: string): Promise<Claim> {
  const { principal, route, key } = scope;
  const values = [principal, route, key, requestHash, uuidv7()];
  const boundId = await callInOneTrip(db, principal, CLAIM_KEY, values);
  if (boundId !== null) return { outcome: 'run', boundId };
  return readClaim(db, scope, requestHash);
}

async function readClaim(db: Db, scope: KeyScope, requestHash: string): Promise<Claim> {
  const [row] = await transactInOneTrip(
    db,
    'api_rw',
    scope.principal,
    sql<Row>`select request_hash = decode(${sql.lit(requestHash)}, 'hex') as same, bound_id, state,
      status, headers, body from events.idempotency where ${at(scope)}`,
  );
  // Forgotten between the two statements: as good as one that has just been freed.
  if (row === undefined) return { outcome: 'running' };
  if (!row.same) return { outcome: 'reused' };
  if (row.state === 'in_progress') return { outcome: 'running' };
  const { status, headers, body } = row;
  if (status === null || headers === null || body === null) throw new Error('Answer is not whole.');
  return { outcome: 'answered', answer: { status, headers, body } };
}

/**
 * Saves the first answer and tells it: when two runs of one request end (a lock was taken over),
 * both callers get the same bytes. May be lost with a crash: a retry then asks again, same id.
 */
export async function saveAnswer(
  db: Db,
  scope: KeyScope,
  answer: SavedAnswer,
): Promise<SavedAnswer> {
  const { principal, route, key } = scope;
  const values = [
    principal,
    route,
    key,
    answer.status,
    JSON.stringify(answer.headers),
    answer.body,
  ];
  const saved = await callInOneTrip(db, principal, SAVE_ANSWER, values, { durable: false });
  if (saved !== null) return answer;
  const [first] = await transactInOneTrip(
    db,
    'api_rw',
    scope.principal,
    sql<SavedAnswer>`select status, headers, body from events.idempotency
      where ${at(scope)} and state = 'done'`,
  );
  return first ?? answer;
}

/** Lets a retry run at once, under the same id: for requests whose outcome is not known. */
export async function freeKey(db: Db, scope: KeyScope): Promise<void> {
  await transactInOneTrip(
    db,
    'api_rw',
    scope.principal,
    sql`update events.idempotency set locked_until = '-infinity'
      where ${at(scope)} and state = 'in_progress'`,
    { durable: false },
  );
}

/** Deletes what is older than `KEEP_HOURS`; answers how many rows. */
export function forgetOldKeys(db: Db): Promise<number> {
  return transact(db, 'api_rw', 'system:api', async (tx) => {
    const { numAffectedRows } = await sql`delete from events.idempotency
      where created_at < now() - make_interval(hours => ${KEEP_HOURS})`.execute(tx);
    return Number(numAffectedRows ?? 0n);
  });
}

function at({ principal, route, key }: KeyScope) {
  return sql`principal = ${sql.lit(principal)} and route = ${sql.lit(route)}
    and key = ${sql.lit(key)}`;
}
