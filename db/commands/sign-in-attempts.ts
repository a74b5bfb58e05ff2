// Counts failed sign-ins, so that guessing is slow and a stranger's guesses lock nobody out.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import { sha256 } from './credentials.ts';

const SIGN_IN = 'system:sign-in';

export type AttemptLimits = { readonly most: number; readonly withinS: number };

export const ATTEMPT_LIMITS: AttemptLimits = { most: 10, withinS: 900 };

export type Attempt =
  | { readonly outcome: 'slowed'; readonly retryAfterS: number }
  | {
      readonly outcome: 'begun';
      readonly id: number;
      /** True when others guess at this account: whoever tries has one try from here. */
      readonly guarded: boolean;
    };

type Counts = {
  /** Failures lately, and how long ago the one was after which there is room again. */
  readonly address: number;
  readonly account: number;
  readonly both: number;
  readonly oldest_s: number | null;
};

/**
 * Notes a try as failed before it is made, so that many at once do not slip through. `account` is
 * what was typed, known or not; `device` the id of a device on which its owner is remembered: such
 * tries are counted for themselves, out of reach of everybody else's.
 */
export function beginAttempt(
  db: Db,
  given: {
    readonly account: string;
    readonly address: string;
    readonly device?: string | undefined;
  },
  limits: AttemptLimits = ATTEMPT_LIMITS,
): Promise<Attempt> {
  const account = keyOf(given);
  const { address } = given;
  const onDevice = given.device !== undefined;
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    // Always in this order, so that two tries cannot wait for each other.
    await sql`select pg_advisory_xact_lock(1, hashtext(${address})),
      pg_advisory_xact_lock(2, hashtext(${account.toString('hex')}))`.execute(tx);
    const { rows } = await sql<Counts>`
      with recent as (
        select account_hash = ${account} as account, address = ${address}::inet as address,
          extract(epoch from now() - at) as age
        from people.sign_in_failure
        where at > now() - make_interval(secs => ${limits.withinS})
          and (account_hash = ${account} or address = ${address}::inet))
      select count(*) filter (where address) as address, count(*) filter (where account) as account,
        count(*) filter (where address and account) as both, max(age)::float8 as oldest_s
      from recent`.execute(tx);
    const counts = rows[0] ?? { address: 0, account: 0, both: 0, oldest_s: null };
    if (isSlowed(counts, onDevice, limits)) {
      const left = limits.withinS - (counts.oldest_s ?? 0);
      return { outcome: 'slowed', retryAfterS: Math.max(1, Math.ceil(left)) };
    }
    const inserted = await sql<{ id: number }>`insert into people.sign_in_failure
      (account_hash, address) values (${account}, ${address}::inet) returning id`.execute(tx);
    const guarded = !onDevice && counts.account >= limits.most;
    return { outcome: 'begun', id: inserted.rows[0]?.id ?? 0, guarded };
  });
}

/**
 * An address that failed too often waits. An account at which too many guesses were made is closed
 * to the addresses they came from; from elsewhere its owner still has a try.
 */
function isSlowed(counts: Counts, onDevice: boolean, limits: AttemptLimits): boolean {
  if (onDevice) return counts.account >= limits.most;
  if (counts.address >= limits.most) return true;
  return counts.account >= limits.most && counts.both > 0;
}

/** It was the right password: forgets what the same person mistyped from the same address before. */
export function attemptSucceeded(
  db: Db,
  given: {
    readonly account: string;
    readonly address: string;
    readonly device?: string | undefined;
  },
): Promise<void> {
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    await sql`delete from people.sign_in_failure
      where account_hash = ${keyOf(given)} and address = ${given.address}::inet`.execute(tx);
  });
}

/** No failure of the caller's: the password was never looked at. */
export function attemptWithdrawn(db: Db, id: number): Promise<void> {
  return transact(db, 'people_rw', SIGN_IN, async (tx) => {
    await sql`delete from people.sign_in_failure where id = ${id}`.execute(tx);
  });
}

function keyOf(given: { readonly account: string; readonly device?: string | undefined }): Buffer {
  return sha256(given.device === undefined ? `account ${given.account}` : `device ${given.device}`);
}
