// Shows that a guard of a table refuses, and that nothing else does once it is gone.
import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../../db/client.ts';

const undone = Symbol('undone');

/** As the owner, whom no right or policy stops, and as if it had never been. */
export async function tried<T>(owner: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  let answer: T | undefined;
  const trial = owner.transaction().execute(async (tx) => {
    answer = await work(tx);
    throw undone;
  });
  await trial.catch((error) => {
    if (error !== undone) throw error;
  });
  return answer as T;
}

/** The guard that refuses, and what is said when it is gone; neither leaves anything behind. */
export async function guarded(
  tx: Tx,
  attempt: () => Promise<unknown>,
  without: RawBuilder<unknown>,
): Promise<readonly string[]> {
  const said: string[] = [];
  for (const removal of [null, without]) {
    await sql`savepoint trial`.execute(tx);
    if (removal !== null) await removal.execute(tx);
    const refusal = await attempt().then(
      () => 'accepted',
      (error: { constraint?: string; message: string }) => error.constraint ?? error.message,
    );
    said.push(refusal);
    await sql`rollback to savepoint trial`.execute(tx);
  }
  return said;
}
