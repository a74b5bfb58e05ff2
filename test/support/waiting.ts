// Transactions that wait for each other, many at once, and what a statement was refused by.
import { type Kysely, sql } from 'kysely';
import { expect } from 'vitest';
import type { DB } from '../../db/schema.ts';

/** Until a transaction of this database waits for another one, or so many do. */
export async function someoneWaits(owner: Kysely<DB>, many = 1): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await sql`select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
        return rows.length;
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThanOrEqual(many);
}

/** The constraint that refused a statement, or 'done'. */
export async function attemptRaw(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return (error as { readonly constraint?: string }).constraint;
  }
}

/** As many as ask at once; far more than the pool has connections. */
const CALLERS = 32;

/**
 * All of the tasks, 32 under way at any time, and how each ended. Hundreds at once would wait for
 * one of the pool's connections longer than the pool lets them, on a busy machine.
 */
export async function allSettled<T>(
  tasks: readonly (() => Promise<T>)[],
): Promise<readonly PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = [];
  const queue = tasks.values();
  const caller = async () => {
    for (const task of queue) results.push(...(await Promise.allSettled([task()])));
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return results;
}
