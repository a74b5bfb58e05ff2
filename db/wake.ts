// Wakes the relay after a commit that published facts, at most once per process and 20 ms.
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DB } from './schema.ts';

export const WAKE_CHANNEL = 'forecourt_outbox';
const PAUSE_MS = 20;

const published = new WeakSet<Transaction<DB>>();
const resting = new WeakSet<Kysely<DB>>();
const wanted = new WeakSet<Kysely<DB>>();

/** Notes that `tx` put something into the outbox; `wakeIfPublished` acts on it after the commit. */
export function notePublished(tx: Transaction<DB>): void {
  published.add(tx);
}

export function wakeIfPublished(db: Kysely<DB>, tx: Transaction<DB>): void {
  if (published.has(tx)) wakeRelay(db);
}

/**
 * Call it after the commit only: NOTIFY inside a business transaction takes a lock of the whole
 * server and halves throughput. A failure is of no matter, since the relay also polls.
 */
export function wakeRelay(db: Kysely<DB>): void {
  if (resting.has(db)) {
    wanted.add(db);
    return;
  }
  resting.add(db);
  void sql`select pg_notify(${WAKE_CHANNEL}, '')`.execute(db).catch(() => undefined);
  setTimeout(() => {
    resting.delete(db);
    if (wanted.delete(db)) wakeRelay(db);
  }, PAUSE_MS).unref();
}
