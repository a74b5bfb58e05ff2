// Files are noted before the object store has them, so that none stays there that no row came to name.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Until then whoever stores it may still write its row.
  await sql`alter table rentals.file_removal
    add column not_before timestamptz not null default now()`.execute(db);
  await sql`grant update (not_before) on rentals.file_removal to rentals_rw`.execute(db);
}
