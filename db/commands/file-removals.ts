// Files of the object store that have to go: noted with the rows that named them, then removed.
import { sql } from 'kysely';
import { type Acting, type Db, type Tx, transact } from '../client.ts';

const SYSTEM = 'system:erasure';

/** In the transaction that takes the last person from them. */
export async function noteFileRemovals(tx: Tx, keys: readonly string[]): Promise<void> {
  await sql`insert into rentals.file_removal (sha256)
    select unnest(${[...keys]}::text[]) on conflict do nothing`.execute(tx);
}

/**
 * Of a file that was refused after the store had it: it goes with the next that do, unless a row
 * names the same bytes by then.
 */
export function noteRefusedFile(db: Db, acting: Acting, key: string): Promise<void> {
  return transact(db, 'rentals_rw', acting, (tx) => noteFileRemovals(tx, [key]));
}

/** When the bytes are gone. */
export function fileRemoved(db: Db, key: string): Promise<void> {
  return transact(db, 'rentals_rw', SYSTEM, async (tx) => {
    await sql`delete from rentals.file_removal where sha256 = ${key}`.execute(tx);
  });
}
