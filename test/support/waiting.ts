// Transactions that wait for each other, and what a statement was refused by.
import { type Kysely, sql } from 'kysely';
import { expect } from 'vitest';
import type { DB } from '../../db/schema.ts';

/** Until a transaction of this database waits for another one. */
export async function someoneWaits(owner: Kysely<DB>): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await sql`select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
        return rows.length;
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThan(0);
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
