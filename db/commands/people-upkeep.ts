// Forgets what proved who somebody was, once it proves nothing any more.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

/** How long each is kept after its use, for whoever looks into an incident. */
const RULES = [
  ['sign_in_failure', `at < now() - interval '1 day'`],
  ['single_use_token', `expires_at < now() - interval '7 days'`],
  ['mail', `created_at < now() - interval '7 days'`],
  ['remembered_device', 'expires_at < now()'],
  // No outside token is taken for more than a day after it was issued (api/auth/tokens.ts).
  ['outside_logout', `received_at < now() - interval '25 hours'`],
  ['session', `coalesce(ended_at, expires_at) < now() - interval '90 days'`],
] as const;

/** Run it regularly. Answers how many rows went. */
export function forgetOldProofs(db: Db): Promise<number> {
  return transact(db, 'people_rw', 'system:upkeep', async (tx) => {
    let rows = 0;
    for (const [table, isOver] of RULES) {
      const gone = await sql`delete from ${sql.id('people', table)}
        where ${sql.raw(isOver)}`.execute(tx);
      rows += Number(gone.numAffectedRows ?? 0);
    }
    return rows;
  });
}
