// Keeps the events' tables from growing for ever.
import { sql } from 'kysely';
import { type Db, transact } from './client.ts';

const PRINCIPAL = 'system:events-upkeep';

/** Facts stay in the log, and handled events in the inboxes, for so many days. */
const KEEP_DAYS = 30;

/**
 * Makes the log's coming partitions, indexes past ones, drops old ones and forgets old inbox
 * rows. Safe to repeat and to run twice at once.
 */
export async function keepEventTables(db: Db): Promise<void> {
  await transact(db, 'events_rw', PRINCIPAL, async (tx) => {
    await sql`select events.maintain_log(${KEEP_DAYS})`.execute(tx);
  });
  await transact(db, 'events_rw', PRINCIPAL, async (tx) => {
    await sql`delete from events.inbox
      where handled_at < now() - make_interval(days => ${KEEP_DAYS})`.execute(tx);
  });
}
