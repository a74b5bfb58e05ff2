// Files of the object store that have to go: noted before anything names them or with the last row
// that did, then removed.
import { sql } from 'kysely';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { filesToRemove } from '../queries/file-removals.ts';

const SYSTEM = 'system:erasure';

/** In the transaction that takes the last person from them. */
export async function noteFileRemovals(tx: Tx, keys: readonly string[]): Promise<void> {
  await sql`insert into rentals.file_removal (sha256)
    select unnest(${[...keys]}::text[]) on conflict do nothing`.execute(tx);
}

/**
 * Before the store gets the file: whoever is killed before a row names it, or is refused, leaves
 * this note, and an hour later the file goes.
 */
export function expectFile(db: Db, acting: Acting, key: string): Promise<void> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await sql`insert into rentals.file_removal (sha256, not_before)
      values (${key}, now() + interval '1 hour')
      on conflict (sha256) do update set not_before = excluded.not_before`.execute(tx);
  });
}

/** In the transaction whose row names the file. */
export async function fileNamed(tx: Tx, key: string): Promise<void> {
  await sql`delete from rentals.file_removal where sha256 = ${key}`.execute(tx);
}

/**
 * Those that are due and that nobody names; answers how many. The note is locked while its file
 * goes: whoever is about to store the same bytes anew waits, and stores them after.
 */
export async function removeNotedFiles(
  db: Db,
  removeFile: (key: string) => Promise<void>,
): Promise<number> {
  let removed = 0;
  for (const key of await filesToRemove(db)) {
    removed += await transact(db, 'rentals_rw', SYSTEM, async (tx) => {
      const { rows } = await sql`select from rentals.file_removal
        where sha256 = ${key} and not_before <= now() for update skip locked`.execute(tx);
      if (rows.length === 0) return 0;
      await removeFile(key);
      await fileNamed(tx, key);
      return 1;
    });
  }
  return removed;
}
